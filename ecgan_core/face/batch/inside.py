"""Holes that end where the face does, so that hair and background stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...pipeline import PARTLY_MISSING
from ..choosing import NothingToDo
from ..finder.judging import mesh_in
from ..frame import Frame
from ..masks import black
from ..regions import inside_outline, outline_of


def inside_faces(picture: Tensor, hole: Tensor, frames: Sequence[Frame], meshes: Sequence[Tensor | None]) -> Tensor:
    """The part of a hole [1,H,W] that lies inside some faces of a picture [3,H,W]; the hole itself, where one has no
    outline to be seen.

    Args:
        frames: of the faces.
        meshes: of the faces, [468,2], where they are known already.

    Raises:
        NothingToDo: next to nothing of the hole is inside.
    """
    kept = black(hole.shape, hole.device)
    for frame, points in zip(frames, meshes, strict=True):
        outline = outline_of(mesh_in(picture, frame) if points is None else points)
        if outline is None:
            return hole
        torch.maximum(kept, inside_outline(hole, outline, frame.side), out=kept)
    if not (kept > PARTLY_MISSING).any():
        raise NothingToDo(
            "the mask lies outside the face's outline", "mask a part of the face, or turn inside_face off"
        )
    return kept
