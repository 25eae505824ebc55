"""Whether what the detector sees is a face that the model can complete, and if not, why: in one sentence.

The mesh says how sure it is that there is a face, upright in its look. Upright faces get a logit of 40 (nineteen in
twenty 20 or more), the same faces upside down 4, and what is no face hardly ever more than 5 (docs/faces.md). But drawn
faces get as much as photographs, and those seen from the side get some of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..choosing import GIVE_A_BOX, NO_FACE, NoFaceFound
from ..frame import Box, Frame, box_of_frame
from .aligning import ROOM, Aligned, align
from .look import Look, turned

SURE, FACE = 22.0, 16.0  # the mesh's logits of a face whose turn is beyond doubt, and of one at the best of four turns
SMALL, SMALL_FACE = 40.0, 12.0  # pixels: a face below is blurred, and less is asked of it
DISTINCT = 6.0  # by how much the best of four turns must be better than each other, unless it is sure
BOX_BELOW, FACE_PER_BOX = 0.1, 1.1  # how far the detector's box is below a face's, and a face's side, in its sides
GLIMPSES = 3  # more of a face, at most, until it lies in the mesh's look as it should
SAME = 30.0  # degrees: two turns that are nearer to each other tell the same
ASIDE = 0.87  # how far the nose is beside the middle of the eyes, in their distance: heads turned by some 55 degrees
# A face is drawn where its shading is flat: see `_is_drawn`.
FLAT, SHADED, PER_FLAT, PER_FLAT_IF_TINY = 0.01, 0.08, 0.35, 0.6
BLACK, WHITE, SEEN = 0.02, 0.98, 0.3  # what is over- or underexposed has no shading, and the rest has to be as much
# A smiley of few pixels is blurred into shading; but the detector does not think much of it, where it is level.
TINY, LEVEL, LIKELY, LIKELIER = 64.0, 30.0, 0.8, 1.2
CLEAR, SIMILAR, LEAST = 1.0, 3.0, 22.0  # what is worth a word: the detector's logit, the mesh's; pixels of a small face


class Candidate(NamedTuple):
    """What the detector takes for a face.

    Args:
        score: a logit.
        x, y, side: the middle of its box in the picture, and the longer of the box's sides.
        roll: degrees, from its eyes; of a head turned by more than 75° it may be anything.
        pixels: the box's side as the detector saw it.
        aside: how far the nose is beside the middle of the eyes, in their distance.
    """

    score: float
    x: float
    y: float
    side: float
    roll: float
    pixels: float
    aside: float = 0.0


class Doubt(NamedTuple):
    """Why what looks like a face was not taken for one: a key of `REASONS`, where it is, and how clearly it is seen."""

    why: str
    x: float
    y: float
    side: float
    score: float
    sureness: float


REASONS = {
    "aside": (
        "what looks like one is seen too far from the side",
        "faces are completed that are turned by up to about 50 degrees: choose another picture of it, or give a box "
        "around the face to have it completed all the same",
    ),
    "drawn": (
        "what looks like one seems to be drawn",
        "the model knows photographs: choose one, or give a box around the face to have it completed all the same",
    ),
    "small": ("what looks like one is too small to be sure", "enlarge the picture, or give a box around the face"),
    "unsure": ("what looks like one is not clear enough to tell whether it is, and which way up", GIVE_A_BOX),
}


def no_face(doubts: Sequence[Doubt]) -> NoFaceFound:
    """The error for a picture in which no face is found: it says why what looks most like one was not taken for one."""
    likely = [doubt for doubt in doubts if doubt.score > CLEAR or doubt.sureness > SIMILAR]
    if not likely:
        return NoFaceFound()
    doubt = max(likely, key=lambda doubt: (doubt.why != "unsure", doubt.score))
    reason, advice = REASONS[doubt.why]
    return NoFaceFound(
        f"{NO_FACE}: {reason}", advice, f" (at x {doubt.x:.0f}, y {doubt.y:.0f}, {doubt.side:.0f} pixels wide)"
    )


def judged(picture: Tensor, candidate: Candidate) -> Box | Doubt:
    """The face that a candidate in a picture [3,H,W] is, aligned; or why it is none, or none to be sure of.

    Upside down, a face is still taken for one now and then, but never for so sure a one as upright.
    """
    look = _look_at(candidate)
    [answer] = answers = align(picture, [look])
    if answer.sureness < SURE:
        answers += align(picture, turned(look))
        answer = max(answers, key=lambda one: one.sureness)
    for _ in range(GLIMPSES):
        if answer.sureness < 0 or _fits(look, answer.box):
            break
        look = _around(answer.box)
        [answer] = align(picture, [look])
    why = _why_not(candidate, answer, answers)
    if why:
        return Doubt(why, candidate.x, candidate.y, candidate.side, candidate.score, answer.sureness)
    return answer.box


def mesh_in(picture: Tensor, frame: Frame) -> Tensor | None:
    """The mesh [468,2] of the face that a frame is said to be of; None where there is none to be seen."""
    box = box_of_frame(*frame.centre, frame.side, frame.roll)
    [answer] = align(picture, [_around(box)])
    return answer.box.points if answer.sureness >= FACE else None


def _why_not(candidate: Candidate, answer: Aligned, answers: Sequence[Aligned]) -> str:
    """Why the mesh's answer is not taken for a face; "" where it is."""
    box = answer.box
    rivals = [one for one in answers if between(one.box.roll, box.roll) > SAME]
    distinct = all(answer.sureness >= rival.sureness + DISTINCT for rival in rivals)
    is_face = answer.sureness >= SURE or (answer.sureness >= (FACE if box.width >= SMALL else SMALL_FACE) and distinct)
    if not is_face:
        if max(abs(answer.aside), abs(candidate.aside)) > ASIDE and candidate.score > CLEAR:
            return "aside"
        if answer.sureness > SIMILAR and _is_drawn(answer):
            return "drawn"
        return "small" if candidate.side < LEAST else "unsure"
    if abs(answer.aside) > ASIDE:
        return "aside"
    if _is_drawn(answer):
        return "drawn"
    likely = LIKELY if answer.sureness >= FACE else LIKELIER
    return "unsure" if box.width < TINY and abs(box.roll) < LEVEL and candidate.score < likely else ""


