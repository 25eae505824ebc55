"""Glasses: frames of several shapes that fit a face's eyes, nose and ears."""

from __future__ import annotations

import colorsys
import math
from typing import NamedTuple

import numpy as np

from ..kernels.scene import SKIN
from .mesh import Head

# Name, roundness (the exponent of the rim's superellipse), half width and half height as shares of half the distance
# between the eyes, and how thick the rim is above and below, in decimetres.
SHAPES = (
    ("round metal", 2.0, 0.72, 0.66, 0.011, 0.011),
    ("oval metal", 2.2, 0.78, 0.55, 0.011, 0.011),
    ("rectangle", 4.0, 0.82, 0.50, 0.019, 0.016),
    ("square", 3.3, 0.80, 0.62, 0.022, 0.019),
    ("panto", 2.5, 0.76, 0.66, 0.019, 0.016),
    ("browline", 2.8, 0.80, 0.60, 0.027, 0.009),
    ("half rim", 3.2, 0.80, 0.52, 0.015, 0.004),
)
AROUND, SIDES_OF_TUBE = 56, 6
CLEARANCE = 0.035  # of the rims from the skin
EAR = (0.80, 7.24, 0.42)  # where the arms go, on the resting head


class GlassesLook(NamedTuple):
    """A pair of glasses; the colour is linear RGB."""

    roundness: float
    half_width: float
    half_height: float
    upper: float
    lower: float
    colour: tuple[float, float, float]
    metal: float  # 1 metal, 0 plastic


NO_GLASSES = GlassesLook(2.0, 0.0, 0.0, 0.0, 0.0, (0.0, 0.0, 0.0), 0.0)


def sample_glasses(rng: np.random.Generator) -> GlassesLook:
    """A pair of glasses: thin metal, or black, tortoiseshell or coloured plastic."""
    name, roundness, width, height, upper, lower = SHAPES[rng.integers(len(SHAPES))]
    metal = "metal" in name or (name == "half rim" and rng.random() < 0.6)
    if metal:
        colour = ((0.27, 0.27, 0.28), (0.36, 0.22, 0.075), (0.05, 0.05, 0.055))[rng.integers(3)]
    else:
        bright = colorsys.hsv_to_rgb(float(rng.random()), 0.65, 0.12)
        colour = ((0.012, 0.012, 0.013), (0.085, 0.035, 0.013), bright)[rng.choice(3, p=(0.5, 0.3, 0.2))]
    bigger = float(rng.uniform(0.94, 1.06))
    red, green, blue = (float(c) for c in colour)
    return GlassesLook(roundness, width * bigger, height * bigger, upper, lower, (red, green, blue), float(metal))


