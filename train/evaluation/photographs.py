"""Real photographs: does the slider turn a face happy in the eyes of a network that knows photographs, is it still the
same person, and is the rest of the picture untouched?

There is no paired truth for photographs, and no public network at hand reads every emotion well. So the figures are a
*change*: the probability of one emotion at α = 0 (neutral) and at α = 1, of the same face with the same seed. The
pictures go the way that a picture goes in the product: completed in the model's frame and stitched into the original.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ecgan_core.face.holes import region
from ecgan_core.face.portrait import complete_portraits, render, shift_portraits
from ecgan_core.pipeline import ECGANPipeline

from ..data.pictures import read_face
from ..data.sources.row import DataError
from ..data.sources.table import read_index
from .face_api import EXPRESSIONS, SAME_PERSON, ExpressionNetwork, RecognitionNetwork

USE = "evaluate"  # the rows of index.csv that are for measuring
SIDE = 256
MARGIN = 30 / 256  # cut off all around before the public networks look: they want about 12 % around a face
EXPRESSION_HOLE, IDENTITY_HOLE = "lower face", "mouth"
AT_ONCE = 32
SHEET = 16


@dataclass
class PhotographResult:
    """Figures for the photographs of one source. Distances are of face-api's descriptors."""

    source: str
    faces: int
    emotion: str
    rises: float  # share of faces whose probability is higher at α = 1 than at α = 0; lower-face hole
    at_0: float  # mean probability
    at_1: float
    real: dict[str, float]  # mean probability on the untouched photographs, by the label of the photograph
    same_person: float  # share within the threshold of the original; mouth hole, α = 1
    distance: float  # mean, likewise
    distance_same: float | None  # of two photographs of one person
    distance_other: float | None  # of photographs of two people
    outside_equal: bool


@dataclass(frozen=True)
class Photographs:
    """Pictures [N,3,S,S] in 0..1 of one source, with their labels."""

    source: str
    pictures: Tensor
    emotion: list[str]
    identity: list[str]


class PublicNetworks:
    """The networks that judge photographs, and the emotion that they are asked for.

    Raises:
        BadFile: their weights are not in the folder.
        ValueError: the expression network does not read the emotion.
    """

    def __init__(self, folder: Path, emotion: str):
        if emotion not in EXPRESSIONS:
            raise ValueError(f"face-api's network does not read {emotion!r}; it reads {', '.join(EXPRESSIONS)}")
        self.expression, self.recognition = ExpressionNetwork(folder), RecognitionNetwork(folder)
        self.emotion, self.column = emotion, EXPRESSIONS.index(emotion)

    def probability(self, pictures: Tensor) -> Tensor:
        """P(emotion) [B] of pictures [B,3,S,S] in 0..1."""
        return self.expression(face_of(pictures))[:, self.column]

    def person(self, pictures: Tensor) -> Tensor:
        """Descriptors [B,128] of pictures [B,3,S,S] in 0..1."""
        return self.recognition(face_of(pictures))


def load_photographs(folder: Path, side: int = SIDE) -> list[Photographs]:
    """The `evaluate` rows of a folder's `index.csv`, one set for each value of its column `source`, as wide as `side`.

    The pictures must be aligned as the model's training photographs are: the whole picture is the model's frame.

    Raises:
        DataError: there is no such table, no such row, or a picture cannot be read.
    """
    index = folder / "index.csv"
    if not index.is_file():
        raise DataError(f"there is no {index}; give --photographs a folder with photographs and that table")
    rows = [row for row in read_index(index) if row.get("use", USE) == USE]
    if not rows:
        raise DataError(f"no row of {index} has `{USE}` in its column `use`; mark the photographs to measure with so")
    groups: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault(row.get("source") or folder.name, []).append(row)
    return [
        Photographs(
            source,
            torch.from_numpy(np.stack([read_face(folder / row["file"], (0, 0, 1, 1), side) for row in group])) / 255,
            [row["emotion"] for row in group],
            [row.get("identity") or row["file"] for row in group],
        )
        for source, group in groups.items()
    ]


