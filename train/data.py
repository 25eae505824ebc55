"""Labelled faces in memory, split by identity, and batches that are pure functions of (seed, step)."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from .config import Source, TrainConfig

PICTURES = {".jpg", ".jpeg", ".png", ".webp"}


class DataError(ValueError):
    """A data set that cannot be trained on; the text names the folder or file and what to do."""


class NoFaces(DataError):
    """A split that has no pictures at all."""


@dataclass(frozen=True)
class Row:
    """One labelled picture of a data set."""

    file: Path
    emotion: str
    identity: str  # unique over sources: SOURCE/IDENTITY


@dataclass
class FaceSet:
    """Faces [N,3,S,S] uint8 in the model's frame, their emotions [N] and identities, and how often each is drawn."""

    faces: Tensor
    emotion: Tensor
    identity: list[str]
    weight: Tensor

    def __len__(self) -> int:
        return len(self.faces)

    def identities(self) -> Tensor:
        """Identity of each face as a number [N], 0 … (number of identities − 1)."""
        order = {name: i for i, name in enumerate(sorted(set(self.identity)))}
        return torch.tensor([order[name] for name in self.identity])


def rows_of(source: Source, root: Path) -> list[Row]:
    """The pictures of a source: rows of its `index.csv` whose `use` fits, else `EMOTION/IDENTITY.*`."""
    folder = root / source.path
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}; give the folder that holds {source.path!r} with --data")
    index = folder / "index.csv"
    if index.is_file():
        with index.open(newline="", encoding="utf-8") as file:
            table = list(csv.DictReader(file))
        missing = {"file", "emotion"} - set(table[0] if table else ())
        if missing:
            raise DataError(f"{index} lacks the column {' and '.join(sorted(missing))}")
        return [
            Row(folder / row["file"], row["emotion"], f"{source.path}/{row.get('identity') or row['file']}")
            for row in table
            if row.get("use", source.use) == source.use
        ]
    return [
        Row(file, file.parent.name, f"{source.path}/{file.stem}")
        for file in sorted(folder.glob("*/*"))
        if file.suffix.lower() in PICTURES
    ]


def is_held_out(identity: str, share: float) -> bool:
    """Whether an identity belongs to the evaluation split: by the hash of its name, so it never depends on the rest."""
    return int(hashlib.sha256(identity.encode()).hexdigest()[:8], 16) / 2**32 < share


def read_face(file: Path, crop: tuple[float, float, float, float], size: int) -> Tensor:
    """The picture's frame as uint8 [3,size,size]."""
    try:
        with Image.open(file) as image:
            image = image.convert("RGB")
            box = tuple(share * image.size[i % 2] for i, share in enumerate(crop))
            image = image.resize((size, size), Image.Resampling.LANCZOS, box=box)
    except (OSError, UnidentifiedImageError) as error:
        raise DataError(f"cannot read the picture {file}: {error}; mend it or take it out of the data set") from error
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def load_faces(config: TrainConfig, root: Path, held_out: bool = False) -> FaceSet:
    """All faces of the training split, or of the held-out one.

    Raises:
        DataError: a folder is missing, a picture cannot be read, an emotion is not in the config.
        NoFaces: nothing is left for this split.
    """
    faces, emotion, identity, weight = [], [], [], []
    for source in config.data:
        rows = [r for r in rows_of(source, root) if is_held_out(r.identity, source.held_out) == held_out]
        unknown = sorted({r.emotion for r in rows} - set(config.emotions))
        if unknown:
            raise DataError(
                f"{root / source.path} has pictures of {', '.join(unknown)}, but the recipe's emotions are "
                f"{', '.join(config.emotions)}; add it to `emotions` or take it out of the data set"
            )
        for row in rows:
            faces.append(read_face(row.file, source.crop, config.networks.image_size))
            emotion.append(config.emotions.index(row.emotion))
            identity.append(row.identity)
            weight.append(source.weight / len(rows))
    if not faces:
        raise NoFaces(
            f"no {'held-out' if held_out else 'training'} pictures found under {root}; check `data` in the recipe"
        )
    return FaceSet(torch.stack(faces), torch.tensor(emotion), identity, torch.tensor(weight))


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


def augment(face: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror, move, zoom and turn a little, and change light and colour; face [B,3,S,S] in −1..1, on the CPU.

    Small on purpose: holes and the latent's coordinates count on aligned faces.
    """
    batch = len(face)

    def normal(scale: float) -> Tensor:
        return scale * torch.randn(batch, generator=generator).clamp(-2, 2)

    mirror = torch.where(torch.rand(batch, generator=generator) < 0.5, -1.0, 1.0)
    angle, zoom = normal(0.04), 1 + normal(0.03)
    cos, sin = zoom * torch.cos(angle), zoom * torch.sin(angle)
    rows = torch.stack([mirror * cos, -sin, normal(0.03), mirror * sin, cos, normal(0.03)], dim=1)
    grid = F.affine_grid(rows.view(batch, 2, 3), list(face.shape), align_corners=False)
    face = F.grid_sample(face, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    gain = 1 + normal(0.08)[:, None, None, None] + 0.04 * torch.randn(batch, 3, 1, 1, generator=generator)
    return ((face + 1) * gain + normal(0.06)[:, None, None, None] - 1).clamp(-1, 1)
