"""The judge: an emotion network for measuring only, which no training run ever sees.

Another architecture than Q (strided, BatchNorm) and φ (residual, BatchNorm): densely connected layers that know nothing
of the other faces of a batch. It learns from real pictures of the training identities, never from a generated one.
`identity.py` builds its network on the same layers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ecgan_core.files.tensors import BadFile, must_be_finite, read_header, read_tensors, write_tensors
from ecgan_core.words import shown

from ..config import TrainConfig
from ..data.faces import FaceSet, augment, draw, step_generator, to_float
from ..learning.losses import emotion_cross_entropy

KIND = "an emotion judge"
JUDGE_SEED = 2_000_003  # added to the run's: the judge must not learn in the order that the run did
SIDE = 64  # pixels that a face is shown in, whatever the model's frame: enough to read an emotion, and quick
CELLS = 4  # a side: where something is counts on an aligned face (docs/experiments.md)
MEAN_OF = 2_000  # faces that the mean face is the mean of
CHUNK = 128


class DenseStage(nn.Module):
    """Layers that each add `growth` channels to all that came before, then a halving of channels and resolution.

    Each channel is normalised by itself: what all faces share is a channel's mean, and a norm over groups of channels
    would keep it.
    """

    def __init__(self, channels: int, growth: int, layers: int):
        super().__init__()
        self.layers = nn.ModuleList()
        for _ in range(layers):
            norm = nn.GroupNorm(channels, channels)
            self.layers.append(nn.Sequential(norm, nn.SiLU(), nn.Conv2d(channels, growth, 3, padding=1)))
            channels += growth
        self.out_channels = channels // 2
        self.transition = nn.Conv2d(channels, self.out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat([x, layer(x)], dim=1)
        return F.avg_pool2d(self.transition(x), 2)


class DenseNetwork(nn.Module):
    """Features [B,C,4,4] of faces [B,3,S,S] in −1..1, which are scaled to 64 × 64 first.

    A face comes in as its difference from the training set's mean face: aligned faces are mostly alike, and without
    this step the network spent 18,000 images at chance.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, growth: int = 24, layers: int = 2, stages: int = 3):
        super().__init__()
        self.register_buffer("mean", torch.zeros(3, SIDE, SIDE))
        self.register_buffer("std", torch.ones(3, SIDE, SIDE))
        channels, blocks = 32, []
        self.stem = nn.Conv2d(3, channels, 5, stride=2, padding=2)
        for _ in range(stages):
            blocks.append(DenseStage(channels, growth, layers))
            channels = blocks[-1].out_channels
        self.stages = nn.Sequential(*blocks)
        self.norm = nn.GroupNorm(channels, channels)
        self.channels = channels

    def learn_mean_face(self, faces: FaceSet) -> None:
        """Take the mean and deviation of the pixels of `faces`."""
        some = scaled(faces, torch.linspace(0, len(faces) - 1, min(len(faces), MEAN_OF)).long())
        self.mean.copy_(some.mean(dim=0))
        self.std.copy_(some.std(dim=0).clamp(min=0.05))

    def forward(self, face: Tensor) -> Tensor:
        h = self.stages(self.stem((shrunk(face) - self.mean) / self.std))
        return F.adaptive_avg_pool2d(F.silu(self.norm(h)), CELLS)


def shrunk(face: Tensor) -> Tensor:
    """Faces [B,3,S,S] as the networks see them, [B,3,64,64]."""
    if face.shape[-1] == SIDE:
        return face
    antialias = face.shape[-1] > SIDE
    return F.interpolate(face, size=(SIDE, SIDE), mode="bilinear", antialias=antialias, align_corners=False)


def scaled(faces: FaceSet, index: Tensor) -> Tensor:
    """Faces of a set as `shrunk` gives them; in training before augmentation, which costs less at 64 pixels."""
    return shrunk(to_float(faces.faces[index]))