def measure_photographs(
    pipeline: ECGANPipeline, photographs: Photographs, public: PublicNetworks, variation: float = 1.0
) -> tuple[PhotographResult, Tensor]:
    """The figures of one set, and a sheet [rows,4,3,S,S] in −1..1: original · hole · α = 0 · α = 1.

    Raises:
        UnknownEmotion: the model does not have the emotion that the networks are asked for.
    """
    parts = photographs.pictures.split(AT_ONCE)
    looked = [look_at_part(pipeline, part, public, i * AT_ONCE, variation) for i, part in enumerate(parts)]
    seen = {name: torch.cat([part[name] for part in looked]) for name in looked[0]}
    moved = (seen["edited person"] - seen["person"]).norm(dim=1)
    same, other = _between(seen["person"], photographs.identity)
    labels = sorted(set(photographs.emotion))
    result = PhotographResult(
        source=photographs.source,
        faces=len(photographs.pictures),
        emotion=public.emotion,
        rises=_mean(seen["at 1"] > seen["at 0"]),
        at_0=_mean(seen["at 0"]),
        at_1=_mean(seen["at 1"]),
        real={label: _mean(seen["real"][[e == label for e in photographs.emotion]]) for label in labels},
        same_person=_mean(moved < SAME_PERSON),
        distance=_mean(moved),
        distance_same=same,
        distance_other=other,
        outside_equal=bool(seen["outside equal"].all()),
    )
    return result, seen["sheet"][:SHEET] * 2 - 1


def look_at_part(
    pipeline: ECGANPipeline, pictures: Tensor, public: PublicNetworks, seed: int, variation: float
) -> dict[str, Tensor]:
    """What the public networks say of some pictures before and after: values by name, one a picture."""
    neutral, shown = edited_pair(pipeline, pictures, hole_of(EXPRESSION_HOLE), public.emotion, seed, variation)
    _, mouth = edited_pair(pipeline, pictures, hole_of(IDENTITY_HOLE), public.emotion, seed, variation)
    equal = [
        ((edited == pictures) | (hole_of(kind) > 0)).flatten(1).all(dim=1)
        for edited, kind in ((neutral, EXPRESSION_HOLE), (shown, EXPRESSION_HOLE), (mouth, IDENTITY_HOLE))
    ]
    return {
        "real": public.probability(pictures),
        "at 0": public.probability(neutral),
        "at 1": public.probability(shown),
        "person": public.person(pictures),
        "edited person": public.person(mouth),
        "outside equal": torch.stack(equal).all(dim=0),
        "sheet": torch.stack([pictures, pictures * (1 - hole_of(EXPRESSION_HOLE)), neutral, shown], dim=1),
    }


def hole_of(kind: str) -> Tensor:
    """The hole [1,1,256,256] of every photograph."""
    return region(kind, 1, SIDE, torch.Generator(), jitter=0)


def edited_pair(
    pipeline: ECGANPipeline, pictures: Tensor, hole: Tensor, emotion: str, seed: int, variation: float = 1.0
) -> tuple[Tensor, Tensor]:
    """The pictures completed at α = 0 and shifted to α = 1 along the emotion's vector; seeds count from `seed`."""
    latent = complete_portraits(
        pipeline,
        pictures,
        hole,
        emotion=pipeline.emotion_set.neutral,
        seeds=list(range(seed, seed + len(pictures))),
        variation=variation,
        face="whole image",
    )
    shifted = shift_portraits(pipeline, latent, pipeline.vector(emotion), 1.0)
    return render(pipeline, latent), render(pipeline, shifted)


def face_of(pictures: Tensor) -> Tensor:
    """What the public networks are shown of pictures [B,3,S,S]."""
    margin = round(MARGIN * pictures.shape[-1])
    return pictures[..., margin:-margin, margin:-margin]


def _between(descriptors: Tensor, identity: list[str]) -> tuple[float | None, float | None]:
    """Mean distance of pictures of one person, and of two people."""
    distance = torch.cdist(descriptors, descriptors)
    same: list[float] = []
    other: list[float] = []
    for i, j in combinations(range(len(identity)), 2):
        (same if identity[i] == identity[j] else other).append(distance[i, j].item())
    return (sum(same) / len(same) if same else None), (sum(other) / len(other) if other else None)


def _mean(values: Tensor) -> float:
    return values.float().mean().item()