def glasses_mesh(
    look: GlassesLook, head: Head, vertices: np.ndarray, eyes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The frame as tubes, fitted to a face: vertices float32 [n,3] and triangles int32 [m,3].

    Args:
        look: the pair.
        head: gives the resting places of the vertices.
        vertices: [V,3], the person's neutral face before posing; the frame turns with the head from there.
        eyes: [2,3], the centres of the person's left and right eyeball.
    """
    skin = np.unique(head.triangles[head.material == SKIN])
    face, rest = vertices[skin], head.rest[skin]
    middle = eyes.mean(axis=0)
    half_gap = float(eyes[0, 0] - eyes[1, 0]) / 2
    rims = [_rim(look, middle, half_gap, side) for side in (1, -1)]
    front = max(_clear_of(face, rim[:, :2]) for rim in rims)
    tubes = []
    for rim in rims:
        rim[:, 2] = front - 0.22 * (rim[:, 0] - middle[0]) ** 2 + 0.10 * (rim[:, 1] - middle[1])
        tubes.append(_rim_tube(look, rim))
    tubes.append(_bridge(look, rims, front))
    tubes += [_arm(look, rim, side, face, _ear(face, rest, side)) for rim, side in zip(rims, (1, -1), strict=True)]
    return _join(tubes)


def _rim(look: GlassesLook, middle: np.ndarray, half_gap: float, side: int) -> np.ndarray:
    """The outline [AROUND,3] of one lens, a superellipse a little below the eye; z is still to be found."""
    angle = np.linspace(0, 2 * math.pi, AROUND, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    power = 2 / look.roundness
    across = np.sign(cos) * np.abs(cos) ** power * look.half_width * half_gap
    upwards = np.sign(sin) * np.abs(sin) ** power * look.half_height * half_gap
    across = across * (1 + 0.08 * upwards / (look.half_height * half_gap))  # narrower towards the cheek
    x = middle[0] + side * (1.04 * half_gap + across)
    return np.stack([x, middle[1] - 0.05 * half_gap + upwards, np.zeros(AROUND)], axis=1)


def _clear_of(face: np.ndarray, outline: np.ndarray) -> float:
    """The least z at which an outline [n,2] before the face stays clear of it, but for the nose, which it straddles."""
    front = face[face[:, 2] > 0.8]
    distance = np.linalg.norm(front[None, :, :2] - outline[:, None], axis=-1)
    nearest = np.where(distance < 0.05, front[None, :, 2], -np.inf).max(axis=1)
    return float(np.percentile(nearest[np.isfinite(nearest)], 92)) + CLEARANCE


def _ear(face: np.ndarray, rest: np.ndarray, side: int) -> np.ndarray:
    """Where the arm meets the ear on this face [3]."""
    return face[np.argmin(np.linalg.norm(rest - np.array(EAR) * (side, 1, 1), axis=1))]


def _rim_tube(look: GlassesLook, rim: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A closed tube around the lens, often thicker above than below."""
    height = (rim[:, 1] - rim[:, 1].mean()) / np.ptp(rim[:, 1]) + 0.5
    share = np.clip((height - 0.35) / 0.3, 0, 1)
    thickness = look.lower + (look.upper - look.lower) * share * share * (3 - 2 * share)
    return _tube(rim, thickness, closed=True)


def _bridge(look: GlassesLook, rims: list[np.ndarray], front: float) -> tuple[np.ndarray, np.ndarray]:
    """An arch from rim to rim, above the nose."""
    left, right = (rim[_inner(rim, side)] for rim, side in zip(rims, (1, -1), strict=True))
    along = np.linspace(0, 1, 13)[:, None]
    arch = left + along * (right - left)
    arch[:, 1] += 0.035 * np.sin(math.pi * along[:, 0])
    arch[:, 2] += 0.02 * np.sin(math.pi * along[:, 0])
    return _tube(arch, np.full(len(arch), 0.85 * look.upper), closed=False)


def _inner(rim: np.ndarray, side: int) -> int:
    """The rim's point beside the nose, above its middle."""
    upper = rim[:, 1] > rim[:, 1].mean() + 0.15 * np.ptp(rim[:, 1])
    return int(np.argmin(np.where(upper, side * rim[:, 0], np.inf)))


def _arm(
    look: GlassesLook, rim: np.ndarray, side: int, face: np.ndarray, ear: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """From the rim's upper outer corner back over the ear, along the temple but outside of it."""
    upper = rim[:, 1] > rim[:, 1].mean() + 0.2 * np.ptp(rim[:, 1])
    hinge = rim[int(np.argmax(np.where(upper, side * rim[:, 0], -np.inf)))]
    bend = hinge + np.array([0.045 * side, 0.0, -0.05])
    path = np.concatenate([[hinge], bend + np.linspace(0, 1, 12)[:, None] * (ear - bend)])
    temple = side * face[:, 0] > 0
    for point in path[2:]:
        near = temple & (np.linalg.norm(face[:, 1:] - point[1:], axis=1) < 0.07)
        widest = np.percentile(side * face[near, 0], 80) if near.any() else 0.0
        point[0] = side * max(side * point[0], widest + 0.015)
    return _tube(path, np.full(len(path), 0.9 * look.upper), closed=False)


def _tube(path: np.ndarray, radius: np.ndarray, closed: bool) -> tuple[np.ndarray, np.ndarray]:
    """A tube around a path [n,3], a little taller than deep: vertices and triangles."""
    count = len(path)
    ahead, behind = np.roll(path, -1, axis=0), np.roll(path, 1, axis=0)
    if not closed:
        ahead[-1], behind[0] = path[-1], path[0]
    tangent = ahead - behind
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    forward = np.where(np.abs(tangent[:, 2:]) < 0.8, (0.0, 0.0, 1.0), (0.0, 1.0, 0.0))
    across = np.cross(tangent, forward)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    forward = np.cross(across, tangent)
    angle = np.linspace(0, 2 * math.pi, SIDES_OF_TUBE, endpoint=False)
    ring = np.cos(angle)[None, :, None] * across[:, None] + 0.8 * np.sin(angle)[None, :, None] * forward[:, None]
    points = (path[:, None] + radius[:, None, None] * ring).reshape(-1, 3)

    here = np.arange(count if closed else count - 1)
    there = (here + 1) % count
    side = np.arange(SIDES_OF_TUBE)
    following = (side + 1) % SIDES_OF_TUBE
    a, b = here[:, None] * SIDES_OF_TUBE + side, here[:, None] * SIDES_OF_TUBE + following
    c, d = there[:, None] * SIDES_OF_TUBE + side, there[:, None] * SIDES_OF_TUBE + following
    triangles = np.concatenate(
        [np.stack([a, b, d], axis=-1).reshape(-1, 3), np.stack([a, d, c], axis=-1).reshape(-1, 3)]
    )
    return points, triangles


def _join(tubes: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """All tubes as one mesh."""
    starts = np.cumsum([0, *(len(points) for points, _ in tubes)])
    triangles = [faces + start for (_, faces), start in zip(tubes, starts[:-1], strict=True)]
    return np.concatenate([points for points, _ in tubes]).astype(np.float32), np.concatenate(triangles).astype(
        np.int32
    )
