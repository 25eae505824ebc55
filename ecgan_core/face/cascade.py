"""scikit-image's LBP cascade: where in a picture it looks, how large, and what its hits amount to.

Most of a search goes into small windows, of which a picture has thousands: two thirds of the time for those below a
tenth of the picture. So whoever knows where the faces have to be says so, and is given the large ones first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PIL import Image

from .frame import Box

MIN_HITS = 3  # a face is hit by dozens of neighbouring windows, chance by one or two
SEARCH_MARGIN = 0.12  # added around the picture, so that a face that fills it can still be found
SMALLEST = 40  # side of the smallest window, in pixels of the searched picture
GROWTH = 1.1  # from one size of windows to the next
# Of the sizes of windows, the first one of each look (above a third of the picture, a quarter, an eighth, and all;
# there are eight times as many of half the size), and how many times smaller a picture is enough for that look.
COARSE_TO_FINE = ((15, 2), (12, 1), (5, 1), (0, 1))
BRIGHTNESS = (0.2125, 0.7154, 0.0721, 0)  # of red, green and blue: the cascade's own, when it is given colours
CLOUD = 1.6  # windows of one face differ by no more than this in size, and lie about 0.43 sides apart
NEAR = 1.57  # a window of a face whose frame touches a place ends this many of its sides from it


class Extent(NamedTuple):
    """An upright part of a picture, in pixels; right and bottom are the first ones outside."""

    left: float
    top: float
    right: float
    bottom: float


class View(NamedTuple):
    """A picture turned about its middle, with a margin; `scale` pixels for each of its own."""

    pixels: np.ndarray
    scale: float
    turn: float


class Looked(NamedTuple):
    """What has been seen in a picture so far: `boxes`, of which those at least `whole` large have all their hits."""

    boxes: list[Box]
    whole: float


def search(image: np.ndarray, longer_side: int, turns: Sequence[float], near: Extent | None = None) -> Iterator[Looked]:
    """The faces in a picture uint8 [H,W,3] that are seen at one size of it and at each of some turns, in its pixels.

    With `near`, only windows whose face may have to do with that part of the picture are looked at, and the answer
    comes several times, each more complete: large faces first. How a face is seen does not depend on how
    much of the picture is.
    """
    picture = Image.fromarray(image)
    if near is not None:
        brightness = picture.convert("L", BRIGHTNESS)  # a third of what colours take
        yield from _search_near(brightness, longer_side, turns, near)
        return
    views = _views(picture, longer_side, turns)
    seen = [_in_picture(windows(view.pixels, SMALLEST, max(view.pixels.shape[:2])), view) for view in views]
    yield Looked(_boxes(seen, turns, picture.size), 0)


def _search_near(picture: Image.Image, longer_side: int, turns: Sequence[float], near: Extent) -> Iterator[Looked]:
    seen = [np.empty((0, 3)) for _ in turns]
    views: list[View] = []
    seen_at, end = 0, math.inf
    for step, smaller in COARSE_TO_FINE:
        if smaller != seen_at:
            seen_at = smaller
            views = [v._replace(pixels=around_zero(v.pixels)) for v in _views(picture, longer_side // smaller, turns)]
        smallest = SMALLEST / smaller
        sizes = [size for size in (smallest * GROWTH**k for k in range(step, 60)) if size * smaller < end]
        for i, view in enumerate(views):
            found = windows_near(view.pixels, sizes, _in_view(near, view, picture.size))
            seen[i] = np.concatenate([_in_picture(found, view), seen[i]])
        end = sizes[0] * smaller
        whole = CLOUD * end * max(picture.size) / longer_side if step else 0
        yield Looked(_boxes(seen, turns, picture.size), whole)


def _views(picture: Image.Image, longer_side: int, turns: Sequence[float]) -> list[View]:
    scale = longer_side / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    small = np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC))
    margin = round(SEARCH_MARGIN * longer_side)
    small = np.pad(small, [(margin, margin)] * 2 + [(0, 0)] * (small.ndim - 2), mode="edge")
    middle, side = (small.shape[1] / 2, small.shape[0] / 2), max(small.shape[:2])
    pixels = (small if not turn else look(Image.fromarray(small), middle, side, turn) for turn in turns)
    return [View(seen, scale, turn) for seen, turn in zip(pixels, turns, strict=True)]


def _in_picture(found: np.ndarray, view: View) -> np.ndarray:
    """Windows of a view in pixels of its picture, from its middle: right and below along the view's own axes."""
    height, width = view.pixels.shape[:2]
    return (found - np.array([width / 2, height / 2, 0])) / view.scale