class Judge(nn.Module):
    """Emotion logits [B,m] of faces [B,3,S,S] in −1..1."""

    def __init__(self, num_emotions: int):
        super().__init__()
        self.trunk = DenseNetwork()
        self.emotion = nn.Linear(self.trunk.channels * CELLS**2, num_emotions)

    def features(self, face: Tensor) -> Tensor:
        """What the logits are read from, [B,C,4,4]."""
        return self.trunk(face)

    def logits(self, features: Tensor) -> Tensor:
        """Emotion logits [B,m] of `features`."""
        return self.emotion(F.dropout(features.flatten(1), 0.2, self.training))

    def forward(self, face: Tensor) -> Tensor:
        return self.logits(self.features(face))


def train_judge(
    faces: FaceSet, config: TrainConfig, images: int = 19_200, batch: int = 32, say: Callable[[str], None] = print
) -> Judge:
    """A judge taught on `faces`, which are augmented as in training: mirrored and lit anew where the recipe says so."""
    torch.manual_seed(config.seed + JUDGE_SEED)
    judge = Judge(len(config.emotions))
    judge.trunk.learn_mean_face(faces)
    steps = max(2, images // batch)
    optimizer = torch.optim.AdamW(judge.parameters(), lr=4e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for step in range(steps):
        generator = step_generator(config.seed + JUDGE_SEED, step)
        index = draw(faces, batch, generator)
        label = F.one_hot(faces.emotion[index], len(config.emotions)).float()
        seen = augment(scaled(faces, index), generator, config.mirror, config.light)
        loss = emotion_cross_entropy(judge(seen), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if (step + 1) % max(1, steps // 5) == 0:
            say(f"judge {(step + 1) * batch:>7,} images  loss {loss.item():.3f}")
    return judge.eval()


@torch.no_grad()
def look_at(faces: Tensor, look: Callable[[Tensor], Tensor]) -> Tensor:
    """What `look` says of faces uint8 [N,3,S,S], a few at a time: a whole set in floats may not fit into memory."""
    return torch.cat([look(to_float(part)) for part in faces.split(CHUNK)])


def load_judge(path: Path, emotions: tuple[str, ...]) -> Judge:
    """The judge saved by `save_judge`.

    Raises:
        ValueError: it is none, or was taught other emotions than `emotions`.
    """
    header = read_header(path, KIND)
    known = header.metadata.get("emotions", "").split("\n")
    if "judge" not in header.metadata:
        raise BadFile(
            f"{path} is not {KIND} that this version reads; give another --judge, and a new one is made there"
        )
    if known != list(emotions):
        raise ValueError(f"the judge {path} knows {', '.join(known)}, not {', '.join(emotions)}; give another --judge")
    judge = Judge(len(emotions))
    load_network(judge, path, KIND, "--judge")
    return judge


def save_judge(judge: Judge, path: Path, emotions: tuple[str, ...], people: Iterable[str] = ()) -> None:
    """Write the judge's weights, emotion names and the people that it was taught on, atomically."""
    write_tensors(path, judge.state_dict(), {"judge": "2", "emotions": "\n".join(emotions)} | taught_on(people))


def taught_on(people: Iterable[str]) -> dict[str, str]:
    """What the header of a measuring network says of those whom it was taught on."""
    return {"people": "\n".join(sorted(set(people)))}


def must_not_know(held_out: Iterable[str], path: Path, kind: str, option: str) -> None:
    """Raise ValueError if a saved network was taught on people who are held out now: its figures would flatter.

    Older files do not say whom they were taught on.
    """
    known = set(read_header(path, kind).metadata.get("people", "").split("\n")).intersection(held_out)
    if known:
        raise ValueError(
            f"{path} was taught on {len(known)} of the people who are held out now, such as {shown(min(known))}, and "
            f"cannot tell how a model does on strangers; remove it, or give another {option}, and a new one is made"
        )


def load_network(network: nn.Module, path: Path, kind: str, option: str) -> None:
    """Read the weights of a file whose header has been looked at; `option` is named in the error."""
    try:
        tensors = read_tensors(path, kind)
        must_be_finite(tensors, path, kind)
        network.load_state_dict(tensors)
    except RuntimeError as problem:
        raise BadFile(f"{path} is not {kind} of this version; give another {option}") from problem
    network.eval()
