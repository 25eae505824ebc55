"""A hole over a named part of a face in its picture, so that nobody has to paint one.

The parts are those of `holes.REGIONS`, places in the model's frame that the networks were trained to fill. Here they
are laid over a picture of any size, through the frame of its face.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .finding import find_faces, level, likely
from .frame import Box, Frame, frame_of_face
from .holes import REGIONS
from .portrait import pixels_of, portrait_frame
from .stitch import from_middle

PARTS = ("mouth", "eyes", "lower face", "upper face", "whole face")
COVER = 1.25  # a little over the box's own ellipse, to cover its corners too, as in training


def region_hole(frame: Frame, height: int, width: int, part: str, grow: float = 0.0, soften: float = 0.0) -> Tensor:
    """An ellipse over a part of the face in `frame`: [1,height,width] in 0..1, 1 = to fill.

    Args:
        frame: the square that the model sees of the picture; the ellipse is turned with it.
        part: one of `PARTS`.
        grow: by how much larger the part is, as a share of its size; below 0 smaller.
        soften: pixels over which the hole fades out, inwards from its edge; its middle is always 1.

    Raises:
        ValueError: there is no such part, or nothing would be left of it.
    """
    if part not in REGIONS:
        raise ValueError(f"there is no part of the face called {part!r}; choose one of {', '.join(PARTS)}")
    if grow <= -1:
        raise ValueError(f"a part that grows by {grow:g} has no size left; grow must be above -1")
    left, top, right, bottom = ((share - 0.5) * frame.side for share in REGIONS[part])  # from the frame's middle
    radius = torch.tensor([(right - left) / 2, (bottom - top) / 2]) * (1 + grow) * COVER**0.5
    centre = torch.tensor([(left + right) / 2, (top + bottom) / 2])

    place = torch.stack(from_middle(frame, (slice(0, height), slice(0, width)), "cpu"), dim=-1)  # [height,width,2]
    offset = (place - centre) / radius
    distance = offset.norm(dim=-1).clamp(min=1e-6)  # 0 in the centre, 1 on the edge
    steepness = (offset / distance[..., None] / radius).norm(dim=-1)
    inwards = (1 - distance) / steepness  # pixels from the edge, to first order: exact on it and on the axes
    ramp = min(max(soften, 1.0), float(radius.min()))  # one pixel always fades, or the edge would be a staircase
    return (inwards / ramp).clamp(0, 1)[None]


def _all_frames(picture: Tensor) -> list[Frame]:
    """The frames of all faces that are found, tilted and small ones too."""
    pixels = pixels_of(picture)
    found = find_faces(pixels, enough=lambda boxes: False)
    return [frame_of_face(level(pixels, box)) for box in likely(found)]


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
    frames = []
    if all_faces and box is None and face == "auto":
        frames = _all_frames(picture)
    if not frames:
        frames = [portrait_frame(picture, None, face, box)]  # says what to do if there is no face
    holes = [region_hole(frame, height, width, part, grow, soften) for frame in frames]
    hole = torch.stack(holes).amax(dim=0)
    if not hole.any():
        raise ValueError(
            f"the {part} of the face lies outside the picture, which is {width}×{height} pixels; correct the face box"
        )
    return hole
