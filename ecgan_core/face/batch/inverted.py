"""A mask the wrong way round: it covers nearly everything around the faces, so that what lies on them is meant."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..choosing import NoFaceFound
from ..frame import Frame
from ..regions import region_hole
from ..stitch import distance_from_middle

AROUND = 0.9  # of what lies outside all frames: who masks as much of it did not mean to paint a face
LITTLE = 0.05  # of the picture outside all frames says nothing: then all of the picture has to be masked
LEFT = 0.1  # of the face masked, at least, or there is nothing on it that could be meant
SAMPLES = 256  # along the picture's shorter side, to see how much is masked

INVERTED = (
    "the mask looks inverted, because it covers nearly everything around the face: only what lies on the face was "
    "completed; where that is not what you mean, invert the mask or paint over the part of the face that shall change"
)


def without_surroundings(hole: Tensor, frames: Sequence[Frame]) -> Tensor | None:
    """The part of a hole [1,H,W] that lies on faces, where it looks inverted; None for any other hole.

    Args:
        hole: in 0..1, 1 = to fill.
        frames: of the faces that it is about.

    Raises:
        NoFaceFound: it looks inverted, and next to nothing of it lies on a face.
    """
    if not _looks_inverted(hole, frames):
        return None
    height, width = hole.shape[-2:]
    faces = torch.stack([region_hole(frame, height, width, "whole face") for frame in frames]).amax(dim=0).to(hole)
    on_faces = torch.minimum(hole, faces)
    if on_faces.sum() < LEFT * faces.sum():
        raise NoFaceFound(
            "the mask looks inverted: it covers nearly everything but the face",
            "invert it (in ComfyUI the node 'InvertMask' does), or paint over the part of the face that shall change",
        )
    return on_faces


def _looks_inverted(hole: Tensor, frames: Sequence[Frame]) -> bool:
    """Whether nearly all that lies outside the frames is masked; seen on a grid, so that it takes no time."""
    height, width = hole.shape[-2:]
    step = max(1, min(height, width) // SAMPLES)
    rows, columns = grid = slice(0, height, step), slice(0, width, step)
    masked = hole[0, rows, columns] > 0.5
    inside = torch.stack([distance_from_middle(frame, grid, hole.device) <= 1 for frame in frames]).any(dim=0)
    outside = ~inside
    if outside.sum() < LITTLE * outside.numel():
        return bool(masked.sum() >= AROUND * masked.numel())
    return bool((masked & outside).sum() >= AROUND * outside.sum())
