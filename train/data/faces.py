"""Labelled faces, split by identity, and batches that are pure functions of (seed, step)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..cache_folder import cache_folder
from ..config import Source, TrainConfig
from ..mixtures import MIX, mixture_of, mixtures_of
from .augment import augment as augment
from .cache import Shot, decoded, in_memory
from .names import renaming
from .sources.row import DataError, Row, kinds
from .sources.source import found_in

WORTH_KEEPING = 256  # pictures; fewer are decoded in a moment


class NoFaces(DataError):
    """A split that has no pictures at all."""


@dataclass
class FaceSet:
    """Faces [N,3,S,S] uint8 in the model's frame, their emotions [N] and identities, and how often each is drawn.

    Beside the m emotions, pictures may show mixtures of two, m + k looks in all. They only serve as truths: nobody has
    to name them. The pictures lie in a memory-mapped file: pages come into memory when they are drawn.
    """

    pictures: Tensor  # the faces, and after them the pictures of mixtures
    emotion: Tensor
    identity: list[str]
    weight: Tensor
    looks: Tensor  # [m+k,m]: how much of each emotion is in each look: the identity matrix, then halves
    pair: Tensor  # [N,m+k]: the picture of the same person with each look, or −1; see `Source.paired`
    source: Tensor  # [N]: which of the recipe's sources each face is of
    left_out: tuple[str, ...] = ()  # what of the sources is not taken, in sentences

    @property
    def faces(self) -> Tensor:
        """The pictures that show one emotion."""
        return self.pictures[: len(self)]

    def __len__(self) -> int:
        return len(self.identity)

    def identities(self) -> Tensor:
        """Identity of each face as a number [N], 0 … (number of identities − 1)."""
        order = {name: i for i, name in enumerate(sorted(set(self.identity)))}
        return torch.tensor([order[name] for name in self.identity])

    def pick(self, index: Tensor, device: torch.device | str = "cpu") -> Tensor:
        """Pictures float32 [B,3,S,S] in −1..1 on a device; they travel as bytes, a quarter of the size."""
        return to_float(self.pictures[index].to(device, non_blocking=True))


def hash_share(identity: str) -> float:
    """Where an identity stands in 0..1, by the hash of its name."""
    name = identity.encode("utf-8", "surrogateescape")  # of a file, whose name may be in no encoding that is known
    return int(hashlib.sha256(name).hexdigest()[:8], 16) / 2**32


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
    emotions = list(config.emotions)
    shown: list[tuple[Source, Row, str]] = []  # with its look
    truths: list[tuple[Source, Row, str]] = []
    weight: list[float] = []
    numbers: list[int] = []  # of their sources
    left_out: list[str] = []
    for number, source in enumerate(config.data):
        found = found_in(source, root)
        if found.passed_over:
            left_out.append(f"passed over in {root / source.path}: {kinds(found.passed_over)}")
        left_out += found.damaged
        rows = [(row, mixture_of(row.emotion, emotions)) for row in split_of(source, found.rows, held_out)]
        plain = [row for row, mixture in rows if mixture is None]
        _refuse_unknown(plain, emotions, root / source.path)
        shown += [(source, row, row.emotion) for row in plain]
        weight += [source.weight / len(plain) for _ in plain]
        numbers += [number for _ in plain]
        truths += [(source, row, MIX.join(mixture)) for row, mixture in rows if mixture and source.paired]
    split = "held-out" if held_out else "training"
    if not shown:
        raise NoFaces(
            f"no {split} pictures found under {root}; `python -m train check RECIPE --data {root}` tells what is there"
        )
    everything, count, mixtures = shown + truths, len(shown), {look for _, _, look in truths}
    looks = emotions + [name for name in mixtures_of(emotions) if name in mixtures]
    look = [looks.index(look) for _, _, look in everything]
    identity = [row.identity for _, row, _ in everything]
    pair = pairs(look, identity, [source.paired for source, _, _ in everything], len(looks))
    return FaceSet(
        decoded_faces([Shot(row.file, row.part, source.crop) for source, row, _ in everything], config, root, split),
        torch.tensor(look[:count]),
        identity[:count],
        torch.tensor(weight),
        torch.stack([code_of(name, emotions) for name in looks]),
        pair[:count],
        torch.tensor(numbers),
        tuple(left_out),
    )


def _refuse_unknown(rows: Sequence[Row], emotions: Sequence[str], place: Path) -> None:
    if unknown := sorted({row.emotion for row in rows} - set(emotions)):
        raise DataError(
            f"{place} has pictures of {', '.join(map(repr, unknown))}, but the recipe's emotions are "
            f"{', '.join(map(repr, emotions))}; add it to `emotions`, rename it, as in "
            f"`labels: {renaming(unknown[0], emotions)}`, or take it out of the data set"
        )


def decoded_faces(shots: Sequence[Shot], config: TrainConfig, root: Path, split: str) -> Tensor:
    """All pictures [N,3,S,S] of a split in the recipe's size, uint8: in memory if they are few."""
    size = config.networks.image_size
    if len(shots) < WORTH_KEEPING:
        return in_memory(shots, size)
    name = " ".join([split, str(size), str(root.resolve()), *(source.path for source in config.data)])
    return decoded(shots, size, name, cache_folder() / "faces")


def code_of(look: str, emotions: Sequence[str]) -> Tensor:
    """How much of each emotion is in a look, [m], summing to 1."""
    parts = mixture_of(look, emotions) or (look,)
    return torch.eye(len(emotions))[[emotions.index(part) for part in parts]].mean(dim=0)


def pairs(look: Sequence[int], identity: Sequence[str], paired: Sequence[bool], looks: int) -> Tensor:
    """[N, looks]: for each picture that is paired, the same person's with each look; −1 where there is none.

    A person with several pictures of one look: the last of them.
    """
    found = {(identity[i], look[i]): i for i in range(len(identity)) if paired[i]}
    rows = [
        [found.get((name, k), -1) if is_paired else -1 for k in range(looks)]
        for name, is_paired in zip(identity, paired, strict=True)
    ]
    return torch.tensor(rows).view(len(identity), looks)


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


def draw_looks(
    faces: FaceSet, index: Tensor, mixed: float, generator: torch.Generator, photographed: Sequence[int] = ()
) -> Tensor:
    """A look [B] for each face to be asked for: an emotion, or with the probability `mixed` a mixture of which the set
    has the same person's picture; and of who has none with another emotion, half are asked for one of `photographed`
    that they do not wear.
    """
    mixtures, emotions = len(faces.looks) - faces.looks.shape[1], faces.looks.shape[1]
    look = torch.randint(emotions, index.shape, generator=generator)
    if mixtures:
        mixture = emotions + torch.randint(mixtures, index.shape, generator=generator)
        take = torch.rand(index.shape, generator=generator) < mixed
        look = torch.where(take & (faces.pair[index, mixture] >= 0), mixture, look)
    if photographed:
        chosen = torch.tensor(photographed)
        chance = torch.rand(len(index), len(chosen), generator=generator)
        other = chosen[(chance - (chosen == faces.emotion[index][:, None]).float()).argmax(dim=1)]
        take = torch.rand(index.shape, generator=generator) < 0.5
        look = torch.where(take & (faces.pair[index, other] < 0), other, look)
    return look
