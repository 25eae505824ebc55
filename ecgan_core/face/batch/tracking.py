"""Faces over the frames of a shot: who is who from frame to frame, and where everybody is, held still.

All of the clip is there, so nothing lags: what is smoothed looks as far ahead as back. A value is a line fitted through
its neighbours in time, and then held as long as it stays within a narrow tube around that: a still head is exactly
still, and a moving one is off by at most the tube's half width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ..frame import Box
from ..regions import OVAL

Track = dict[int, Box]  # frame → where a face was seen in it

GAP = 12  # frames in which a face may be gone and still be the same: half a second
FAR = 0.7  # of the face's side: what is farther from where it is expected is somebody else
FARTHER = 0.15  # and this much for each frame that it was gone
LONGEST = 2 * GAP  # frames after which nobody is expected any farther away
LIKE = math.log(1.6)  # so much larger or smaller is somebody else as well
SPEED = 4  # frames back from which a face's speed is taken
WINDOW = 2.0  # frames, the standard deviation of the weights of neighbours in time
OUTLINE = 0.006  # likewise of the points of a face's outline, in sides of the face
HELD = (0.005, 0.005, 0.008, 0.008, 0.5)  # half the tube: place in sides of the face, log of its sides, degrees


def follow(seen: Sequence[Sequence[Box]]) -> list[Track]:
    """Who is who: the faces of each frame, joined to tracks; the one first in the earliest frame comes first.

    A face is expected to go on as it moved before, which is what tells two people apart who cross.
    """
    tracks: list[Track] = []
    for now, boxes in enumerate(seen):
        going = [track for track in tracks if now - max(track) <= GAP + 1]
        pairs = [(_unlike(track, now, box), t, b) for t, track in enumerate(going) for b, box in enumerate(boxes)]
        taken_tracks, taken_boxes = set(), set()
        for cost, t, b in sorted(pairs):
            if cost <= 1 and t not in taken_tracks and b not in taken_boxes:
                going[t][now] = boxes[b]
                taken_tracks.add(t)
                taken_boxes.add(b)
        tracks += [{now: box} for b, box in enumerate(boxes) if b not in taken_boxes]
    return tracks


def people(tracks: Sequence[Track]) -> list[int]:
    """Whose each track is, counted from 0 in the order in which people come: who was gone for long is the same still.

    A track goes on with the person who is gone when it begins and is most like it, unless it is too far away.
    """
    of_person: list[list[Track]] = []
    numbers: list[int] = []
    for track in tracks:
        start = min(track)
        gone = {number: theirs[-1] for number, theirs in enumerate(of_person) if max(theirs[-1]) < start}
        unlike = {number: _unlike(last, start, track[start]) for number, last in gone.items()}
        number = min(unlike, key=lambda number: unlike[number], default=len(of_person))
        if unlike.get(number, math.inf) > 1:
            number = len(of_person)
        if number == len(of_person):
            of_person.append([])
        of_person[number].append(track)
        numbers.append(number)
    return numbers


def steady(track: Track) -> Track:
    """A track held still, and gone on with where it has gaps: its boxes, and the outlines of their meshes."""
    times = sorted(track)
    boxes = [track[time] for time in times]
    rolls = np.unwrap([box.roll for box in boxes], period=360)
    sizes = np.log([[box.width, box.height] for box in boxes])
    side = math.exp(float(np.median(sizes)))
    values = np.column_stack([np.array([box.centre for box in boxes]) / side, sizes, rolls])
    held = held_still(times, values, HELD)
    meshes = _held_meshes(track)
    steadied = {}
    for time, (x, y, log_width, log_height, turn) in zip(range(times[0], times[-1] + 1), held.tolist(), strict=True):
        width, height, roll = math.exp(log_width), math.exp(log_height), (turn + 180) % 360 - 180
        steadied[time] = Box(x * side - width / 2, y * side - height / 2, width, height, roll, meshes.get(time))
    return steadied


def _held_meshes(track: Track) -> dict[int, Tensor]:
    """The meshes of a track, their outlines held still and gone on with where it has gaps; as they are if one lacks."""
    times = sorted(track)
    meshes = {time: points for time in times if (points := track[time].points) is not None}
    if len(meshes) < len(times):
        return meshes
    side, outline = float(np.median([track[time].width for time in times])), list(OVAL)
    places = np.stack([meshes[time][outline].flatten().numpy() for time in times]) / side
    still = torch.from_numpy(held_still(times, places, [OUTLINE] * places.shape[1]) * side).unflatten(1, (-1, 2))
    held: dict[int, Tensor] = {}
    for time, points in zip(range(times[0], times[-1] + 1), still, strict=True):
        held[time] = (meshes[time] if time in meshes else held[time - 1]).clone()
        held[time][outline] = points.to(held[time])
    return held


def held_still(times: Sequence[int], values: np.ndarray, tube: Sequence[float]) -> np.ndarray:
    """Values [N,K] at N times, for every time from first to last [T,K]: smooth, and still where they hold still.

    Args:
        times: whole numbers, growing.
        values: what was measured.
        tube: K, by how much each value may be off to be held still.
    """
    every = np.arange(times[0], times[-1] + 1)
    filled = np.column_stack([np.interp(every, times, column) for column in values.T])
    smooth = _fitted(_without_outliers(filled))
    return np.column_stack([_held(column, half) for column, half in zip(smooth.T, tube, strict=True)])


def _unlike(track: Mapping[int, Box], now: int, box: Box) -> float:
    """How unlike a face in a frame is to the one that a track expects there: above 1, it is somebody else."""
    last = max(track)
    gone = now - last
    (x, y), size = track[last].centre, track[last].width
    earlier = min((time for time in track if time >= last - SPEED), default=last)
    if earlier < last:
        (from_x, from_y), share = track[earlier].centre, min(gone, SPEED) / (last - earlier)
        x, y = x + (x - from_x) * share, y + (y - from_y) * share
    away = math.dist((x, y), box.centre) / max(size, box.width) / (FAR + FARTHER * (min(gone, LONGEST) - 1))
    return max(away, abs(math.log(box.width / size)) / LIKE)


def _without_outliers(values: np.ndarray) -> np.ndarray:
    """The median of three neighbours in time, [T,K]: one frame in which a face was framed oddly is none."""
    if len(values) < 3:
        return values
    middle = np.median(np.stack([values[:-2], values[1:-1], values[2:]]), axis=0)
    return np.concatenate([values[:1], middle, values[-1:]])


def _fitted(values: np.ndarray) -> np.ndarray:
    """Each value on the line that fits its neighbours in time best, [T,K]."""
    reach, fitted = math.ceil(3 * WINDOW), np.empty_like(values)
    for now in range(len(values)):
        near = slice(max(0, now - reach), now + reach + 1)
        offset = np.arange(len(values))[near] - now
        weight = np.exp(-((offset / WINDOW) ** 2) / 2)
        mean, middle = np.average(offset, weights=weight), np.average(values[near], axis=0, weights=weight)
        spread = (weight * (offset - mean) ** 2).sum()
        slope = (weight * (offset - mean)) @ (values[near] - middle) / spread if spread > 0 else 0.0
        fitted[now] = middle - mean * slope
    return fitted


def _held(values: np.ndarray, half: float) -> np.ndarray:
    """Values [T] that change only where they must to stay within ±`half` of those given; both ways, so nothing lags."""
    return (_pushed(values, half) + _pushed(values[::-1], half)[::-1]) / 2


def _pushed(values: np.ndarray, half: float) -> np.ndarray:
    """What is pushed along by a tube around the values: it starts where it can stay longest."""
    low, high = -math.inf, math.inf
    for value in values:
        if max(low, value - half) > min(high, value + half):
            break
        low, high = max(low, value - half), min(high, value + half)
    place, places = (low + high) / 2, []
    for value in values:
        place = min(max(place, value - half), value + half)
        places.append(place)
    return np.array(places)
