"""Wrinkles: which of them an expression deepens, and how they shape the skin.

Places are those of the resting head (see `scene.Surface.rest`), so wrinkles move with the skin.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from ..kernels.compiled import kernel
from ..kernels.noise import noise
from ..kernels.vectors import hill, smoothstep


class Wrinkles(NamedTuple):
    """How deep each group of wrinkles is, 0 to about 1.2."""

    forehead: float  # lines across it: raised brows
    glabella: float  # the frown between the brows
    nose: float  # across its root and its sides: a sneer
    eyes: float  # crow's feet and the fold under the eyes
    folds: float  # from the nose to the corners of the mouth
    chin: float  # the dimples of a chin that is pushed up


def wrinkles_of(units: Mapping[str, float]) -> Wrinkles:
    """The wrinkles that face units of these weights make."""

    def both(name: str) -> float:
        return (units.get(f"{name}Left", 0.0) + units.get(f"{name}Right", 0.0)) / 2

    def clip(depth: float) -> float:
        return min(max(depth, 0.0), 1.2)

    raised = 0.55 * units.get("browInnerUp", 0.0) + 0.65 * both("browOuterUp")
    knitted = both("browDown") + 0.3 * max(units.get("browInnerUp", 0.0) - 0.5, 0.0)
    sneer, smile = both("noseSneer"), both("mouthSmile")
    return Wrinkles(
        forehead=clip(raised - 0.12),
        glabella=clip(knitted - 0.12),
        nose=clip(1.1 * (sneer - 0.25)),
        eyes=clip(both("cheekSquint") + 0.4 * both("eyeSquint") - 0.08),
        folds=clip(0.8 * smile + 0.75 * sneer + 0.3 * both("mouthUpperUp") - 0.1),
        chin=clip(1.2 * units.get("mouthShrugLower", 0.0) - 0.2),
    )


def aged(wrinkles: Wrinkles, age: float) -> Wrinkles:
    """The wrinkles of an expression on top of those that never leave a face of an age 0..1."""
    years = max(age - 0.25, 0.0)
    lasting = Wrinkles(forehead=0.40, glabella=0.30, nose=0.05, eyes=0.55, folds=0.60, chin=0.0)
    return Wrinkles(*(depth + years * share for depth, share in zip(wrinkles, lasting, strict=True)))


@kernel
def wrinkle_relief(depths, x, y, z, seed):
    """How high the skin stands at a place of the resting head, in decimetres, and how dark its creases are, 0..1."""
    side = abs(x)
    height, crease = 0.0, 0.0
    if y > 7.55:
        height, crease = _forehead(depths.forehead, side, x, y, z, seed)
    elif y > 7.0 and side < 0.24:
        height, crease = _brow_and_nose(depths, side, y)
    if side > 0.12 and 6.98 < y < 7.45 and z > 0.7:
        h, c = _around_the_eye(depths.eyes, side, y, z)
        height, crease = height + h, max(crease, c)
    if y < 7.0 and z > 1.0:
        h, c = _lower_face(depths, side, x, y, z, seed)
        height, crease = height + h, max(crease, c)
    return height, crease


@kernel
def _forehead(depth, side, x, y, z, seed):
    """Three or four lines across, which follow the brows and break off here and there."""
    if depth <= 0 or z < 0.6:
        return 0.0, 0.0
    where = smoothstep(7.60, 7.70, y) * (1 - smoothstep(7.90, 8.10, y)) * (1 - smoothstep(0.25, 0.56, side))
    phase = (y + 0.10 * side * side + 0.075 * (noise(x * 2.0 + seed, y * 2.5, seed) - 0.5)) * 54
    line = (0.5 + 0.5 * math.sin(phase)) ** 3
    nth = math.floor(phase / 6.2832 + 0.25)
    strength = smoothstep(0.30, 0.75, noise(x * 2.6 - seed, nth * 1.7, seed)) * (0.5 + noise(nth * 3.3, seed, 0.5))
    groove = depth * where * strength * line
    return -0.009 * groove, 0.36 * groove


@kernel
def _brow_and_nose(depths, side, y):
    """The frown's two uprights, and the sneer's lines: across the root of the nose, aslant on its sides."""
    upright = hill(side, 0.060 + 0.12 * max(y - 7.44, 0.0), 0.019) * hill(y, 7.50, 0.085)
    root = hill(y, 7.335, 0.014) * hill(side, 0.0, 0.085)
    frown = depths.glabella * (upright + 0.45 * root)
    slant = (0.5 + 0.5 * math.sin((y - 0.75 * side) * 92)) ** 2
    on_nose = depths.nose * (hill(side, 0.105, 0.06) * hill(y, 7.23, 0.085) * slant + 0.8 * root)
    return -0.010 * frown - 0.008 * on_nose, min(0.48 * frown + 0.5 * on_nose, 0.8)


@kernel
def _around_the_eye(depth, side, y, z):
    """Crow's feet, which fan out from the outer corner, and the fold where the cheek meets the lower lid."""
    if depth <= 0:
        return 0.0, 0.0
    angle = math.atan2(y - 7.27, side - 0.40)
    fan = hill(side, 0.565, 0.075) * hill(y, 7.25, 0.11) * (0.5 + 0.5 * math.sin(angle * 12 + 0.8)) ** 3
    arc = 7.125 + 0.75 * (side - 0.31) ** 2
    under = hill(y, arc, 0.016) * hill(side, 0.30, 0.13)
    return -depth * (0.0055 * fan + 0.006 * under), depth * (0.28 * fan + 0.25 * under)


@kernel
def _lower_face(depths, side, x, y, z, seed):
    """The folds from the wings of the nose to the corners of the mouth, and the chin's dimples."""
    down = (6.93 - y) / 0.34
    height, crease = 0.0, 0.0
    if depths.folds > 0 and -0.15 < down < 1.2:
        across = (side - (0.165 + 0.175 * down)) * 0.88
        along = smoothstep(-0.12, 0.12, down) * (1 - smoothstep(0.7, 1.15, down))
        groove = hill(across, 0.0, 0.020)
        height = depths.folds * along * (0.008 * hill(across, 0.055, 0.045) - 0.009 * groove)
        crease = 0.42 * depths.folds * along * hill(across, 0.0, 0.026)
    if depths.chin > 0 and y < 6.5:
        ball = hill(x, 0.0, 0.17) * hill(y, 6.36, 0.10)
        dimple = noise(x * 26 + seed, y * 26, z * 26)
        height += depths.chin * ball * 0.010 * (dimple - 0.5)
        crease = max(crease, 0.35 * depths.chin * ball * (1 - dimple))
    return height, crease
