"""Out of the picture and back into it: crop what a frame holds, share a hole between frames, blend a patch in.

A patch only ever changes pixels of the hole: everywhere else the picture stays as it is, bit for bit. Only the hole's
part of a picture is computed, so that a face costs the same in a large picture as in a small one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .frame import Box, Frame
from .masks import black

Region = tuple[slice, slice]  # rows and columns of a picture

AS_IT_IS = 0.2  # how much an enlarged patch is to go through the patch's pixels, beside shrinking to them


class Blend(NamedTuple):
    """How much of a patch each pixel of a region takes, `weights` [1,h,w] in 0..1; the others take nothing of it."""

    region: Region
    weights: Tensor


def crop(image: Tensor, frame: Frame, size: int) -> Tensor:
    """The frame's content, upright, [C,H,W] → [C,size,size]; outside the picture its edge is repeated.

    As sharp as the faces that networks are taught on, which are Lanczos's, and in the range of the frame's own values.
    It is rounded alike in whatever order the picture's values lie in memory.
    """
    square = (_turned_square(image, frame) if frame.roll else _square(image, frame)).contiguous()
    if frame.side == size:
        return square
    resized = F.interpolate(square[None], size=(size, size), mode="bicubic", antialias=True, align_corners=False)[0]
    return resized.clamp(square.min(), square.max())


def crop_hole(hole: Tensor, frame: Frame, size: int) -> Tensor:
    """How much of each of the frame's pixels is masked, hole [1,H,W] → [1,size,size], all in 0..1."""
    square = (_turned_square(hole, frame) if frame.roll else _square(hole, frame)).contiguous()
    if frame.side == size:
        return square
    return F.interpolate(square[None], size=(size, size), mode="bilinear", antialias=True, align_corners=False)[0]


def share_hole(hole: Tensor, frames: Sequence[Frame]) -> list[Tensor]:
    """The part of a hole [1,H,W] that belongs to each frame, [1,H,W] each; no pixel belongs to two.

    Where frames overlap, a pixel goes to the one whose middle is nearer, in sides of the frame. A single frame has the
    whole hole, also what lies outside it (`stitch_` leaves that alone).
    """
    if len(frames) == 1:
        return [hole]
    region = extent(hole, (slice(0, hole.shape[-2]), slice(0, hole.shape[-1])))
    least = distance_from_middle(frames[0], region, hole.device)
    nearest = torch.zeros_like(least, dtype=torch.int32)
    for number, frame in enumerate(frames[1:], start=1):
        distance = distance_from_middle(frame, region, hole.device)
        nearest[distance < least] = number
        least = torch.minimum(distance, least)
    within = hole[0, region[0], region[1]]
    parts = []
    for number in range(len(frames)):
        part = black(hole.shape, hole.device).to(hole.dtype)  # of a clip there are many
        theirs = (nearest == number) & (within > 0)
        part[0, region[0], region[1]][theirs] = within[theirs]
        parts.append(part)
    return parts


def blend_of(hole: Tensor, frame: Frame, feather: int = 0) -> Blend:
    """How a patch goes into its picture: the part of a hole [1,H,W] that is in the frame, feathered inwards.

    Args:
        hole: [1,H,W] in 0..1, 1 = to fill; values between blend.
        frame: where the patch belongs.
        feather: pixels over which the patch fades in, inside the hole only.

    The weight is 0 wherever the hole is 0, climbs to the hole's own value over `feather` pixels and never exceeds it.
    An edge of the hole that is soft already is taken as it is. In a hole too thin for the feather the weight climbs as
    fast as it must, so that the middle is always filled.
    """
    height, width = hole.shape[-2:]
    region = extent(hole, frame.inside(height, width))
    rows, columns = region
    part = hole[:, rows, columns]
    if not part.numel():
        return Blend(region, part)
    if frame.roll:
        part = part * (distance_from_middle(frame, region, hole.device) <= 1)
    if feather <= 1 or not part.any():
        return Blend(region, part)
    # Around the part there is nothing: where the frame cuts the hole the result fades out too. But at the picture's own
    # edge there is nothing to fade into, so the hole goes on.
    edges = ((rows.start > 0, rows.stop < height), (columns.start > 0, columns.stop < width))
    heights = np.pad(part[0].cpu().numpy().astype(np.float64) * feather, np.array(edges, dtype=int))
    ramp = climb(heights)
    top = ramp.max()  # less than the hole's own where it is too thin for the feather
    ramp *= heights.max() / (top * feather)
    ramp = ramp[int(edges[0][0]) :, int(edges[1][0]) :][: part.shape[-2], : part.shape[-1]]
    return Blend(region, torch.minimum(torch.from_numpy(ramp).to(part)[None], part))