def _in_view(near: Extent, view: View, size: tuple[int, int]) -> Extent:
    """The upright part of a view that has all of a part of its picture, `size` large, in it."""
    cos, sin = math.cos(math.radians(view.turn)), math.sin(math.radians(view.turn))
    height, width = view.pixels.shape[:2]
    corners = [(x - size[0] / 2, y - size[1] / 2) for x in (near.left, near.right) for y in (near.top, near.bottom)]
    across = [(x * cos + y * sin) * view.scale + width / 2 for x, y in corners]
    down = [(y * cos - x * sin) * view.scale + height / 2 for x, y in corners]
    return Extent(min(across), min(down), max(across), max(down))


def _boxes(seen: Sequence[np.ndarray], turns: Sequence[float], size: tuple[int, int]) -> list[Box]:
    """The clouds of windows seen at each turn of a picture, as boxes in its pixels."""
    boxes = []
    for found, turn in zip(seen, turns, strict=True):
        cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        for (x, y, side), hits in group(found):
            right, below = x + side / 2, y + side / 2
            across, down = right * cos - below * sin, right * sin + below * cos
            boxes.append(Box(across + (size[0] - side) / 2, down + (size[1] - side) / 2, side, side, float(turn), hits))
    return boxes


@lru_cache(maxsize=1)
def _cascade():
    from skimage import data  # a second to import, and only the finder needs it
    from skimage.feature import Cascade

    return Cascade(data.lbp_frontal_face_cascade_filename())


def around_zero(brightness: np.ndarray) -> np.ndarray:
    """A picture uint8 [H,W] as the cascade takes it here: whole numbers around 0, int32.

    The cascade compares sums of pixels, and takes them from sums over all of the picture in float32. Of whole numbers
    around 0 these are exact, so that a window is judged alike in a picture and in a part of it.
    """
    return brightness.astype(np.int32) - round(float(brightness.mean()))


def windows(image: np.ndarray, smallest: float, largest: float) -> np.ndarray:
    """All windows (x, y, side) [N,3] of a picture, in colours or `around_zero`, that the cascade takes for faces."""
    found = _cascade().detect_multi_scale(
        image,
        scale_factor=GROWTH,
        step_ratio=1.0,
        min_size=(smallest, smallest),
        max_size=(largest, largest),
        min_neighbor_number=1,
        intersection_score_threshold=1.1,  # above 1: never merge, we do that better
    )
    return np.array([(w["c"], w["r"], w["width"]) for w in found], dtype=float).reshape(-1, 3)


def windows_near(image: np.ndarray, sizes: Sequence[float], near: Extent) -> np.ndarray:
    """Windows of some sizes, from small to large, of the faces near a part of a picture `around_zero`; see `windows`.

    Windows stand on a grid whose step depends on their size: what is cut out starts on it, so that it has the same.
    """
    found = []
    for size in sizes:
        step, reach = round(size / 24), NEAR * size  # 24: the side of the cascade's own window
        left, top = (max(0, math.floor((edge - reach) / step) * step) for edge in (near.left, near.top))
        right, bottom = (math.ceil(edge + reach) for edge in (near.right, near.bottom))
        part = image[top:bottom, left:right]
        if part.size > image.size / 2:  # the larger ones have few windows, and may look everywhere at once
            found.append(windows(image, size, sizes[-1] * GROWTH**0.5))
            break
        if min(part.shape) > size:
            found.append(windows(part, size, size * GROWTH**0.5) + np.array([left, top, 0]))
    return np.concatenate(found) if found else np.empty((0, 3))


def look(image: Image.Image, centre: tuple[float, float], side: int, turn: float) -> np.ndarray:
    """A square of a picture around a point, seen with the head tilted by `turn`; black beyond the picture."""
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    x = centre[0] - (cos - sin) * side / 2
    y = centre[1] - (sin + cos) * side / 2
    turned = image.transform(
        (side, side), Image.Transform.AFFINE, (cos, -sin, x, sin, cos, y), Image.Resampling.BILINEAR
    )
    return np.asarray(turned)


def group(windows: np.ndarray) -> list[tuple[list[float], int]]:
    """Means of the clouds of square windows [N,3] (x, y, side) and their hits, the most populous first.

    Take the window with the most neighbours, answer with their mean, drop all that overlaps it, and go on.
    """
    groups = []
    while len(windows):
        areas = windows[:, 2] ** 2
        overlap = _intersection(windows[:, None], windows[None])
        near = overlap / (areas[:, None] + areas[None] - overlap) > 0.4
        centre = near.sum(axis=1).argmax()
        hits = int(near[centre].sum())
        if hits < MIN_HITS:
            break
        mean = windows[near[centre]].mean(axis=0)
        groups.append((mean.tolist(), hits))
        covered = _intersection(windows, mean) / np.minimum(areas, mean[2] ** 2) >= 0.5
        windows = windows[~(covered | near[centre])]
    return groups


def _intersection(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Area that square windows a and b (..., 3) share."""
    low = np.maximum(a[..., :2], b[..., :2])
    high = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:])
    return np.clip(high - low, 0, None).prod(axis=-1)
