"""Emotions over time: keyframes as lines of text, and what each frame between them is to show.

    0: neutral
    12: happy 0.8
    24: 0.6 happy + 0.4 surprised   # a mix
    48: my joy 1.2 - 0.2 angry

Between two keyframes the weight of each emotion goes from one to the other; codes are linear in the emotions, so that a
mix of weights is the mix of the looks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass

from ..words import shown

Weights = dict[str, float]
"""Emotion → how far towards it, 0 for neutral; emotions that are not named are at 0."""

EASINGS = ("linear", "ease", "hold")
MOST_FRAMES = 100_000
MOST_WEIGHT = 10.0
NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
BEFORE = re.compile(rf"(?P<weight>{NUMBER})\s*\*?\s*(?P<name>.*)")
BEHIND = re.compile(rf"(?P<name>.*?)\s*\*?\s*(?<![\w.])(?P<weight>{NUMBER})")


class KeyframeError(ValueError):
    """A line that is no keyframe; the text says which, and what would be right."""


@dataclass(frozen=True)
class Keyframe:
    """What a frame, counted from 0, shows."""

    frame: int
    weights: Weights


def parse_keyframes(text: str, emotions: Collection[str], neutral: str) -> list[Keyframe]:
    """The keyframes of a text, in the order of their frames.

    Args:
        text: a line `FRAME: EMOTION`, `FRAME: EMOTION WEIGHT` or `FRAME: WEIGHT EMOTION + WEIGHT EMOTION …` for each;
            a weight may be written before or behind its emotion. Blank lines and what follows a # say nothing.
        emotions: the names that may be used. Capitals do not matter where they leave no doubt.
        neutral: the one of them whose weight says nothing: a line `0: neutral` is all weights at 0.

    Raises:
        KeyframeError: a line is none, names an unknown emotion, or a frame comes twice; or there are no lines.
    """
    found: dict[int, tuple[int, Keyframe]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        keyframe = _keyframe(line, number, emotions, neutral)
        if keyframe.frame in found:
            raise KeyframeError(f"line {number}: frame {keyframe.frame} is in line {found[keyframe.frame][0]} already")
        found[keyframe.frame] = number, keyframe
    if not found:
        example = next((name for name in emotions if name != neutral), neutral)
        raise KeyframeError(
            f"there are no keyframes; write a line for each, such as 0: {neutral} and 12: {example} 0.8"
        )
    return [found[frame][1] for frame in sorted(found)]


def timeline(keyframes: list[Keyframe], frames: int, easing: str = "linear", loop: bool = False) -> list[Weights]:
    """What each of `frames` frames shows: before the first keyframe that one, after the last one that one.

    Args:
        easing: "linear"; "ease", slow at each keyframe (3t² − 2t³); or "hold", each until the next.
        loop: after the last keyframe go back to the first, which is reached one frame after the end: played again and
            again there is no jump.
    """
    keys = list(keyframes)
    if loop and keys[-1].frame < frames:
        keys.append(Keyframe(frames + keys[0].frame, keys[0].weights))
        if keys[0].frame > 0:  # what comes before the first keyframe is the way back to it
            keys.insert(0, Keyframe(keyframes[-1].frame - frames, keyframes[-1].weights))
    return [_between(keys, frame, easing) for frame in range(frames)]


def _between(keys: list[Keyframe], frame: int, easing: str) -> Weights:
    after = next((i for i, key in enumerate(keys) if key.frame > frame), len(keys))
    if after in (0, len(keys)) or easing == "hold":
        return dict(keys[max(0, after - 1)].weights)
    start, end = keys[after - 1], keys[after]
    t = (frame - start.frame) / (end.frame - start.frame)
    share = t * t * (3 - 2 * t) if easing == "ease" else t
    names = [*start.weights, *(name for name in end.weights if name not in start.weights)]
    mixed = {n: (1 - share) * start.weights.get(n, 0.0) + share * end.weights.get(n, 0.0) for n in names}
    return {name: round(weight, 6) for name, weight in mixed.items()}


def _keyframe(line: str, number: int, emotions: Collection[str], neutral: str) -> Keyframe:
    place, colon, looks = line.partition(":")
    if not colon or not place.strip().isdecimal():
        raise KeyframeError(f"line {number}: {shown(line)} does not begin with a frame; write it as 12: happy 0.8")
    frame = int(place)
    if frame > MOST_FRAMES:
        raise KeyframeError(f"line {number}: frame {frame} is beyond the last one that can be, {MOST_FRAMES}")
    weights: Weights = {}
    for sign, term in _terms(looks):
        name, weight = _term(term, number, emotions)
        if name != neutral:
            weights[name] = round(weights.get(name, 0.0) + sign * weight, 6)
    return Keyframe(frame, weights)


def _terms(looks: str) -> list[tuple[int, str]]:
    """The terms of a sum with their signs, which stand apart: a + or − without a space before it is part of a name."""
    first, *others = re.split(r"(?:^|\s)([+\-−])(?:\s|(?=[\d.])|$)", looks.strip())
    signed = [(1 if sign == "+" else -1, term) for sign, term in zip(others[::2], others[1::2], strict=True)]
    return signed if signed and not first else [(1, first), *signed]


def _term(term: str, number: int, emotions: Collection[str]) -> tuple[str, float]:
    """The emotion and the weight of a term; names come first, for they may begin or end in a number themselves."""
    whole = " ".join(term.split())  # many spaces take the expressions long
    before, behind = BEFORE.fullmatch(whole), BEHIND.fullmatch(whole)
    readings = [(whole, "1"), *((match["name"], match["weight"]) for match in (before, behind) if match)]
    known, written = next(((k, w) for name, w in readings if (k := _known(name, emotions)) is not None), (None, ""))
    if known is None:
        name = readings[-1][0]
        if not name or (before and behind):
            raise KeyframeError(f"line {number}: {shown(whole)} is no emotion with a weight; write it as happy 0.8")
        raise KeyframeError(f"line {number}: there is no emotion {shown(name)}; known are {', '.join(emotions)}")
    weight = float(written)
    if not math.isfinite(weight) or weight > MOST_WEIGHT:
        raise KeyframeError(f"line {number}: the weight {weight:g} of {known} is beyond {MOST_WEIGHT:g}")
    return known, weight


def _known(name: str, emotions: Collection[str]) -> str | None:
    if name in emotions:
        return name
    alike = [emotion for emotion in emotions if " ".join(emotion.split()).casefold() == name.casefold()]
    return alike[0] if len(alike) == 1 else None
