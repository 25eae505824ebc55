"""Skin: tones, blood, lips, freckles, stubble and moles, painted on the resting head.

What varies over centimetres is painted on the vertices once a picture (`skin_map`); what is finer is worked out for
each sample (`skin_colour`).
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import numpy as np

from ..kernels.compiled import kernel
from ..kernels.noise import noise
from ..kernels.vectors import hill, mix, smoothstep, times
from .mouth import MouthLook, sample_mouth

# Linear RGB albedos from the lightest tone, 0, to the darkest, 5; tones between are mixed by their logarithms.
TONES = (
    (0.80, 0.475, 0.345),
    (0.72, 0.378, 0.245),
    (0.59, 0.295, 0.172),
    (0.40, 0.185, 0.096),
    (0.222, 0.087, 0.039),
    (0.106, 0.0425, 0.021),
)
LIPSTICKS = ((0.42, 0.035, 0.05), (0.47, 0.09, 0.09), (0.32, 0.045, 0.065), (0.53, 0.13, 0.105), (0.21, 0.022, 0.03))
EYE_SHADOWS = ((0.42, 0.26, 0.22), (0.30, 0.20, 0.20), (0.34, 0.24, 0.30))
BLOOD, DARK, OIL, FRECKLED = range(4)  # the columns of a skin map
SCALP_TINT, BROW_TINT = 0.90, 0.35  # how much hair's colour shows on the skin that it grows from
MOLES = 3


class Hair(Protocol):
    """What skin needs to know of a person's hair."""

    @property
    def colour(self) -> tuple[float, float, float]: ...

    @property
    def stubble(self) -> float: ...


class SkinLook(NamedTuple):
    """What a person's skin is like; colours are linear RGB."""

    albedo: tuple[float, float, float]
    redness: float  # of cheeks, nose and ears, 0..1
    under_eye: float  # how dark the rings under the eyes are, 0..1
    lip_colour: tuple[float, float, float]
    lip_amount: float
    lip_gloss: float  # 0 dry … 1 wet
    freckles: float
    stubble: float  # 0 shaved or beardless … 0.6
    hair_colour: tuple[float, float, float]  # of the skin under hair and stubble
    age: float
    roughness: float
    oil: float  # how much the forehead, nose and cheekbones shine, about 1
    eye_shadow: float
    eye_shadow_colour: tuple[float, float, float]
    moles: tuple[tuple[float, float, float], ...]  # x, y on the resting head, and radius
    mouth: MouthLook
    seed: float


def skin_tone(tone: float) -> np.ndarray:
    """The albedo [3] of a tone, 0 lightest … 5 darkest."""
    low = min(int(tone), len(TONES) - 2)
    share = tone - low
    return np.exp((1 - share) * np.log(TONES[low]) + share * np.log(TONES[low + 1]))


def sample_skin(
    rng: np.random.Generator, male: bool, age: float, ancestry: tuple[float, float, float], tone: float, hair: Hair
) -> SkinLook:
    """The skin of a person of an age 0..1, an ancestry (shares of African, Asian, Caucasian) and a tone 0..5."""
    albedo = skin_tone(tone) * np.exp(rng.normal(0, (0.04, 0.035, 0.05)))
    light = 1 - tone / 5
    made_up = not male and rng.random() < 0.6
    lip_colour, lip_amount = _sample_lips(rng, male, made_up, albedo, light)
    shadow_colour = np.array(EYE_SHADOWS[rng.integers(len(EYE_SHADOWS))])
    freckled = rng.random() < 0.22
    return SkinLook(
        albedo=_rgb(albedo),
        redness=float(rng.uniform(0.4, 0.95) * (0.4 + 0.6 * light)),
        under_eye=float(rng.uniform(0.10, 0.45) + 0.25 * age),
        lip_colour=_rgb(lip_colour),
        lip_amount=lip_amount,
        lip_gloss=float(rng.uniform(0.1, 0.4) if male else rng.uniform(0.25, 0.9)),
        freckles=float(rng.uniform(0.3, 1.0) * light**1.5 * freckled),
        stubble=float(hair.stubble),
        hair_colour=_rgb(0.45 * np.array(hair.colour)),
        age=float(age),
        roughness=float(rng.uniform(0.48, 0.60)),
        oil=float(rng.uniform(0.5, 1.1)),
        eye_shadow=float(rng.uniform(0.25, 0.8) * made_up * (rng.random() < 0.7)),
        eye_shadow_colour=_rgb(shadow_colour * (0.35 + 0.65 * light)),
        moles=tuple(_sample_mole(rng) for _ in range(MOLES)),
        mouth=sample_mouth(rng, age, tone),
        seed=float(rng.uniform(0, 50)),
    )


def _sample_lips(rng, male: bool, made_up: bool, albedo: np.ndarray, light: float) -> tuple[np.ndarray, float]:
    """Colour [3] of the lips, a redder skin with or without lipstick, and how much of it shows."""
    natural = albedo * (0.84, 0.48, 0.54) + np.array((0.05, 0.0, 0.0)) * light
    if not made_up:
        return natural, float(rng.uniform(0.6, 0.85) if male else rng.uniform(0.75, 0.95))
    lipstick = np.array(LIPSTICKS[rng.integers(len(LIPSTICKS))]) * (0.45 + 0.55 * light)
    share = rng.uniform(0.25, 0.85)
    return (1 - share) * natural + share * lipstick, 0.9


