"""Pictures as artists bring them: photoreal faces of every age, skin and light, each with a truth under its hole.

Rendered faces flatter a model that was made from them. Here it is asked for the emotion that the picture shows, and
what it fills in is held against what was there, in light and colour (PSNR) and in fineness (`octaves`); and it is asked
what needs no truth: whether the slider moves the expression, whether it is still the same person, and whether a grey
picture stays grey and a dark one dark. The pictures go the way that a picture goes in the product, at 512 pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ecgan_core.face.frame import frame_of_image
from ecgan_core.face.portrait import complete_portraits, render
from ecgan_core.face.regions import region_hole
from ecgan_core.pipeline import ECGANPipeline

from ..data.light import luminance
from ..learning.losses import shades
from .face_api import SAME_PERSON
from .metrics import mean_in, psnr_in
from .octaves import octaves_in
from .photographs import Photographs, PublicNetworks, edited_pair

SIDE = 512
HOLES = ("mouth", "lower face", "whole face")
JUDGED = HOLES[:2]  # of a whole face nothing is left that tells who it is
SHEET = 24
RISE = 0.1  # of a probability, by the slider from 0 to 1: less may be chance
DARK = 0.3
FACE = (0.2, 0.25, 0.8, 0.9)  # x0, y0, x1, y1 of what is surely face, as shares of the side


@dataclass(frozen=True)
class Filled:
    """Figures of one kind of hole, means over all faces."""

    hole: str
    psnr: float
    octaves: list[float]  # energy as a share of the truth's, the finest octave first
    rises: float | None  # share of faces whose P(emotion) rises by `RISE`; None where nobody judged it
    same_person: float | None  # share of them that are the same person at α = 1
    darker: float  # than the truth, 0..255, beyond what an expression may darken: see `losses.shades`
    darker_moved: float | None  # the same at α = 1


@dataclass(frozen=True)
class BroughtResult:
    """Figures of the pictures of one source."""

    source: str
    faces: int
    emotion: str | None  # that the slider moved to, if anybody judged it
    holes: list[Filled]
    colour: float  # in the mouth's hole of the pictures in black and white: mean spread of a pixel's channels, 0..255
    glow: float  # brightest in the mouth's hole over the brightest of the visible face, of pictures darkened to `DARK`


def measure_brought(
    pipeline: ECGANPipeline, photographs: Photographs, public: PublicNetworks | None, variation: float
) -> tuple[BroughtResult, Tensor]:
    """The figures of pictures [N,3,512,512], and a sheet [rows,3,3,512,512] in −1..1 of the first ones, unselected: the
    picture, its mouth filled, its lower face filled.

    Raises:
        UnknownEmotion: the model does not have an emotion that a picture is labelled with, or that is judged.
    """
    pictures, emotions = photographs.pictures, photographs.emotion
    holes, sheet = [], [pictures[:SHEET]]
    for kind in HOLES:
        hole = hole_of(kind)
        filled = completed(pipeline, pictures, hole, emotions, variation)
        rises, same, moved = None, None, None
        if public and kind in JUDGED:
            rises, same, moved = judged(pipeline, pictures, hole, public, variation)
        missing = (hole > 0).float().expand(len(pictures), -1, -1, -1)
        octaves = octaves_in(filled, pictures, missing).nanmean(dim=0).tolist()
        psnr = psnr_in(2 * filled, 2 * pictures, missing).mean().item()
        holes.append(Filled(kind, psnr, octaves, rises, same, darker(filled, pictures, hole), moved))
        if kind in JUDGED:
            sheet.append(filled[:SHEET])
    mouth = hole_of("mouth")
    grey = completed(pipeline, luminance(pictures).expand(-1, 3, -1, -1), mouth, emotions, variation)
    dark = completed(pipeline, DARK * pictures, mouth, emotions, variation)
    result = BroughtResult(
        source=photographs.source,
        faces=len(pictures),
        emotion=public.emotion if public else None,
        holes=holes,
        colour=255 * mean_in(grey.amax(dim=1, keepdim=True) - grey.amin(dim=1, keepdim=True), mouth).mean().item(),
        glow=glow(dark, mouth).mean().item(),
    )
    return result, torch.stack(sheet, dim=1) * 2 - 1


def hole_of(kind: str) -> Tensor:
    """The hole [1,1,512,512] of every picture, as Face Hole makes it."""
    return region_hole(frame_of_image(SIDE, SIDE), SIDE, SIDE, kind)[None]


def completed(pipeline: ECGANPipeline, pictures: Tensor, hole: Tensor, emotions: list[str], variation: float) -> Tensor:
    """The pictures with their holes filled, each in its own emotion and with its number as the seed."""
    return torch.cat(
        [
            render(
                pipeline,
                complete_portraits(
                    pipeline,
                    picture[None],
                    hole,
                    emotion=emotion,
                    seeds=[seed],
                    variation=variation,
                    face="whole image",
                ),
            )
            for seed, (picture, emotion) in enumerate(zip(pictures, emotions, strict=True))
        ]
    )


def judged(
    pipeline: ECGANPipeline, pictures: Tensor, hole: Tensor, public: PublicNetworks, variation: float
) -> tuple[float, float, float]:
    """The share of faces whose P(emotion) rises by `RISE` from α = 0 to 1, and of those that stay the same person; and
    how much darker they are there.
    """
    rises, same, dark = [], [], []
    for seed, picture in enumerate(pictures):
        neutral, shown = edited_pair(pipeline, picture[None], hole, public.emotion, seed, variation)
        rises.append(public.probability(shown) - public.probability(neutral) >= RISE)
        same.append((public.person(shown) - public.person(picture[None])).norm(dim=1) < SAME_PERSON)
        dark.append(darker(shown, picture[None], hole))
    return torch.cat(rises).float().mean().item(), torch.cat(same).float().mean().item(), sum(dark) / len(dark)


def darker(pictures: Tensor, truth: Tensor, hole: Tensor) -> float:
    """How much darker holes [1,1,S,S] are than the truth, wherever in them, of pictures [B,3,S,S] in 0..1; 0 to 255."""
    holes, known = (hole > 0).float().expand(len(truth), -1, -1, -1), torch.zeros(len(truth))
    return 255 / 2 * shades(2 * pictures - 1, 2 * truth - 1, holes, known).item()


def glow(pictures: Tensor, hole: Tensor) -> Tensor:
    """Brightest in a hole over brightest of the face around it, [B], of pictures [B,3,S,S] in 0..1."""
    light, side = luminance(pictures), pictures.shape[-1]
    x0, y0, x1, y1 = (round(share * side) for share in FACE)
    face = torch.zeros_like(hole)
    face[..., y0:y1, x0:x1] = 1
    inside, around = ((light * place).flatten(1).amax(dim=1) for place in ((hole > 0).float(), face * (hole == 0)))
    return inside / around.clamp(min=1e-6)
