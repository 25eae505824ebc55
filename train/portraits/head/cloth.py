"""Clothes: the body puffed out below a neckline, and what its cloth looks like."""

from __future__ import annotations

import colorsys
import math
from typing import NamedTuple

import numpy as np

from ..kernels.compiled import kernel
from ..kernels.noise import noise
from ..kernels.vectors import hill, mix, smoothstep, times

CREW, VEE, SHIRT, ROLL = range(4)  # necklines
PLAIN, STRIPES, CHECKS, HEATHER = range(4)  # patterns
THICK = (0.035, 0.035, 0.055, 0.075)  # how far each neckline's edge stands off the skin, decimetres
COLLAR, BAND = 0.13, 0.072  # widths of a shirt's collar and of a ribbed edge


class ClothLook(NamedTuple):
    """What somebody wears; colours are linear RGB albedos."""

    neckline: int
    height: float  # of its edge beside the neck, y on the resting head
    depth: float  # how much lower the edge is in front
    colour: tuple[float, float, float]
    other_colour: tuple[float, float, float]
    pattern: int
    knit: float  # how coarse the cloth is, 0 smooth … 1 a jumper
    seed: float


def sample_cloth(rng: np.random.Generator) -> ClothLook:
    """Something to wear: a T-shirt or jumper, a V-neck, an open shirt, or a roll neck."""
    neckline = int(rng.choice(4, p=(0.42, 0.22, 0.24, 0.12)))
    height = (rng.uniform(6.00, 6.10), rng.uniform(6.00, 6.08), rng.uniform(6.10, 6.17), rng.uniform(6.14, 6.22))[
        neckline
    ]
    depth = (rng.uniform(0.10, 0.18), rng.uniform(0.30, 0.55), rng.uniform(0.30, 0.5), 0.03)[neckline]
    hue = rng.random()
    return ClothLook(
        neckline=neckline,
        height=float(height),
        depth=float(depth),
        colour=_dye(rng, hue),
        other_colour=_dye(rng, hue + rng.normal(0, 0.2)),
        pattern=int(rng.choice(4, p=(0.62, 0.09, 0.06, 0.23))),
        knit=float(rng.uniform(0.1, 0.5) if neckline in (SHIRT, VEE) else rng.uniform(0.3, 1.0)),
        seed=float(rng.uniform(0, 50)),
    )


def _dye(rng: np.random.Generator, hue: float) -> tuple[float, float, float]:
    """Mostly muted, often near grey, sometimes bright."""
    saturation = rng.choice((rng.uniform(0.0, 0.15), rng.uniform(0.2, 0.6), rng.uniform(0.6, 0.85)), p=(0.4, 0.4, 0.2))
    red, green, blue = colorsys.hsv_to_rgb(float(hue) % 1, float(saturation), float(rng.uniform(0.12, 0.92)))
    return 0.02 + 0.75 * red**2.2, 0.02 + 0.75 * green**2.2, 0.02 + 0.75 * blue**2.2


@kernel
def cloth_depth(look, x, y, z):
    """How far below the neckline's edge a place of the resting body is, in decimetres; negative on bare skin."""
    front = smoothstep(0.15, 0.60, z)
    if look.neckline in (VEE, SHIRT):
        dip = front * look.depth * max(0.0, 1 - abs(x) / 0.45)
    else:
        dip = front * look.depth * (1 - 0.5 * min(abs(x) / 0.5, 1.0))
    under_chin = 0.8 * max(z - 0.80, 0.0)
    return look.height - dip - under_chin - y


def dress(look: ClothLook, rest: np.ndarray, vertices: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """The vertices [V,3], pushed out along their normals where they are cloth; `rest` [V,3] says where that is."""
    return vertices + _thickness(look, rest)[:, None] * normals


@kernel
def _thickness(look, rest):
    """How far each vertex of the resting head is pushed out to become cloth, in decimetres: float32 [V]."""
    amount = np.zeros(rest.shape[0], np.float32)
    for i in range(rest.shape[0]):
        depth = cloth_depth(look, rest[i, 0], rest[i, 1], rest[i, 2])
        if depth > -0.08:  # from above the edge on: there are few vertices, and a step between them would show
            amount[i] = THICK[look.neckline] * smoothstep(-0.08, 0.05, depth) + 0.02 * smoothstep(0.05, 0.4, depth)
    return amount


@kernel
def cloth_colour(look, x, y, z, depth):
    """Albedo and openness (0..1) of cloth at a place of the resting body, `depth` below the edge."""
    weave = noise(x * 75 + look.seed, y * 75, z * 75) - 0.5
    fold = noise(x * 4 + look.seed, y * 2.5, z * 4) - 0.5
    colour = look.colour
    if look.pattern == STRIPES and math.sin(y * 42) > 0.1:
        colour = look.other_colour
    elif look.pattern == CHECKS:
        threads = 0.5 * (math.sin(x * 42) > 0) + 0.5 * (math.sin(depth * 42) > 0)
        colour = mix(look.colour, look.other_colour, threads)
    elif look.pattern == HEATHER:
        weave *= 2.0
    if look.neckline == SHIRT:  # the border of the turned-down collar, and what lies in its shade
        width = COLLAR + 0.05 * smoothstep(0.2, 0.7, z)
        seam = 0.9 * smoothstep(width, width + 0.006, depth) * smoothstep(width + 0.06, width, depth)
        rib = 0.0
    else:  # a ribbed band along the edge
        seam = 0.4 * hill(depth, BAND, 0.008)
        rib = 0.5 * look.knit * smoothstep(BAND, BAND - 0.01, depth) * math.sin(math.atan2(x, z - 0.2) * 90)
    seam = max(seam, 0.5 * smoothstep(0.012, 0.0, depth))
    bright = 1 + (0.10 + 0.20 * look.knit) * weave + 0.22 * fold + 0.25 * rib
    return times(colour, bright * (1 - 0.25 * seam)), 1 - 0.6 * seam
