"""A hole over a named part of a face in its picture, so that nobody has to paint one.

The parts are those of `holes.REGIONS`, places in the model's frame that the networks were trained to fill. Here they
are laid over a picture of any size, through the frame of its face.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .finder.aligning import LEFT_EYE, LIPS, RIGHT_EYE
from .frame import Frame
from .holes import REGIONS
from .masks import black
from .stitch import Region, from_middle

PARTS = ("mouth", "eyes", "lower face", "upper face", "whole face")
_BROWS = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46, 336, 296, 334, 293, 300, 276, 283, 282, 295, 285)
_FOREHEAD = (10, 338, 297, 332, 284, 251, 389, 356, 109, 67, 103, 54, 21, 162, 127)
_JAW = (454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234)
_NOSE_BRIDGE, _NOSE_BASE = 195, 2
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)  # the face's outline, point after point
WITHIN = 0.01  # how far inside its outline a hole stays, in sides of the frame: the mesh errs by about as much
# What each part has to follow, points of the mesh, and where their left, top, right and lower ends usually are in the
# frame: medians over 900 photographs.
FEATURES = {
    "mouth": (LIPS, (0.353, 0.641, 0.640, 0.740)),
    "eyes": ((*LEFT_EYE, *RIGHT_EYE, *_BROWS), (0.230, 0.261, 0.760, 0.386)),
    "lower face": ((*_JAW[1:-1], _NOSE_BASE), (0.184, 0.517, 0.819, 0.885)),
    "upper face": ((*_FOREHEAD, _NOSE_BRIDGE), (0.177, 0.134, 0.824, 0.454)),
    "whole face": ((*_FOREHEAD, *_JAW), (0.177, 0.134, 0.824, 0.885)),
}
COVER = 1.25  # a little over the box's own ellipse, to cover its corners too, as in training


def region_hole(
    frame: Frame,
    height: int,
    width: int,
    part: str,
    grow: float = 0.0,
    soften: float = 0.0,
    ends: Sequence[float] | None = None,
    outline: Tensor | None = None,
) -> Tensor:
    """An ellipse over a part of the face in `frame`: [1,height,width] in 0..1, 1 = to fill.

    Args:
        frame: the square that the model sees of the picture; the ellipse is turned with it.
        part: one of `PARTS`.
        grow: by how much larger the part is, as a share of its size; below 0 smaller.
        soften: pixels over which the hole fades out, inwards from its edge; its middle is always 1.
        ends: left, top, right and lower end of the part in shares of the frame's side, of `ends_of`.
        outline: [N,2], points of the picture in order: the hole ends where the face does, before hair and background.

    Raises:
        ValueError: there is no such part, or nothing would be left of it.
    """
    if part not in REGIONS:
        raise ValueError(f"there is no part of the face called {part!r}; choose one of {', '.join(PARTS)}")
    if grow <= -1:
        raise ValueError(f"a part that grows by {grow:g} has no size left; grow must be above -1")
    ends = REGIONS[part] if ends is None else ends
    left, top, right, bottom = ((share - 0.5) * frame.side for share in ends)  # from the frame's middle
    radius = torch.tensor([(right - left) / 2, (bottom - top) / 2]) * (1 + grow) * COVER**0.5
    centre = torch.tensor([(left + right) / 2, (top + bottom) / 2])

    rows, columns = region = _around(frame, centre, float(radius.norm()), height, width)
    place = torch.stack(from_middle(frame, region, "cpu"), dim=-1)  # [h,w,2]
    offset = (place - centre) / radius
    distance = offset.norm(dim=-1).clamp(min=1e-6)  # 0 in the centre, 1 on the edge
    steepness = (offset / distance[..., None] / radius).norm(dim=-1)
    inwards = (1 - distance) / steepness  # pixels from the edge, to first order: exact on it and on the axes
    ramp = min(max(soften, 1.0), float(radius.min()))  # one pixel always fades, or the edge would be a staircase
    if outline is not None:
        inwards = torch.minimum(inwards, _depth(outline, inwards > 0, region) - WITHIN * frame.side)
    hole = black((1, height, width))
    hole[:, rows, columns] = (inwards / ramp).clamp(0, 1)
    return hole


def _around(frame: Frame, centre: Tensor, reach: float, height: int, width: int) -> Region:
    """The rows and columns of a picture that are within reach of a place in a frame, from the frame's middle [2]."""
    (across, down), turn = centre.tolist(), math.radians(frame.roll)
    x = frame.centre[0] + across * math.cos(turn) - down * math.sin(turn)
    y = frame.centre[1] + across * math.sin(turn) + down * math.cos(turn)
    rows, columns = (
        slice(min(max(math.floor(at - reach) - 1, 0), end), min(max(math.ceil(at + reach) + 1, 0), end))
        for at, end in ((y, height), (x, width))
    )
    return rows, columns