def _is_drawn(answer: Aligned) -> bool:
    """Whether the face that the mesh looked at has flat colours, as drawings have, and no shading.

    Skin is shaded: from one sixty-fourth of a face to the next its brightness changes by a good tenth of the face's
    contrast, in the median. In drawings most of it does not change at all. They are told apart by that median and by
    the share of what hardly changes (docs/faces.md).
    """
    margin = round(answer.seen.shape[-1] * (1 - 1 / ROOM) / 2)
    face = F.avg_pool2d(answer.seen.mean(dim=0)[None, margin:-margin, margin:-margin], 2)[0]
    at = torch.linspace(-1, 1, len(face))
    oval = (at[None] / 0.75) ** 2 + (at[:, None] / 0.9) ** 2 < 1
    usable = (oval & (face > BLACK * face.max()) & (face < WHITE))[:-1, :-1]
    if usable.sum() < SEEN * oval.sum():
        return False
    steps = (face.diff(dim=0)[:, :-1].abs() + face.diff(dim=1)[:-1].abs())[usable]
    contrast = face[:-1, :-1][usable].std()
    flat = float((steps < FLAT * contrast).float().mean())
    shaded = SHADED + (PER_FLAT_IF_TINY if answer.box.width < TINY else PER_FLAT) * flat
    return float(steps.median()) < shaded * float(contrast)


def between(a: float, b: float) -> float:
    """Degrees between two turns, 0 to 180."""
    return abs((a - b + 180) % 360 - 180)


def _look_at(candidate: Candidate) -> Look:
    """The look in which the mesh probably sees a candidate best: its box ends lower than a face's, and is smaller."""
    up, turn = BOX_BELOW * candidate.side, math.radians(candidate.roll)
    x, y = candidate.x + up * math.sin(turn), candidate.y - up * math.cos(turn)
    return Look(x, y, ROOM * FACE_PER_BOX * candidate.side, candidate.roll)


def _around(box: Box) -> Look:
    """The look in which the mesh sees a face that it has seen before best."""
    return Look(*box.centre, ROOM * box.width, box.roll)


def _fits(look: Look, box: Box) -> bool:
    """Whether a face fills the look that the mesh had at it as it should, so that another would tell no more."""
    best = _around(box)
    away = math.hypot(best.x - look.x, best.y - look.y) / best.side
    return away < 0.06 and 0.92 < best.side / look.side < 1.09 and between(look.turn, box.roll) < 6
