"""Where the faces are: looked for where the hole is, at the size that it suggests, then wider.

The detector sees faces of a sixth of a look's side to all of it, at any turn; whether it is one is judged by the mesh
(`judging`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ...pipeline import PARTLY_MISSING
from ..choosing import is_covered
from ..frame import Box
from ..stitch import extent
from .aligning import turned_aside
from .blazeface import networks
from .judging import Candidate, Doubt, judged
from .look import Look, seen, turned

# The side of what the detector sees of a look: the more pixels, the smaller faces it finds.
GLANCE, SIZE, FINE, FINEST = 96, 128, 256, 768
WIDER = 5.0  # from one look to the next
BEYOND = 1.25  # the side of the widest look, in longer sides of the picture: faces are cut by its edges
SPAN, CLOSEST = 3.0, 112.0  # the first look's side: in sides of the hole, and in pixels at least

PROMISING = 0.0  # the logit of the detector's score from which a place is worth a second thought
ALONE = 0.4  # two places that overlap by more, as a share of the smaller, are one
COARSE = 24.0  # pixels: what the detector saw smaller is looked at again


def find_faces(picture: Tensor, all_faces: bool = False, doubts: list[Doubt] | None = None) -> list[Box]:
    """The faces in a picture [3,H,W] in 0..1, at any turn, the largest first; an empty list if there are none.

    Args:
        picture: the picture.
        all_faces: also small ones beside large ones; else the search ends with the first look that shows any.
        doubts: is given what looked like a face and was taken for none.
    """
    found: list[Box] = []
    doubts = [] if doubts is None else doubts
    look = _whole(picture)
    for size in (SIZE, FINE, FINEST):
        found = _with_faces(picture, detect(picture, [look], size), found, doubts)
        if found and not all_faces:
            break
    if not found:
        found = _with_faces(picture, detect(picture, turned(look), SIZE), found, doubts)
    return sorted(found, key=lambda box: -box.width)


def faces_near(picture: Tensor, hole: Tensor, doubts: list[Doubt] | None = None) -> list[Box]:
    """The faces in a picture [3,H,W] that a hole [1,H,W] may be about; if it is near none, those seen elsewhere.

    `doubts` is given what looked like a face near the hole and was taken for none.
    """
    doubts = [] if doubts is None else doubts
    # The black of a compressed mask is not quite 0: by that the hole would be the whole picture.
    rows, columns = extent(hole, (slice(0, hole.shape[-2]), slice(0, hole.shape[-1])), PARTLY_MISSING)
    if rows.start == rows.stop:
        return find_faces(picture, doubts=doubts)
    found: list[Box] = []
    elsewhere: list[Candidate] = []
    for looks, size in _looks(picture, rows, columns):
        near: list[Candidate] = []
        for candidate in detect(picture, looks, size):
            (near if _touches(candidate, rows, columns) else elsewhere).append(candidate)
        found = _with_faces(picture, near, found, doubts)
        if is_covered(found, hole, (rows, columns)):
            break
    return found or _with_faces(picture, _distinct(elsewhere), [], [])


def level(picture: Tensor, box: Box) -> Box:
    """Somebody's box, with the tilt of the face that is seen in it; a roll that is given with it is kept.

    Args:
        picture: [3,H,W] in 0..1.
        box: of the finder, which is level already, or of somebody else; of this one nothing but the roll changes.
    """
    if box.points is not None or box.roll:
        return box
    size = max(box.width, box.height)
    look = Look(*box.centre, 2 * size)
    for looks in ([look], turned(look)):
        for candidate in detect(picture, looks, SIZE):
            away = math.hypot(candidate.x - box.centre[0], candidate.y - box.centre[1])
            if away < size / 2 and 0.5 < candidate.side / size < 2:
                face = judged(picture, candidate)
                if isinstance(face, Box):
                    return replace(box, roll=face.roll)
    return box


# Where to look ---


def _looks(picture: Tensor, rows: slice, columns: slice) -> Iterator[tuple[list[Look], int]]:
    """Looks at the place of a hole, from those that most holes need to all of the picture; and their sizes."""
    x, y = (columns.start + columns.stop) / 2, (rows.start + rows.stop) / 2
    whole = _whole(picture)
    side = min(max(SPAN * (rows.stop - rows.start), SPAN * (columns.stop - columns.start), CLOSEST), whole.side)
    first = _within(Look(x, y, side), picture)
    yield [first], GLANCE
    while (side := side * WIDER) < whole.side:
        yield [_within(Look(x, y, side), picture)], SIZE
    if first.side < whole.side:
        yield [whole], SIZE
    yield [first], FINE
    yield turned(first), SIZE


def _whole(picture: Tensor) -> Look:
    height, width = picture.shape[-2:]
    return Look(width / 2, height / 2, BEYOND * max(height, width))


def _within(look: Look, picture: Tensor) -> Look:
    """The look moved so that it shows no more beyond the picture than it must."""
    beyond = (BEYOND - 1) / 2 * look.side
    x, y = (
        min(max(c, look.side / 2 - beyond), max(n - look.side / 2 + beyond, n / 2))
        if look.side < n + 2 * beyond
        else n / 2
        for c, n in ((look.x, picture.shape[-1]), (look.y, picture.shape[-2]))
    )
    return replace(look, x=x, y=y)


def _touches(candidate: Candidate, rows: slice, columns: slice) -> bool:
    """Whether a hole's rows and columns reach the frame of a candidate, whatever its turn."""
    reach = candidate.side
    across = columns.start - reach < candidate.x < columns.stop + reach
    return across and rows.start - reach < candidate.y < rows.stop + reach