def stitch_(
    image: Tensor,
    patch: Tensor,
    frame: Frame,
    blend: Blend,
    most: float = 1.0,
    finish: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Put a patch back into its picture, in place: it fills the hole, and nothing else changes. Returns the picture.

    Args:
        image: [C,H,W], 0..1.
        patch: [C,size,size], 0..`most`, what the model made of `crop(image, frame, size)`.
        frame: where the patch belongs.
        blend: how it goes in there, from `blend_of`.
        most: the largest value of what is filled in.
        finish: what is done to the blend's region [C,h,w] of the patch, at the picture's size, before it is blended.
    """
    region, weights = blend
    rows, columns = region
    if weights.numel():
        old = image[:, rows, columns]
        new = _patch_in_region(patch, frame, region).clamp(0, most)
        if finish is not None:
            new = finish(new).clamp(0, most)
        image[:, rows, columns] = torch.where(weights > 0, torch.lerp(old, new, weights.expand_as(old)), old)
    return image


def distance_from_middle(place: Frame | Box, region: Region, device: torch.device | str = "cpu") -> Tensor:
    """How far out in a frame or box each pixel of a region lies, [h,w]: 0 in its middle, 1 on its edge."""
    width, height = (place.side, place.side) if isinstance(place, Frame) else (place.width, place.height)
    across, down = from_middle(place, region, device)
    return torch.maximum(across.abs() / (width / 2), down.abs() / (height / 2))


# Geometry ---


def from_middle(place: Frame | Box, region: Region, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """Where the middles of a region's pixels lie in an upright frame: pixels right of and below its middle, [h,w]."""
    (rows, columns), (x, y), turn = region, place.centre, math.radians(place.roll)
    right = torch.arange(columns.start, columns.stop, columns.step or 1, device=device)[None] + 0.5 - x
    below = torch.arange(rows.start, rows.stop, rows.step or 1, device=device)[:, None] + 0.5 - y
    return right * math.cos(turn) + below * math.sin(turn), below * math.cos(turn) - right * math.sin(turn)


def _square(image: Tensor, frame: Frame) -> Tensor:
    height, width = image.shape[-2:]
    if 0 <= frame.x <= width - frame.side and 0 <= frame.y <= height - frame.side:
        return image[:, frame.y : frame.y + frame.side, frame.x : frame.x + frame.side]
    rows = torch.arange(frame.y, frame.y + frame.side, device=image.device).clamp(0, height - 1)
    columns = torch.arange(frame.x, frame.x + frame.side, device=image.device).clamp(0, width - 1)
    return image[:, rows][:, :, columns]


def _turned_square(image: Tensor, frame: Frame) -> Tensor:
    """What a turned frame holds, upright and as large as in the picture, [C,side,side]."""
    height, width = image.shape[-2:]
    (x, y), turn = frame.centre, math.radians(frame.roll)
    steps = torch.arange(frame.side, device=image.device) + 0.5 - frame.side / 2
    across, down = steps[None], steps[:, None]
    columns = x + across * math.cos(turn) - down * math.sin(turn)
    rows = y + across * math.sin(turn) + down * math.cos(turn)
    grid = torch.stack([2 * columns / width - 1, 2 * rows / height - 1], dim=-1)
    return F.grid_sample(image[None], grid[None].to(image), "bilinear", "border", align_corners=False)[0]


def _patch_in_region(patch: Tensor, frame: Frame, region: Region) -> Tensor:
    """A patch [C,size,size] as it lies in a region of the picture, [C,h,w]."""
    size = patch.shape[-1]
    if frame.side > size:
        fit, resizing = (matrix.to(patch) for matrix in (_spline_fit(size, frame.side), _spline(size, frame.side)))
        patch = fit @ patch @ fit.T
    else:
        resizing = _bicubic(size, frame.side).to(patch)
    if not frame.roll:
        rows, columns = (slice(s.start - o, s.stop - o) for s, o in zip(region, (frame.y, frame.x), strict=True))
        return patch[:, rows, columns] if size == frame.side else resizing[rows] @ patch @ resizing[columns].T
    across, down = from_middle(frame, region, patch.device)
    grid = torch.stack([across, down], dim=-1) * (2 / frame.side)
    upright = resizing @ patch @ resizing.T
    return F.grid_sample(upright[None], grid[None].to(patch), "bicubic", "border", align_corners=False)[0]


def _bicubic(size: int, side: int) -> Tensor:
    """Bicubic resizing of `size` pixels to `side` as a matrix [side,size]: some rows of a picture can be had alone."""
    rows = torch.eye(size)[None, None]
    return F.interpolate(rows, size=(side, size), mode="bicubic", antialias=side < size, align_corners=False)[0, 0]


def _spline(size: int, side: int) -> Tensor:
    """Cubic B-splines about `size` pixels at the middles of `side` pixels over the same length, [side,size]."""
    places = (torch.arange(side) + 0.5) * (size / side) - 0.5
    knots = torch.arange(-2, size + 2)
    away = (places[:, None] - knots).abs()
    near, far = (4 - 6 * away**2 + 3 * away**3) / 6, (2 - away).clamp(min=0) ** 3 / 6
    return torch.zeros(side, size).index_add_(1, knots.clamp(0, size - 1), torch.where(away < 1, near, far))


@lru_cache(maxsize=32)  # of a picture that is completed again and again, not of all frames of a clip
def _spline_fit(size: int, side: int) -> Tensor:
    """Pixels to the coefficients of the spline [size,size] that, at `side` pixels and shrunk by `crop`, is nearly them.

    So what a larger picture loses when it is cropped comes back where it is known: a photograph that goes there and
    back is nearer to what it was by 3 dB or more than if it were enlarged bicubically.
    """
    spline, through = _spline(size, side), _spline(size, size)
    shrunk = _bicubic(side, size) @ spline
    # Least squares: c with `shrunk` c ≈ patch, and a little with `through` c ≈ patch, the spline through its pixels. Of
    # what an only slightly larger picture lost, such as every second pixel's difference, nothing else tells.
    normal = shrunk.T @ shrunk + AS_IT_IS * through.T @ through
    return torch.linalg.solve(normal, (shrunk + AS_IT_IS * through).T)


def extent(hole: Tensor, region: Region, above: float = 0.0) -> Region:
    """The smallest part of a region that has all of the hole's pixels `above` a value; empty if there are none."""
    part = hole[0, region[0], region[1]]
    rows = _ends(part.amax(dim=1), above) if part.numel() else slice(0, 0)
    part = part[rows]  # of a hole in a large picture there are few rows, and its columns are found at once
    columns = _ends(part.amax(dim=0), above) if part.numel() else slice(0, 0)
    (top, left) = (whole.start for whole in region)
    return slice(top + rows.start, top + rows.stop), slice(left + columns.start, left + columns.stop)


def _ends(values: Tensor, above: float) -> slice:
    """From the first to the last of some values [N] that is above another."""
    found = (values > above).nonzero()
    return slice(int(found[0, 0]), int(found[-1, 0]) + 1) if len(found) else slice(0, 0)


# Blending ---


def climb(heights: np.ndarray) -> np.ndarray:
    """The highest surface below `heights` [H,W] that climbs at most 1 from a pixel to any of its eight neighbours.

    For a mask of 0 and n this is the distance to the nearest 0, up to n. Two sweeps over the rows are exact, and take
    as long for a wide feather as for a narrow one.
    """
    surface = heights.copy()
    steps = np.arange(heights.shape[1])
    for sweep in (surface, surface[::-1, ::-1]):
        above = None
        for row in sweep:
            if above is not None:
                np.minimum(row, above + 1, out=row)
                np.minimum(row[1:], above[:-1] + 1, out=row[1:])
                np.minimum(row[:-1], above[1:] + 1, out=row[:-1])
            np.minimum(row, np.minimum.accumulate(row - steps) + steps, out=row)
            above = row
    return surface
