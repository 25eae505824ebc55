"""The inside of the mouth: teeth, gums, tongue and the dark behind them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..kernels.compiled import kernel
from ..kernels.noise import noise
from ..kernels.scene import UPPER_TEETH
from ..kernels.vectors import hill, mix, smoothstep, times

# Where one tooth ends and the next begins, in decimetres from the middle along the arch: incisors, canine, premolars.
TOOTH_EDGES = (0.0, 0.085, 0.150, 0.222, 0.290, 0.360, 0.450)
GUM = (0.42, 0.15, 0.14)
FLESH = (0.36, 0.085, 0.07)  # of the cavity
TONGUE_COLOUR = (0.50, 0.17, 0.155)


class MouthLook(NamedTuple):
    """What a person's teeth are like."""

    tooth_colour: tuple[float, float, float]
    gaps: float  # how dark the lines between teeth are, 0..1
    flesh: float  # brightness of gums, tongue and lining, about 1


def sample_mouth(rng: np.random.Generator, age: float, tone: float) -> MouthLook:
    """The mouth of a person of an age 0..1, whose teeth are the yellower the older, and of a skin tone 0..5.

    Dark skin is exposed longer, which would bleach everything else: teeth are made darker with it.
    """
    yellow = float(np.clip(rng.normal(0.25 + 0.4 * age, 0.15), 0.0, 1.0))
    darker = 1 - 0.07 * tone
    bright = float(rng.uniform(0.80, 0.93)) * darker
    return MouthLook(
        (bright, bright * (0.975 - 0.05 * yellow), bright * (0.92 - 0.20 * yellow)),
        float(rng.uniform(0.3, 0.7)),
        darker,
    )


@kernel
def cavity_colour(look, z):
    """Albedo and openness (0..1) of the mouth's lining: darker the deeper, never black."""
    depth = smoothstep(1.45, 0.95, z)
    return times(FLESH, look.flesh * (1 - 0.25 * depth)), 0.70 - 0.35 * depth


@kernel
def tongue_colour(look, x, y, z):
    """Albedo and openness of the tongue; a furrow runs along its middle."""
    depth = smoothstep(1.40, 0.85, z)
    furrow = 1 - 0.22 * hill(x, 0.0, 0.03)
    speckle = 0.88 + 0.24 * noise(x * 55, y * 55, z * 55)
    return times(TONGUE_COLOUR, look.flesh * furrow * speckle), 0.85 - 0.65 * depth


@kernel
def tooth_at(x, z):
    """Where along the arch: the distance from the tooth's nearer edge, and the place across the tooth, −1..1."""
    along = 0.47 * math.atan2(abs(x), max(z - 1.03, 0.02))
    for i in range(len(TOOTH_EDGES) - 1):
        if along < TOOTH_EDGES[i + 1]:
            width = TOOTH_EDGES[i + 1] - TOOTH_EDGES[i]
            across = 2 * (along - TOOTH_EDGES[i]) / width - 1
            return (1 - abs(across)) * width / 2, math.copysign(across, x * across)
    return 1.0, 0.0


@kernel
def tooth_colour(look, material, x, y, z):
    """Albedo and openness of a row of teeth with its gums, and how far the surface turns to the side (x)."""
    to_edge, across = tooth_at(x, z)
    if material == UPPER_TEETH:
        gum = smoothstep(6.752, 6.775, y - 0.016 * (1 - across * across))
        biting_edge = smoothstep(6.685, 6.635, y)
    else:
        gum = smoothstep(6.560, 6.540, y + 0.012 * (1 - across * across))
        biting_edge = smoothstep(6.615, 6.650, y)
    line = look.gaps * hill(to_edge, 0.0, 0.007) * (1 - gum)
    depth = smoothstep(1.46, 1.14 if material == UPPER_TEETH else 1.26, z)
    enamel = mix(look.tooth_colour, (0.68, 0.69, 0.70), 0.35 * biting_edge)
    colour = mix(times(enamel, 1 - 0.5 * line), times(GUM, look.flesh), gum)
    in_shade = 1.0 if material == UPPER_TEETH else 0.72  # of the upper row
    return times(colour, in_shade * (1 - 0.65 * depth)), 1 - 0.70 * depth, 0.30 * across * (1 - gum)