# What is seen there ---


def detect(picture: Tensor, looks: Sequence[Look], size: int) -> list[Candidate]:
    """What the detector takes for faces in some looks at a picture [3,H,W], the surest first, each place once."""
    candidates = []
    for look, (scores, boxes, keypoints) in zip(
        looks, networks().detector(2 * seen(picture, looks, size) - 1), strict=True
    ):
        promising = scores > PROMISING
        scores, boxes, keypoints = (each[promising] for each in (scores, boxes, keypoints))
        while len(scores):  # what overlaps the best is the same face: their mean is steadier
            best = scores.argmax()
            near = _overlaps(boxes, boxes[best])
            near[best] = True  # a box without a size overlaps nothing, not even itself
            shares = scores[near].sigmoid()[:, None, None]
            box, features = ((each[near] * shares).sum(dim=0) / shares.sum() for each in (boxes, keypoints[:, :3]))
            left, right, nose = look.in_picture(features, size)
            roll = math.degrees(math.atan2(right[1] - left[1], right[0] - left[0]))
            x, y = look.in_picture(box[0], size).tolist()
            pixels = float(box[1].max())
            side, aside = pixels * look.side / size, turned_aside(left, right, nose)
            candidates.append(Candidate(float(scores[best]), x, y, side, roll, pixels, aside))
            scores, boxes, keypoints = (each[~near] for each in (scores, boxes, keypoints))
    return _distinct(sorted(candidates, key=lambda candidate: -candidate.score))


def _with_faces(
    picture: Tensor, candidates: Sequence[Candidate], found: Sequence[Box], doubts: list[Doubt]
) -> list[Box]:
    """What was found already, and the faces among some candidates that lie elsewhere; the others go to `doubts`."""
    boxes = list(found)
    for candidate in candidates:
        if any(_is_on(candidate, box) for box in boxes):
            continue
        face = judged(picture, candidate if candidate.pixels >= COARSE else _closer(picture, candidate))
        if not isinstance(face, Box):
            doubts.append(face)
        elif not any(_is_on(face, other) for other in boxes):
            boxes.append(face)
    return boxes


def _closer(picture: Tensor, candidate: Candidate) -> Candidate:
    """A candidate that was seen so small that its place is rough, seen larger."""
    again = detect(picture, [Look(candidate.x, candidate.y, SPAN * candidate.side)], GLANCE)
    return again[0] if again and 0.5 < again[0].side / candidate.side < 2 else candidate


def _is_on(face: Candidate | Box, other: Box) -> bool:
    """Whether two places are one face: the middle of the smaller lies well within the larger."""
    x, y, side = (face.x, face.y, face.side) if isinstance(face, Candidate) else (*face.centre, face.width)
    return math.hypot(x - other.centre[0], y - other.centre[1]) < 0.5 * max(side, other.width)


def _overlaps(boxes: Tensor, box: Tensor) -> Tensor:
    """Which of some boxes [N,2,2] (middle and size) share more than `ALONE` of the smaller's area with another."""
    sides, side = boxes[:, 1], box[1]
    shared = ((sides + side) / 2 - (boxes[:, 0] - box[0]).abs()).clamp(min=0)
    area = torch.minimum(shared, torch.minimum(sides, side)).prod(dim=1)
    return area > ALONE * torch.minimum(sides.prod(dim=1), side.prod())


def _distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Each place once, where several looks have seen it."""
    kept: list[Candidate] = []
    for candidate in candidates:
        reach = [0.5 * max(candidate.side, other.side) for other in kept]
        away = [math.hypot(candidate.x - other.x, candidate.y - other.y) for other in kept]
        if all(a >= r for a, r in zip(away, reach, strict=True)):
            kept.append(candidate)
    return kept
