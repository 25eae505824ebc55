"""Labelled faces, split by identity, and batches that are pure functions of (seed, step)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..config import Source, TrainConfig
from ..portraits.assets import cache_folder
from .augment import augment as augment
from .cache import Shot, decoded, in_memory
from .sources import DataError as DataError
from .sources import Row, rows_of

WORTH_KEEPING = 256  # pictures; fewer are decoded in a moment


class NoFaces(DataError):
    """A split that has no pictures at all."""


@dataclass
class FaceSet:
    """Faces [N,3,S,S] uint8 in the model's frame, their emotions [N] and identities, and how often each is drawn.

    The faces lie in a memory-mapped file: pages come into memory when they are drawn.
    """

    faces: Tensor
    emotion: Tensor
    identity: list[str]
    weight: Tensor
    pair: Tensor  # [N,m]: the same person's picture with each emotion, or −1; see `Source.paired`

    def __len__(self) -> int:
        return len(self.faces)

    def identities(self) -> Tensor:
        """Identity of each face as a number [N], 0 … (number of identities − 1)."""
        order = {name: i for i, name in enumerate(sorted(set(self.identity)))}
        return torch.tensor([order[name] for name in self.identity])

    def pick(self, index: Tensor, device: torch.device | str = "cpu") -> Tensor:
        """Faces float32 [B,3,S,S] in −1..1 on a device; they travel as bytes, a quarter of the size."""
        return to_float(self.faces[index].to(device, non_blocking=True))


def hash_share(identity: str) -> float:
    """Where an identity stands in 0..1, by the hash of its name."""
    return int(hashlib.sha256(identity.encode()).hexdigest()[:8], 16) / 2**32


def is_held_out(identity: str, share: float) -> bool:
    """Whether an identity belongs to the evaluation split: by the hash of its name, so it never depends on the rest."""
    return hash_share(identity) < share


def split_of(source: Source, rows: Sequence[Row], held_out: bool) -> list[Row]:
    """The rows of a source that belong to the training split, or to the held-out one."""
    return [row for row in rows if is_held_out(row.identity, source.held_out) == held_out]


def load_faces(config: TrainConfig, root: Path, held_out: bool = False) -> FaceSet:
    """All faces of the training split, or of the held-out one.

    They are decoded once and kept in the user's cache folder (`ECGAN_CACHE`), until a picture of the set changes.

    Raises:
        DataError: a folder is missing, a picture cannot be read, an emotion is not in the config.
        NoFaces: nothing is left for this split.
    """
    shots, emotion, identity, weight, paired = [], [], [], [], []
    for source in config.data:
        rows = split_of(source, rows_of(source, root), held_out)
        unknown = sorted({row.emotion for row in rows} - set(config.emotions))
        if unknown:
            raise DataError(
                f"{root / source.path} has pictures of {', '.join(unknown)}, but the recipe's emotions are "
                f"{', '.join(config.emotions)}; add it to `emotions`, rename it with `labels`, or take it out of the "
                "data set"
            )
        for row in rows:
            shots.append(Shot(row.file, row.part, source.crop))
            emotion.append(config.emotions.index(row.emotion))
            identity.append(row.identity)
            weight.append(source.weight / len(rows))
            paired.append(source.paired)
    split = "held-out" if held_out else "training"
    if not shots:
        raise NoFaces(
            f"no {split} pictures found under {root}; `python -m train check RECIPE --data {root}` tells what is there"
        )
    size = config.networks.image_size
    if len(shots) < WORTH_KEEPING:
        faces = in_memory(shots, size)
    else:
        name = " ".join([split, str(size), str(root.resolve()), *(source.path for source in config.data)])
        faces = decoded(shots, size, name, cache_folder() / "faces")
    pair = pairs(emotion, identity, paired, len(config.emotions))
    return FaceSet(faces, torch.tensor(emotion), identity, torch.tensor(weight), pair)


def pairs(emotion: Sequence[int], identity: Sequence[str], paired: Sequence[bool], emotions: int) -> Tensor:
    """[N, emotions]: for each picture that is paired, the same person's with each emotion; −1 where there is none.

    A person with several pictures of one emotion: the last of them.
    """
    found = {(identity[i], emotion[i]): i for i in range(len(identity)) if paired[i]}
    rows = [
        [found.get((name, e), -1) if is_paired else -1 for e in range(emotions)]
        for name, is_paired in zip(identity, paired, strict=True)
    ]
    return torch.tensor(rows).view(len(identity), emotions)


def to_float(faces: Tensor) -> Tensor:
    """uint8 0..255 → float32 −1..1."""
    return faces.float() / 127.5 - 1


def step_generator(seed: int, step: int) -> torch.Generator:
    """The source of all of a step's random numbers: a resumed run draws what the uninterrupted one would have."""
    digest = hashlib.sha256(f"{seed}/{step}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def draw(faces: FaceSet, batch: int, generator: torch.Generator) -> Tensor:
    """Indices [batch] of faces, with replacement, by their weights."""
    return torch.multinomial(faces.weight, batch, replacement=True, generator=generator)
