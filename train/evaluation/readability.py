"""Whether a set's emotions can be told apart: a classifier learns from some of its people and reads the others."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor
from tqdm import trange

from ecgan_core.files.replacing import replacing

from ..config import Networks, Source, TrainConfig
from ..data.faces import FaceSet, augment, draw, load_faces, step_generator, to_float
from ..data.sources.row import DataError
from ..data.sources.source import rows_of
from ..learning.judges.features import FeatureNetwork
from ..learning.losses import emotion_cross_entropy
from ..mixtures import without_mixtures

HELD_OUT = 0.2  # share of the identities
BATCH = 32


def readability(
    folder: Path, out: Path | None = None, size: int = 64, images: int = 16_000, seed: int = 0, mirror: bool = True
) -> str:
    """Train a small residual network on a set of faces and measure it on the identities that it has not seen.

    Args:
        folder: a data set, `EMOTION/IDENTITY.jpg` or with an `index.csv`.
        out: a JSON file for the same figures.
        size: the side that the pictures are scaled to.
        images: how many the classifier learns from, repeats included.
        mirror: half of those; False for expressions with a side, as in a recipe.

    Returns:
        a table: the share of each emotion's unseen pictures that was read right, and what the rest was taken for.

    Raises:
        DataError: the set has fewer than two emotions, or too few identities to hold some out.
    """
    source = Source(path=folder.name, held_out=HELD_OUT)
    emotions = without_mixtures(row.emotion for row in rows_of(source, folder.parent))
    if len(emotions) < 2:
        raise DataError(f"{folder} has pictures of {len(emotions)} emotion; two are needed to tell them apart")
    config = TrainConfig(
        emotions=emotions,
        neutral=emotions[0],
        data=(source,),
        networks=Networks(image_size=size),
        seed=seed,
        mirror=mirror,
    )
    seen, unseen = load_faces(config, folder.parent), load_faces(config, folder.parent, held_out=True)
    confusion = _confusion(unseen, _read(_learn(seen, config, images), unseen), len(emotions))
    if out is not None:
        with replacing(out) as temporary:
            report = {"emotions": emotions, "size": size, "images": images, "confusion": confusion.tolist()}
            Path(temporary).write_text(json.dumps(report, indent=1), encoding="utf-8")
    return _table(emotions, confusion, seen, unseen)


def _learn(faces: FaceSet, config: TrainConfig, images: int) -> FeatureNetwork:
    """The network of the perceptual loss, taught nothing but emotions."""
    torch.manual_seed(config.seed)
    network = FeatureNetwork(config.networks.feature_widths, len(config.emotions), config.networks.emotion_cells)
    steps = max(2, images // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for step in trange(steps, unit="batch"):
        generator = step_generator(config.seed, step)
        index = draw(faces, BATCH, generator)
        seen = augment(to_float(faces.faces[index]), generator, config.mirror)
        logits = network.emotion_logits(network(seen))
        loss = emotion_cross_entropy(
            logits, torch.nn.functional.one_hot(faces.emotion[index], len(config.emotions)).float()
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval()


@torch.no_grad()
def _read(network: FeatureNetwork, faces: FaceSet) -> Tensor:
    """The emotion [N] that the network names for each face."""
    parts = [network.emotion_logits(network(to_float(part))).argmax(1) for part in faces.faces.split(128)]
    return torch.cat(parts)


def _confusion(unseen: FaceSet, read: Tensor, emotions: int) -> Tensor:
    """Counts [m,m]: rows are what the picture shows, columns what it was read as."""
    return torch.bincount(unseen.emotion * emotions + read, minlength=emotions**2).view(emotions, emotions)


def _table(emotions: tuple[str, ...], confusion: Tensor, seen: FaceSet, unseen: FaceSet) -> str:
    share = confusion / confusion.sum(1, keepdim=True).clamp(min=1)
    lines = []
    for i, emotion in enumerate(emotions):
        mistakes = sorted(((share[i, j].item(), other) for j, other in enumerate(emotions) if j != i), reverse=True)
        taken_for = ", ".join(f"{other} {part:.1%}" for part, other in mistakes if part >= 0.005)
        lines.append(f"{emotion:>16}  {share[i, i].item():6.1%}  {taken_for and 'taken for ' + taken_for}".rstrip())
    right = confusion.diagonal().sum().item() / confusion.sum().item()
    people = [len(set(faces.identity)) for faces in (seen, unseen)]
    lines.append(f"{'all':>16}  {right:6.1%}  of {len(unseen)} pictures of {people[1]} unseen people; {people[0]} seen")
    return "\n".join(lines)
