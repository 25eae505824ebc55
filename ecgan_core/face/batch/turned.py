"""Faces that are turned further aside than the model draws well: they are completed, and it is said."""

from __future__ import annotations

from collections.abc import Sequence

from ..finder.aligning import aside
from ..frame import Box

FURTHER = 0.4  # how far the nose is beside the middle of the eyes, in their distance; from some 33 degrees on

TURNED = (
    "the face is turned so far aside that what is drawn may not fit it: the model has seen few heads that are "
    "turned by more than some 30 degrees; look at it closely, and mask the lower face rather than the mouth alone"
)


def are_turned(faces: Sequence[Box]) -> bool:
    """Whether one of some faces is; of boxes that somebody else gave nothing is known."""
    return any(face.points is not None and abs(aside(face.points)) > FURTHER for face in faces)
