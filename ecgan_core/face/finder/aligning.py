"""The model's frame of a face, from its features: eyes and mouth are to lie where those of the training pictures do."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from ..frame import FEATURE_WEIGHTS, Box, box_of_frame, similarity
from .blazeface import MESH_SIDE, networks
from .look import Look, seen

# Points of the mesh; left and right as seen in the picture.
LEFT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
RIGHT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
LIPS = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409),
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415),
)
NOSE = 1  # its tip
# Where the means of these are in the frame, in sides of it from its middle: medians over 900 photographs that are one.
# Those are aligned by their pupils alone; the mouth steadies the frames of heads that look aside.
USUAL = np.array([-0.1529 - 0.1306j, 0.1413 - 0.1304j, -0.0044 + 0.1783j])

ROOM = 1.5  # the side of the mesh's look, in sides of the face
LEVEL, TILTED = 1.0, 3.0  # degrees: a head up to the first counts as upright, from the second on as measured


class Aligned(NamedTuple):
    """A face as the mesh sees it.

    Args:
        box: the face.
        sureness: the logit of its being one, and upright in the look.
        aside: see `turned_aside`.
        seen: [3,192,192] in 0..1, what the mesh looked at.
    """

    box: Box
    sureness: float
    aside: float
    seen: Tensor


def align(picture: Tensor, looks: Sequence[Look]) -> list[Aligned]:
    """The face in each of some looks at a picture [3,H,W]."""
    views = seen(picture, looks, MESH_SIDE)
    points, sureness = networks().mesh(views)
    aligned = []
    for look, view, of_one, sure in zip(looks, views, points[..., :2], sureness, strict=True):
        aligned.append(Aligned(box_of(look.in_picture(of_one, MESH_SIDE)), float(sure), aside(of_one), view))
    return aligned


def aside(points: Tensor) -> float:
    """`turned_aside` of the points [468,2] of a face's mesh."""
    return turned_aside(points[list(LEFT_EYE)].mean(dim=0), points[list(RIGHT_EYE)].mean(dim=0), points[NOSE])


def turned_aside(left_eye: Tensor, right_eye: Tensor, nose: Tensor) -> float:
    """How far a nose [2] is beside the middle of the eyes, in their distance: about the tangent of the head's turn."""
    across = right_eye - left_eye
    return float((nose - (left_eye + right_eye) / 2) @ across / (across @ across).clamp(min=1e-6))


def box_of(points: Tensor) -> Box:
    """The face's box whose frame fits the points [468,2] of its mesh, in pixels of its picture.

    It is laid by eyes and mouth, see `similarity`.
    """
    actual = np.array([points[list(part)].mean(dim=0).tolist() for part in (LEFT_EYE, RIGHT_EYE, LIPS)]) @ (1, 1j)
    transform, middle = similarity(USUAL, actual, FEATURE_WEIGHTS)
    side, roll = abs(transform), math.degrees(cmath.phase(transform))
    return box_of_frame(middle.real, middle.imag, max(side, 1.0), _settled(roll), points)


def _settled(roll: float) -> float:
    """A roll that is exactly 0 for upright heads, so that their pixels stay their own, and does not jump from it."""
    size = abs(roll)
    if size >= TILTED:
        return roll
    return math.copysign(max(0.0, size - LEVEL) * TILTED / (TILTED - LEVEL), roll) if size > LEVEL else 0.0
