"""Who is it: a network for measuring only that tells people apart, whatever expression they wear.

It learns from people of the training split that were pictured with several emotions. Of another kind than φ: the
judge's dense layers, and an embedding on the unit sphere (NormFace: Wang et al. 2017; the margin is CosFace's: Wang et
al. 2018). It sees the face and nothing around it, so that hair, clothes and background, which a completion leaves as
they are, cannot speak for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ecgan_core.face.holes import region
from ecgan_core.files.tensors import BadFile, read_header, write_tensors

from ..config import TrainConfig
from ..data.faces import FaceSet, augment, step_generator
from .judge import CELLS, SIDE, DenseNetwork, load_network, scaled, shrunk, taught_on

KIND = "an identity network"
IDENTITY_SEED = 3_000_017  # added to the run's
EMBEDDING, SCALE, MARGIN = 64, 16.0, 0.15
FALSE_ACCEPTS = 0.01  # the threshold lets this share of pairs of different people pass
MOST_PEOPLE = 400  # with 1,900, each seen a handful of times, it learned nothing in the same time


class IdentityNetwork(nn.Module):
    """Embeddings [B,64] of length 1 of faces [B,3,S,S] in −1..1; the cosine of two says how alike they are."""

    def __init__(self):
        super().__init__()
        self.trunk = DenseNetwork()
        self.embedding = nn.Linear(self.trunk.channels * CELLS**2, EMBEDDING)

    def forward(self, face: Tensor) -> Tensor:
        seen = region("whole face", 1, SIDE, torch.Generator(), jitter=0).to(face.device)
        face = torch.where(seen > 0, shrunk(face), self.trunk.mean)
        features = F.dropout(self.trunk(face).flatten(1), 0.2, self.training)
        return F.normalize(self.embedding(features))


@dataclass(frozen=True)
class Baselines:
    """Mean cosines between real held-out pictures, and the cosine above which two are called the same person."""

    same_person: float  # two pictures of one person, of different emotions
    other_person: float  # pictures of two people
    threshold: float  # passed by 1 % of the pairs of different people
    same_person_passes: float  # share of the pairs of one person above it


def train_identity(
    faces: FaceSet, config: TrainConfig, images: int = 25_600, batch: int = 32, say: Callable[[str], None] = print
) -> IdentityNetwork | None:
    """A network taught on people of `faces` who have several pictures; None if fewer than two have.

    They are mirrored where the recipe mirrors, and never lit anew: whose skin has another colour is another person, and
    a completion is judged in the light that its picture was taken in.
    """
    several = sorted(name for name, pictures in Counter(faces.identity).items() if pictures > 1)
    people = {name: i for i, name in enumerate(several[:MOST_PEOPLE])}
    if len(people) < 2:
        return None
    person = torch.tensor([people.get(name, -1) for name in faces.identity])
    chosen = (person >= 0).nonzero()[:, 0]
    torch.manual_seed(config.seed + IDENTITY_SEED)
    network = IdentityNetwork()
    network.trunk.learn_mean_face(faces)
    centres = nn.Parameter(torch.randn(len(people), EMBEDDING))
    steps = max(2, images // batch)
    optimizer = torch.optim.AdamW([*network.parameters(), centres], lr=4e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for step in range(steps):
        generator = step_generator(config.seed + IDENTITY_SEED, step)
        index = chosen[torch.randint(len(chosen), (batch,), generator=generator)]
        cosine = network(augment(scaled(faces, index), generator, config.mirror)) @ F.normalize(centres).T
        target = F.one_hot(person[index], len(people))
        loss = F.cross_entropy(SCALE * (cosine - MARGIN * target), person[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if (step + 1) % max(1, steps // 5) == 0:
            say(f"identity {(step + 1) * batch:>7,} images  loss {loss.item():.3f}")
    return network.eval()


def baselines(embeddings: Tensor, faces: FaceSet) -> Baselines | None:
    """What the cosines of real pictures are; None where nobody has two pictures, or there is only one person."""
    person = faces.identities()
    cosine, same = embeddings @ embeddings.T, person[:, None] == person[None]
    same_pairs = cosine[same & (faces.emotion[:, None] != faces.emotion[None])]
    other_pairs = cosine[~same]
    if not len(same_pairs) or not len(other_pairs):
        return None
    threshold = other_pairs.sort().values[int((1 - FALSE_ACCEPTS) * (len(other_pairs) - 1))].item()
    passes = (same_pairs > threshold).float().mean().item()
    return Baselines(same_pairs.mean().item(), other_pairs.mean().item(), threshold, passes)


def load_identity(path: Path) -> IdentityNetwork:
    """The network saved by `save_identity`.

    Raises:
        ValueError: it is none.
    """
    if "identity_network" not in read_header(path, KIND).metadata:
        raise BadFile(f"{path} is not {KIND}; give another --identity")
    network = IdentityNetwork()
    load_network(network, path, KIND, "--identity")
    return network


def save_identity(network: IdentityNetwork, path: Path, people: Iterable[str] = ()) -> None:
    """Write the network's weights and the people that it was taught on, atomically."""
    write_tensors(path, network.state_dict(), {"identity_network": "1"} | taught_on(people))