def outline_of(points: Tensor | None) -> Tensor | None:
    """The face's outline [36,2], point after point, of its mesh [468,2]; None where that is not known."""
    return None if points is None else points[list(OVAL)]


def inside_outline(hole: Tensor, outline: Tensor, side: float) -> Tensor:
    """A hole [1,H,W] without what of it lies beyond a face's outline, over a pixel.

    Args:
        outline: [N,2], points of the picture in order.
        side: of the face's frame.
    """
    everywhere = (slice(0, hole.shape[-2]), slice(0, hole.shape[-1]))
    inwards = _depth(outline.cpu(), (hole[0] > 0).cpu(), everywhere) - WITHIN * side
    return torch.minimum(hole, inwards.clamp(0, 1)[None].to(hole))


def _depth(outline: Tensor, where: Tensor, region: Region) -> Tensor:
    """How far inside a polygon [N,2] a region's pixels are, [h,w]; below 0 outside, and 0 where a mask is False."""
    rows, columns = where.nonzero(as_tuple=True)
    place = torch.stack([columns + region[1].start, rows + region[0].start], dim=-1) + 0.5
    nearest, crossed = torch.full(rows.shape, math.inf), torch.zeros(rows.shape, dtype=torch.bool)
    for start, end in zip(outline, outline.roll(-1, dims=0), strict=True):
        along = end - start
        share = ((place - start) @ along / along.square().sum().clamp(min=1e-12)).clamp(0, 1)
        nearest = torch.minimum(nearest, (place - start - share[:, None] * along).norm(dim=-1))
        between = (start[1] > place[:, 1]) != (end[1] > place[:, 1])  # a ray to the right crosses this side
        reach = start[0] + (place[:, 1] - start[1]) / (along[1] if along[1] else 1) * along[0]
        crossed ^= between & (place[:, 0] < reach)
    depth = torch.zeros(where.shape)
    depth[rows, columns] = torch.where(crossed, nearest, -nearest)
    return depth


def ends_of(part: str, frame: Frame, points: Tensor | None) -> list[float]:
    """Left, top, right and lower end of a part of a face, in shares of the frame's side.

    Args:
        points: [468,2], the face's mesh in the picture: each end is moved as far as this face's features end beyond
            where they usually do. None where it is not known.
    """
    if part not in REGIONS:
        raise ValueError(f"there is no part of the face called {part!r}; choose one of {', '.join(PARTS)}")
    if points is None:
        return list(REGIONS[part])
    chosen, usual = FEATURES[part]
    turn = math.radians(frame.roll)
    right, below = ((points[list(chosen)] - torch.tensor(frame.centre)) / frame.side).unbind(-1)
    across = right * math.cos(turn) + below * math.sin(turn) + 0.5
    down = below * math.cos(turn) - right * math.sin(turn) + 0.5
    own = (across.min(), down.min(), across.max(), down.max())
    return [float(end + is_ - was) for end, is_, was in zip(REGIONS[part], own, usual, strict=True)]
