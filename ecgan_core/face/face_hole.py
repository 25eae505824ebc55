"""The hole over a part of the face in a picture: find the face, and lay the part over it."""

from __future__ import annotations

import torch
from torch import Tensor

from .choosing import NoFaceFound
from .finder.finding import find_faces
from .frame import Box, frame_of_face
from .places import portrait_frame
from .regions import region_hole


def face_hole(
    picture: Tensor,
    part: str,
    *,
    grow: float = 0.0,
    soften: float = 0.0,
    face: str = "auto",
    box: Box | None = None,
    all_faces: bool = False,
) -> Tensor:
    """The hole [1,H,W] in 0..1 over a part of the face in a picture [3,H,W] in 0..1.

    Args:
        part, grow, soften: see `region_hole`.
        face, box: where the face is, as in `portrait_frame`.
        all_faces: over every face that is found, where neither a box nor "whole image" says where it is.

    Raises:
        NoFaceFound: the finder sees no face.
        ValueError: there is no such part, or it lies outside the picture.
    """
    height, width = picture.shape[-2:]
    if box is None and face == "auto":
        found = find_faces(picture, all_faces)
        if not found:
            raise NoFaceFound
        seen = [(frame_of_face(one), one.points) for one in (found if all_faces else found[:1])]
    else:
        seen = [(portrait_frame(picture, None, face, box), None)]
    holes = [region_hole(frame, height, width, part, grow, soften, points) for frame, points in seen]
    hole = torch.stack(holes).amax(dim=0)
    if not hole.any():
        raise ValueError(
            f"the {part} of the face lies outside the picture, which is {width}×{height} pixels; correct the face box"
        )
    return hole
