"""The model's frame: the aligned square that the networks see, and where it lies around a face. No tensors here.

Angles are in degrees, clockwise as seen in the picture. What is turned is turned about its own middle: x, y and the
sides are those before the turn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

# Shares of the frame's side. "left" and "right" are as seen in the picture.
FRAME = {"left eye": (0.36, 0.365), "right eye": (0.64, 0.365), "mouth": (0.5, 0.675), "chin": (0.5, 0.885)}

FEATURE_WEIGHTS = (1.0, 1.0, 0.25)  # how much left eye, right eye and mouth count where a frame is laid by them

# From a face's box to its frame.
FRAME_PER_BOX = 1.27  # side of the frame, in sides of the box
FRAME_BELOW_BOX = 0.057  # how far the frame's centre lies below the box's, in sides of the box


@dataclass(frozen=True)
class Box:
    """A face, from the top of the forehead to the chin and from cheek to cheek, in pixels of its picture.

    Args:
        x, y, width, height: its left upper corner and its size, before the turn.
        roll: how far the head is tilted.
        points: [468,2], the face's mesh in pixels of its picture; None for a box that somebody else gave.
    """

    x: float
    y: float
    width: float
    height: float
    roll: float = 0.0
    points: Tensor | None = field(default=None, compare=False, repr=False)

    def __post_init__(self):
        if not (self.width > 0 and self.height > 0):
            raise ValueError(f"a face box must be wider and higher than 0, but it is {self.width:g}×{self.height:g}")
        if not all(map(math.isfinite, (self.x, self.y, self.width, self.height, self.roll))):
            raise ValueError(f"a face box must be made of finite numbers, but it is {self}")

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class Frame:
    """The square of a picture that the model sees. It may reach beyond the picture, whose edge is repeated.

    Args:
        x, y, side: the square before the turn, in whole pixels.
        roll: how far it is turned; at 0 its pixels are the picture's own.
    """

    x: int
    y: int
    side: int
    roll: float = 0.0

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.side / 2, self.y + self.side / 2

    def inside(self, height: int, width: int) -> tuple[slice, slice]:
        """Rows and columns that the frame reaches in a picture of height × width; empty if it reaches none."""
        left, top, right, bottom = self.x, self.y, self.x + self.side, self.y + self.side
        if self.roll:
            (x, y), turn = self.centre, math.radians(self.roll)
            reach = self.side / 2 * (abs(math.cos(turn)) + abs(math.sin(turn)))
            left, top = math.floor(x - reach), math.floor(y - reach)
            right, bottom = math.ceil(x + reach), math.ceil(y + reach)
        rows = slice(min(max(top, 0), height), max(min(bottom, height), 0))
        columns = slice(min(max(left, 0), width), max(min(right, width), 0))
        return rows, columns


def frame_of_face(box: Box) -> Frame:
    """The model's frame of a face in `box`, turned as the face is."""
    size = max(box.width, box.height)
    side = max(1, round(size * FRAME_PER_BOX))
    (x, y), turn = box.centre, math.radians(box.roll)
    x -= FRAME_BELOW_BOX * size * math.sin(turn)
    y += FRAME_BELOW_BOX * size * math.cos(turn)
    return Frame(round(x - side / 2), round(y - side / 2), side, box.roll)


def box_of_frame(x: float, y: float, side: float, roll: float, points: Tensor | None = None) -> Box:
    """The box of the face whose frame has its middle at x, y: the way back from `frame_of_face`."""
    size, turn = side / FRAME_PER_BOX, math.radians(roll)
    x += FRAME_BELOW_BOX * size * math.sin(turn)
    y -= FRAME_BELOW_BOX * size * math.cos(turn)
    return Box(x - size / 2, y - size / 2, size, size, roll, points)


def frame_of_image(height: int, width: int) -> Frame:
    """The smallest centred square around a whole picture, for pictures that are a face already."""
    side = max(height, width)
    return Frame((width - side) // 2, (height - side) // 2, side)


def similarity(usual: np.ndarray, actual: np.ndarray, weights: Sequence[float]) -> tuple[complex, complex]:
    """The transform from points to where they are seen, both [N] complex: by what they are multiplied, where 0 goes.

    The similarity transform in the plane that is off by the least squares, weighted (Umeyama 1991).
    """
    usual_middle, actual_middle = np.average(usual, weights=weights), np.average(actual, weights=weights)
    spread = np.asarray(weights) * (usual - usual_middle).conj()
    transform = complex((spread * (actual - actual_middle)).sum() / (spread * (usual - usual_middle)).sum())
    return transform, complex(actual_middle - transform * usual_middle)
