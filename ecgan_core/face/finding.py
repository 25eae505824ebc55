"""Where the faces are: finding them, levelling them, and choosing those that a hole is about.

scikit-image's LBP cascade answers with every window that it takes for a face. A real face draws a cloud of them: the
mean of the cloud is about twice as steady as the cascade's own grouping, and its size tells faces from chance. The
cascade knows faces up to about 15° from upright, so tilted ones are looked for in turned pictures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .cascade import BRIGHTNESS, MIN_HITS, SMALLEST, Extent, around_zero, look, search, windows
from .frame import Box, Frame, frame_of_face, frame_of_image
from .stitch import distance_from_middle, extent, share_hole

__all__ = [
    "Box",
    "Frame",
    "NoFaceFound",
    "choose_face",
    "choose_faces",
    "faces_near",
    "find_faces",
    "frame_of_face",
    "frame_of_image",
    "is_covered",
    "is_sure",
    "level",
    "likely",
]

MIN_HITS_LATER = 8  # the later searches look at many more places, so chance hits more often
# The search goes on until it has found enough: the picture's longer side when it is searched, turns in degrees, and how
# many hits are needed there.
SEARCHES = (
    (512, (0,), MIN_HITS),
    (512, (-22, 22, -44, 44), MIN_HITS_LATER),
    (1024, (0,), MIN_HITS_LATER),
)
SURE_HITS = 12  # upright faces draw 16 to 100, chance rarely more than 10
WEAK = 0.3  # a box with less than this share of the surest one's hits may be chance

LEVEL_WINDOW = 112  # the side of the picture of a face whose tilt is measured
LEVEL_CONTEXT = 1.45  # its side, in sides of the face
LEVEL_STEP, LEVEL_REACH = 6, 24  # degrees between two looks, and how far from the best look others count
GLANCE, UPRIGHT = (-12, 0, 12), 3.0  # degrees: a first look at a face, and a tilt that then needs no other
LEVEL_FROM = 8.0  # a tilt below this is not told from measurement noise: upright faces measure up to 7

COVERED = 0.8  # of the hole in the frames of known faces: no need to look for more
MEANINGFUL = 0.01  # a further face is meant if the hole covers this share of it


NO_FACE = (
    "no face was found in the picture; give a box around the face, or choose 'whole image' if the picture is a single "
    "upright face"
)


class NoFaceFound(ValueError):
    """No face could be found in a picture; the text says what to do."""


# Finding ---


def is_sure(boxes: Sequence[Box]) -> bool:
    """Whether one of the boxes is certainly a face."""
    return any(box.hits >= SURE_HITS for box in boxes)


def find_faces(
    image: np.ndarray, enough: Callable[[Sequence[Box]], bool] = is_sure, hole: Tensor | None = None
) -> list[Box]:
    """Frontal faces in a picture uint8 [H,W,3], tilted by up to 55°, the surest first; an empty list if there are none.

    Args:
        image: the picture.
        enough: asked with what has been found so far, tells whether the search may stop. Upright faces are looked for
            first, then tilted ones, then small ones.
        hole: [1,H,W], 1 = to fill. With one only the faces near it are looked for, the large ones first; the search
            also stops as soon as nothing of it is left that could be about a smaller face.
    """
    found: list[Box] = []
    near = None if hole is None else _place_of(hole)
    for longer_side, turns, least in SEARCHES:
        before, smallest = found, SMALLEST * max(image.shape[:2]) / longer_side
        for boxes, whole in search(image, longer_side, turns, near):
            found = _merged(before, [box for box in boxes if box.hits >= least])
            if hole is not None and whole and _is_settled([b for b in found if b.width >= whole], hole, smallest):
                return sorted(found, key=lambda box: -box.hits)
        if found and enough(found):
            break
    return sorted(found, key=lambda box: -box.hits)


def faces_near(image: np.ndarray, hole: Tensor) -> list[Box]:
    """The faces in a picture uint8 [H,W,3] that a hole [1,H,W] may be about; if it is near none, those there are."""
    enough = partial(is_covered, hole=hole)
    found = find_faces(image, enough, hole)
    if found and max(_coverage(found, hole)[1]) > 0:
        return found
    return find_faces(image, enough)


def _merged(found: Sequence[Box], seen: Sequence[Box]) -> list[Box]:
    """What was found and what has been seen since; of boxes on top of each other the one that is the face."""
    found = list(found)
    for box in sorted(seen, key=lambda box: -box.hits):
        rivals = [other for other in found if _overlap(box, other) >= 0.5]
        if all(_beats(box, other) for other in rivals):
            found = [other for other in found if other not in rivals] + [box]
    return found


def _place_of(hole: Tensor) -> Extent:
    rows, columns = extent(hole, (slice(0, hole.shape[-2]), slice(0, hole.shape[-1])))
    return Extent(columns.start, rows.start, columns.stop, rows.stop)


def _is_settled(boxes: Sequence[Box], hole: Tensor, smallest: float) -> bool:
    """Whether so little of the hole [1,H,W] is beside these boxes that it is about no further face `smallest` wide."""
    sure = [box for box in likely(boxes) if box.hits >= SURE_HITS]
    if not sure:
        return False
    on_face, in_frame = _coverage(sure, hole)
    whole = _area(hole)
    return sum(on_face) >= whole / 2 and whole - sum(in_frame) < MEANINGFUL * smallest**2


def _overlap(a: Box, b: Box) -> float:
    """The share of the smaller of two boxes that lies in the other, as if both were upright."""
    wide = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    high = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    return max(wide, 0) * max(high, 0) / min(a.width * a.height, b.width * b.height)


def _beats(box: Box, other: Box) -> bool:
    """Which of two boxes on top of each other is the face.

    A tilted face is seen at more than one turn, as large, and draws most hits at the right one. Parts of a face are
    taken for small faces: of boxes that differ much in size the larger is the face, unless only the smaller is sure.
    """
    areas = box.width * box.height, other.width * other.height
    if max(areas) <= 3 * min(areas):
        return box.hits > other.hits
    return (box.hits >= SURE_HITS, areas[0]) > (other.hits >= SURE_HITS, areas[1])


# Levelling ---


def level(image: np.ndarray, box: Box) -> Box:
    """The box with the tilt of the face in it; `roll` is exactly 0 where none can be told from measurement noise.

    The face is looked at from many angles; the cascade's hits cluster around the true one (within 4° in 9 of 10
    photographs, 6° in renderings). A box of the finder's that is tilted is also placed anew, as seen upright; somebody
    else's stays where it is.

    Args:
        image: the picture, uint8 [H,W,3].
        box: of the finder, or of somebody else (`hits` 0); a roll that somebody else gives is kept.
    """
    if box.roll and not box.hits:
        return box
    view, scale = _surroundings(image, box)
    start = round(box.roll / LEVEL_STEP) * LEVEL_STEP
    seen = {start + turn: _windows_at(view, scale, start + turn) for turn in GLANCE}
    if box.hits and not start and _is_upright(seen):
        return replace(box, roll=0.0)
    reach = LEVEL_REACH + LEVEL_STEP if box.hits else 54
    turns = (turn for turn in range(-reach, reach + 1, LEVEL_STEP) if turn not in GLANCE)
    seen |= {start + turn: _windows_at(view, scale, start + turn) for turn in turns}
    angles, hits = _hits(seen)
    best = hits.argmax()
    if hits[best] < SURE_HITS:
        return replace(box, roll=0.0) if abs(box.roll) < LEVEL_FROM else box
    counted = hits * (abs(angles - angles[best]) <= LEVEL_REACH)
    roll = float((counted * angles).sum() / counted.sum())
    if abs(roll) < LEVEL_FROM:
        return replace(box, roll=0.0)
    if not box.hits:
        return replace(box, roll=roll)
    nearest = angles[abs(angles - roll).argmin()]
    found = seen[int(nearest)]
    right, below, side = found.mean(axis=0) if len(found) else (0, 0, max(box.width, box.height))
    cos, sin = math.cos(math.radians(nearest)), math.sin(math.radians(nearest))
    x, y = box.centre[0] + right * cos - below * sin, box.centre[1] + right * sin + below * cos
    return Box(x - side / 2, y - side / 2, side, side, roll, box.hits)


def _is_upright(seen: Mapping[int, np.ndarray]) -> bool:
    """Whether a glance at the face of an upright box is enough to know that no further look would find a tilt."""
    angles, hits = _hits(seen)
    return hits.max() >= SURE_HITS and abs((hits * angles).sum() / hits.sum()) < UPRIGHT


def _hits(seen: Mapping[int, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Angles, in order, and how many windows hold the face at each."""
    angles = sorted(seen)
    return np.array(angles, dtype=float), np.array([len(seen[angle]) for angle in angles])


