"""How much of a face changes with its emotion that is not the emotion.

A neutral face is completed as neutral, and shifted to each emotion. What changes in the mouth and around eyes and brows
is taken for the emotion, what changes elsewhere in the hole for something else: *spill* is the second over the first.
Cheeks and chins do move with an expression, so spill has to be read beside that of real people who hold still.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ecgan_core.face.holes import region
from ecgan_core.networks.generator import composite
from ecgan_core.pipeline import ECGANPipeline

from ..data.faces import FaceSet, to_float
from ..evaluation.measure import Instruments, holes_for
from ..evaluation.metrics import l1_in
from .editing import Edit

HOLES = ("whole face", "lower face")
EXPRESSIVE = ("eyes", "mouth")  # regions that are taken for the emotion's
AT_ONCE = 64


@dataclass(frozen=True)
class Edited:
    """Figures of neutral faces that were moved to each emotion, means over all of them. Changes are 0..255."""

    edits: int
    recognised: float  # share that the judge reads as the emotion
    inside: float  # mean absolute change in the part of the hole that is of eyes, brows and mouth
    outside: float  # and in the rest of the hole
    spill: float  # outside / inside
    distance: float | None  # 1 − cosine of the identity network's embeddings, before and after


def neutral_pairs(faces: FaceSet, neutral: int) -> tuple[Tensor, Tensor]:
    """Indices of each person's neutral picture and of that with another emotion, for each that they were pictured with.

    Raises:
        ValueError: nobody was pictured with neutral and another emotion, holding still.
    """
    pairs = [
        (i, int(faces.pair[i, emotion]))
        for i in (faces.emotion == neutral).nonzero()[:, 0].tolist()
        for emotion in range(faces.looks.shape[1])
        if emotion != neutral and faces.pair[i, emotion] >= 0
    ]
    if not pairs:
        raise ValueError("nobody among the people to measure is there both neutral and with another emotion")
    source, truth = torch.tensor(pairs).unbind(1)
    return source, truth


@torch.no_grad()
def measure_edits(
    pipeline: ECGANPipeline, instruments: Instruments, faces: FaceSet, kind: str, edit: Edit, variation: float
) -> Edited:
    """Neutral faces with a hole of a kind, completed as neutral, then moved to each emotion at α = 1; the index of a
    face is its seed.
    """
    neutral = pipeline.emotion_set.neutral
    source, truth = neutral_pairs(faces, pipeline.emotion_set.index(neutral))
    wanted, seen = faces.emotion[truth], []
    for emotion in wanted.unique().tolist():
        for index in source[wanted == emotion].split(AT_ONCE):
            face = to_float(faces.faces[index])
            hole = holes_for(kind, len(face), face.shape[-1])
            latent = pipeline.complete(face, hole, emotion=neutral, seeds=index.tolist(), variation=variation)
            after = pipeline.decode(edit(latent, pipeline.emotion_set.names[emotion], 1.0))
            seen.append(compared(instruments, pipeline.decode(latent).cpu(), after.cpu(), hole, emotion))
    return summed_up(seen)


@torch.no_grad()
def measure_real(instruments: Instruments, faces: FaceSet, neutral: int, kind: str) -> Edited:
    """The same of real people: their neutral picture, and it with the hole of their picture with an emotion."""
    source, truth = neutral_pairs(faces, neutral)
    wanted, seen = faces.emotion[truth], []
    for emotion in wanted.unique().tolist():
        for i, j in zip(source[wanted == emotion].split(AT_ONCE), truth[wanted == emotion].split(AT_ONCE), strict=True):
            face, other = to_float(faces.faces[i]), to_float(faces.faces[j])
            hole = holes_for(kind, len(face), face.shape[-1])
            seen.append(compared(instruments, face, composite(face, other, hole), hole, emotion))
    return summed_up(seen)


def compared(
    instruments: Instruments, before: Tensor, after: Tensor, hole: Tensor, emotion: int
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Recognised, change inside and outside of the expressive regions, and identity distance; one [B] each."""
    expressive = torch.stack(
        [region(name, 1, hole.shape[-1], torch.Generator(), jitter=0) for name in EXPRESSIVE]
    ).amax(0)
    inside, outside = (l1_in(after, before, hole * where) for where in (expressive, 1 - expressive))
    distance = None
    if instruments.identity is not None:
        distance = 1 - (instruments.identity(before) * instruments.identity(after)).sum(1)
    return (instruments.judge(after).argmax(1) == emotion).float(), inside, outside, distance


def summed_up(seen: list[tuple[Tensor, Tensor, Tensor, Tensor | None]]) -> Edited:
    """Means over all edits; spill is the ratio of the means, as single faces may hardly change at all."""
    right, inside, outside = (torch.cat([part[k] for part in seen]) for k in range(3))  # type: ignore[misc]
    distances = [part[3] for part in seen if part[3] is not None]
    return Edited(
        len(right),
        right.mean().item(),
        inside.mean().item(),
        outside.mean().item(),
        outside.mean().item() / max(inside.mean().item(), 1e-9),
        torch.cat(distances).mean().item() if distances else None,
    )
