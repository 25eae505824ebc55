"""Which of the faces in a picture a hole is about."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..pipeline import PARTLY_MISSING
from .frame import Box, frame_of_face
from .stitch import Region, distance_from_middle, extent, share_hole

COVERED = 0.8  # of the hole in the frames of known faces: no need to look for more
MEANINGFUL = 0.01  # a further face is meant if the hole covers this share of it

NO_FACE = "no face was found in the picture"
GIVE_A_BOX = "give a box around the face, or choose 'whole image' if the picture is a single upright face"


class NothingToDo(ValueError):
    """Nothing can be done in a picture: the text says why, and what to do.

    Args:
        reason: what was wrong.
        advice: what to do.
        details: what belongs to the reason in this picture alone, such as a place.
    """

    def __init__(self, reason: str, advice: str, details: str = ""):
        super().__init__(f"{reason}{details}; {advice}")
        self.reason, self.advice, self.details = reason, advice, details

    def of_picture(self, number: int, count: int) -> NothingToDo:
        """The same, said of a picture of several, counted from 1."""
        where = f"picture {number} of {count}: " if count > 1 else ""
        return type(self)(f"{where}{self.reason}", self.advice, self.details)

    def of_all(self, count: int) -> NothingToDo:
        """The same, said of the first of several pictures, which all have something."""
        reason = f"there is nothing to be done in any of the {count} pictures: in the first {self.reason}"
        return type(self)(reason, self.advice, self.details)


class NoFaceFound(NothingToDo):
    """There is no face in a picture, or none that is meant."""

    def __init__(self, reason: str = NO_FACE, advice: str = GIVE_A_BOX, details: str = ""):
        super().__init__(reason, advice, details)


def choose_face(boxes: Sequence[Box], hole: Tensor) -> Box:
    """The face that `hole` [1,H,W] (1 = to fill) is about; the first of `choose_faces`."""
    return choose_faces(boxes, hole)[0]


def choose_faces(boxes: Sequence[Box], hole: Tensor) -> list[Box]:
    """The faces that `hole` [1,H,W] (1 = to fill) is about, the one with most of it first.

    That is the face with most of the hole on it (or near it, if none is on a face; else the largest), and every further
    face of which the hole covers a meaningful part. Of boxes on top of each other the first counts.

    Raises:
        NoFaceFound: `boxes` is empty.
    """
    if not boxes:
        raise NoFaceFound
    boxes = _distinct(boxes)
    on_face, in_frame = _coverage(boxes, hole)
    if max(in_frame) <= 0:
        return [max(boxes, key=lambda box: box.width * box.height)]

    def preference(index: int) -> tuple[float, float, float]:
        return on_face[index], in_frame[index], boxes[index].width * boxes[index].height

    first, *others = sorted(range(len(boxes)), key=preference, reverse=True)
    areas = [box.width * box.height for box in boxes]
    return [boxes[first]] + [boxes[i] for i in others if on_face[i] >= MEANINGFUL * areas[i]]


def is_covered(boxes: Sequence[Box], hole: Tensor, region: Region | None = None) -> bool:
    """Whether nearly all of the hole [1,H,W] lies in the frames of these faces: no other is meant.

    Args:
        region: the rows and columns outside of which the hole is empty, where they are known.
    """
    rows, columns = region or (slice(None), slice(None))
    return bool(boxes) and sum(_coverage(boxes, hole)[1]) >= COVERED * _area(hole[:, rows, columns])


def _distinct(boxes: Sequence[Box]) -> list[Box]:
    """The boxes without those on top of an earlier one."""
    kept: list[Box] = []
    for box in boxes:
        if not any(_overlap(box, other) >= 0.5 for other in kept):
            kept.append(box)
    return kept


def _overlap(a: Box, b: Box) -> float:
    """The share of the smaller of two boxes that lies in the other, as if both were upright."""
    wide = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    high = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    return max(wide, 0) * max(high, 0) / min(a.width * a.height, b.width * b.height)


def _coverage(boxes: Sequence[Box], hole: Tensor) -> tuple[list[float], list[float]]:
    """How many pixels of the hole lie on each face, and how many in its frame; each pixel counts for one face."""
    frames = [frame_of_face(box) for box in boxes]
    on_face: list[float] = []
    in_frame: list[float] = []
    for box, frame, part in zip(boxes, frames, share_hole(hole, frames), strict=True):
        region = extent(part, frame.inside(*hole.shape[-2:]), PARTLY_MISSING)  # often small, and a frame large
        part = part[0, region[0], region[1]]
        for place, sums in ((box, on_face), (frame, in_frame)):
            within = distance_from_middle(place, region, hole.device) <= 1
            sums.append(_area(part * within))
    return on_face, in_frame


def _area(hole: Tensor) -> float:
    """How many pixels a hole has. Rows are summed as they are, which is exact for 0 and 1 and takes a thirtieth.

    What is masked faintly, as the black of a compressed mask is, does not count.
    """
    return float((hole * (hole > PARTLY_MISSING)).sum(dim=-1).cpu().sum(dtype=torch.float64))