def _surroundings(image: np.ndarray, box: Box) -> tuple[Image.Image, float]:
    """A small picture of a face `around_zero`, with room for every turn; and how many pixels of it each is."""
    size = max(box.width, box.height)
    side = round(LEVEL_WINDOW * math.sqrt(2))
    scale = size * LEVEL_CONTEXT / LEVEL_WINDOW
    left, top = (round(c - side * scale / 2) for c in box.centre)
    around = Frame(left, top, max(1, round(side * scale)))
    height, width = image.shape[:2]
    rows, columns = around.inside(height, width)
    part = image[rows, columns]
    if part.shape[:2] != (around.side, around.side):  # beyond the picture its edge goes on
        beyond = [
            (part.start - start, start + around.side - part.stop)
            for part, start in ((rows, around.y), (columns, around.x))
        ]
        part = np.pad(part, (*beyond, (0, 0)), mode="edge")
    small = Image.fromarray(part).resize((side, side), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return Image.fromarray(around_zero(np.asarray(small.convert("L", BRIGHTNESS)))), scale


def _windows_at(view: Image.Image, scale: float, angle: float) -> np.ndarray:
    """The windows [N,3] that hold the face in the middle of `_surroundings` at an angle.

    A window is given by how far right of and below the middle its own is, and by its side: in pixels of the
    picture, along the axes of the turned look.
    """
    face = LEVEL_WINDOW / LEVEL_CONTEXT
    turned = look(view, (view.width / 2, view.height / 2), LEVEL_WINDOW, angle)
    found = windows(turned, round(0.75 * face), round(1.35 * face))
    middles = found[:, :2] + found[:, 2:] / 2 - LEVEL_WINDOW / 2
    return np.concatenate([middles, found[:, 2:]], axis=1) * scale


# Choosing ---


def choose_face(boxes: Sequence[Box], hole: Tensor) -> Box:
    """The face that `hole` [1,H,W] (1 = to fill) is about; the first of `choose_faces`."""
    return choose_faces(boxes, hole)[0]


def choose_faces(boxes: Sequence[Box], hole: Tensor) -> list[Box]:
    """The faces that `hole` [1,H,W] (1 = to fill) is about, the one with most of it first.

    That is the face with most of the hole on it (or near it, if none is on a face; else the largest), and every further
    face of which the hole covers a meaningful part. Weak boxes, and those on top of a surer one, count only if there is
    no other near the hole.

    Raises:
        NoFaceFound: `boxes` is empty, or the hole is near none of them and the finder was sure of none.
    """
    if not boxes:
        raise NoFaceFound(NO_FACE)
    sound = likely(boxes)
    for candidates in (sound, list(boxes)):
        on_face, in_frame = _coverage(candidates, hole)
        if max(in_frame) > 0:
            break
    else:
        if hole.any() and all(0 < box.hits < SURE_HITS for box in boxes):
            raise NoFaceFound(NO_FACE)
        return [max(sound, key=lambda box: box.width * box.height)]

    def preference(index: int) -> tuple[float, float, float]:
        return on_face[index], in_frame[index], candidates[index].width * candidates[index].height

    first, *others = sorted(range(len(candidates)), key=preference, reverse=True)
    areas = [box.width * box.height for box in candidates]
    return [candidates[first]] + [candidates[i] for i in others if on_face[i] >= MEANINGFUL * areas[i]]


def is_covered(boxes: Sequence[Box], hole: Tensor) -> bool:
    """Whether nearly all of the hole [1,H,W] lies in the frames of boxes that are surely faces: no other is meant."""
    sure = [box for box in likely(boxes) if box.hits >= SURE_HITS]
    return bool(sure) and sum(_coverage(sure, hole)[1]) >= COVERED * _area(hole)


def likely(boxes: Sequence[Box]) -> list[Box]:
    """The boxes without weak ones and those on top of a surer one."""
    best = max((box.hits for box in boxes), default=0)
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda box: -box.hits):
        if box.hits >= WEAK * best and not any(_overlap(box, better) >= 0.5 for better in kept):
            kept.append(box)
    return kept


def _coverage(boxes: Sequence[Box], hole: Tensor) -> tuple[list[float], list[float]]:
    """How many pixels of the hole lie on each face, and how many in its frame; each pixel counts for one face."""
    frames = [frame_of_face(box) for box in boxes]
    on_face: list[float] = []
    in_frame: list[float] = []
    for box, frame, part in zip(boxes, frames, share_hole(hole, frames), strict=True):
        region = extent(part, frame.inside(*hole.shape[-2:]))  # a hole is often small, and a frame large
        part = part[0, region[0], region[1]]
        for place, sums in ((box, on_face), (frame, in_frame)):
            within = distance_from_middle(place, region, hole.device) <= 1
            sums.append(_area(part * within))
    return on_face, in_frame


def _area(hole: Tensor) -> float:
    """How many pixels a hole has. Rows are summed as they are, which is exact for 0 and 1 and takes a thirtieth."""
    return float(hole.sum(dim=-1).sum(dtype=torch.float64))