def _sample_mole(rng) -> tuple[float, float, float]:
    """Place on the resting face and radius of a mole, which most often is not there: radius 0."""
    x, y, radius = rng.uniform(-0.5, 0.5), rng.uniform(6.45, 7.15), rng.uniform(0.006, 0.014)
    return float(x), float(y), float(radius) if rng.random() < 0.3 else 0.0


def _rgb(colour: np.ndarray) -> tuple[float, float, float]:
    red, green, blue = (float(np.clip(c, 0.004, 0.95)) for c in colour)
    return red, green, blue


@kernel
def _blob(x, y, z, centre_x, centre_y, centre_z, radius):
    squared = (x - centre_x) ** 2 + (y - centre_y) ** 2 + (z - centre_z) ** 2
    return math.exp(-squared / (radius * radius))


@kernel
def skin_map(look, rest, marks):
    """What varies slowly over the skin: float32 [V,4], columns BLOOD, DARK, OIL and FRECKLED, for vertices [V,3]."""
    values = np.zeros((rest.shape[0], 4), np.float32)
    for i in range(rest.shape[0]):
        x, y, z = rest[i, 0], rest[i, 1], rest[i, 2]
        side = abs(x)
        if y < 5.9:
            continue
        cheek = _blob(side, y, z, 0.42, 6.97, 1.30, 0.27)
        nose = _blob(x, y, z, 0.0, 6.95, 1.66, 0.15)
        wings = _blob(side, y, z, 0.13, 6.90, 1.54, 0.07)
        chin = _blob(x, y, z, 0.0, 6.33, 1.48, 0.17)
        forehead = _blob(x, y, z, 0.0, 7.80, 1.48, 0.34)
        ring = _blob(side, y, z, 0.27, 7.13, 1.40, 0.10)
        corner = _blob(side, y, z, 0.165, 7.27, 1.40, 0.07)
        mouth_corner = _blob(side, y, z, 0.275, 6.61, 1.42, 0.05)
        under_lip = _blob(x, y, z, 0.0, 6.445, 1.52, 0.09)
        cheekbone = _blob(side, y, z, 0.46, 7.06, 1.30, 0.13)
        lid = marks[i, 1]
        values[i, BLOOD] = look.redness * (
            cheek + 0.8 * nose + 0.5 * wings + 0.4 * chin + 0.8 * marks[i, 2] + 0.25 * lid
        )
        values[i, DARK] = (
            look.under_eye * (ring + 0.7 * corner + 0.35 * lid) + 0.20 * mouth_corner + 0.24 * wings + 0.12 * under_lip
        )
        values[i, OIL] = look.oil * (0.75 * forehead + 1.1 * nose + 0.8 * cheekbone + 0.45 * chin + 0.35 * lid)
        values[i, FRECKLED] = look.freckles * (_blob(side, y, z, 0.30, 7.02, 1.42, 0.26) + 0.5 * nose + 0.12)
    return values


@kernel
def skin_colour(look, place, lips, lid, scalp, brow, beard, blood, dark, freckled, blotch, grain):
    """Albedo at a place of the resting head.

    Args:
        look: a SkinLook.
        place: x, y, z on the resting head.
        lips, lid, scalp, brow, beard: the place's marks.
        blood, dark, freckled: its skin map.
        blotch, grain: coarse and fine noise, about −0.5..0.5.
    """
    x, y, z = place
    tone = 1 + 0.14 * blotch + 0.20 * grain
    red = blood * (1 + 1.2 * blotch) + 0.35 * look.redness * blotch + 0.25 * look.redness * grain
    colour = (
        look.albedo[0] * tone * (1 + 0.05 * red - 0.20 * dark),
        look.albedo[1] * tone * (1 - 0.24 * red - 0.30 * dark),
        look.albedo[2] * tone * (1 - 0.20 * red - 0.22 * dark),
    )
    if freckled > 0.02:
        spot = min(freckled * smoothstep(0.60, 0.74, noise(x * 42 + look.seed, y * 42, z * 42)), 0.8)
        colour = (colour[0] * (1 - 0.25 * spot), colour[1] * (1 - 0.42 * spot), colour[2] * (1 - 0.55 * spot))
    if look.eye_shadow > 0 and lid > 0.05:
        above = smoothstep(0.1, 0.9, lid) * smoothstep(7.255, 7.30, y)
        colour = mix(colour, look.eye_shadow_colour, look.eye_shadow * above)
    for mole in look.moles:
        if mole[2] > 0 and z > 1.0:
            colour = times(colour, 1 - 0.7 * hill(x, mole[0], mole[2]) * hill(y, mole[1], mole[2]))
    if lips > 0.05:
        streak = noise(x * 60 + look.seed, y * 9, z * 9) - 0.5
        lip = times(look.lip_colour, 1 + 0.22 * streak + 0.2 * grain)
        colour = mix(colour, lip, look.lip_amount * smoothstep(0.2, 0.8, lips))
    hairy = max(beard * look.stubble * (0.75 + 1.1 * grain), brow * BROW_TINT, scalp * SCALP_TINT * (1 + 0.4 * blotch))
    if hairy > 0:
        shaded = (
            0.9 * look.hair_colour[0] + 0.16 * colour[0],
            0.9 * look.hair_colour[1] + 0.16 * colour[1],
            0.9 * look.hair_colour[2] + 0.17 * colour[2],
        )
        colour = mix(colour, shaded, min(hairy, 0.93))
    return colour
