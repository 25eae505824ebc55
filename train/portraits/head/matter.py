"""What a head is made of at a point: skin, lips, cloth, the lining of the mouth, tongue, teeth, glasses."""

from __future__ import annotations

from typing import NamedTuple

from ..kernels.compiled import kernel
from ..kernels.scene import LOWER_TEETH, TONGUE, UPPER_TEETH
from ..kernels.vectors import corner_mean, hill, mix, smoothstep, unit
from .cloth import cloth_colour, cloth_depth
from .mouth import cavity_colour, tongue_colour, tooth_colour
from .skin import BLOOD, DARK, FRECKLED, OIL, skin_colour

LIPS, LID, _, INSIDE_MOUTH, SCALP, BROW, BEARD, FIRST_OF_MAP = range(8)  # columns of Surface.marks, then a skin map's
BLOTCH, GRAIN, HEIGHT, CREASE = range(4)  # of skin, worked out once for each block of 2 × 2 samples


class Matter(NamedTuple):
    """What a sample is made of."""

    albedo: tuple[float, float, float]
    openness: float  # 0..1, how much of the surroundings' light gets to it
    roughness: float
    mirror: float  # reflectance when seen head on
    flesh: float  # 0..1, how much light wanders below the surface


@kernel
def skin_matter(skin, cloth, paint, block, i, j, k, u, v, rest, open_to):
    """Skin, lips, the lining of the mouth, or the cloth over skin."""
    x, y, z = rest
    depth = cloth_depth(cloth, x, y, z)
    if depth > 0:
        albedo, openness = cloth_colour(cloth, x, y, z, depth)
        return Matter(albedo, openness * open_to, 0.8, 0.010, 0.0)
    lips = corner_mean(paint, i, j, k, LIPS, u, v)
    lid = corner_mean(paint, i, j, k, LID, u, v)
    inside = corner_mean(paint, i, j, k, INSIDE_MOUTH, u, v)
    scalp = corner_mean(paint, i, j, k, SCALP, u, v)
    brow = corner_mean(paint, i, j, k, BROW, u, v)
    beard = corner_mean(paint, i, j, k, BEARD, u, v)
    blood = corner_mean(paint, i, j, k, FIRST_OF_MAP + BLOOD, u, v)
    dark = corner_mean(paint, i, j, k, FIRST_OF_MAP + DARK, u, v)
    oil = corner_mean(paint, i, j, k, FIRST_OF_MAP + OIL, u, v)
    freckled = corner_mean(paint, i, j, k, FIRST_OF_MAP + FRECKLED, u, v)
    blotch, grain = block[BLOTCH], block[GRAIN]
    fold = hill(lid, 0.45, 0.25) * smoothstep(7.28, 7.33, y)  # where the upper lid turns in
    dark += 0.5 * fold
    albedo = skin_colour(skin, rest, lips, lid, scalp, brow, beard, blood, dark, freckled, blotch, grain)

    lip = smoothstep(0.25, 0.75, lips)
    roughness = skin.roughness * (1 - 0.14 * min(oil, 1.0) - 0.35 * lip * skin.lip_gloss) * (1 + 0.25 * grain)
    mirror = (0.020 + 0.016 * min(oil, 1.2)) * (1 + 0.6 * grain) * (1 - 0.6 * min(scalp + 0.5 * beard, 1.0))
    mirror += 0.030 * lip * skin.lip_gloss
    openness = (1 - max(block[CREASE], 0.0)) * (1 - 0.3 * fold) * open_to
    if inside > 0.5 and lip < 0.5:
        lining, open_lining = cavity_colour(skin.mouth, z)
        share = smoothstep(0.5, 0.9, inside)
        albedo = mix(albedo, lining, share)
        openness += share * (open_lining * (0.5 + 0.5 * open_to) - openness)
        roughness += share * (0.35 - roughness)
    return Matter(albedo, openness, roughness, mirror, 1.0)


@kernel
def matter_of(skin, glasses, material, rest, normal, open_to, lit):
    """Tongue, teeth or glasses: what they are made of, the normal to shade them with, and the key light they get."""
    x, y, z = rest
    if material == TONGUE:
        albedo, openness = tongue_colour(skin.mouth, x, y, z)
        return Matter(albedo, openness * (0.4 + 0.6 * open_to), 0.35, 0.03, 1.0), normal, lit
    if material in (UPPER_TEETH, LOWER_TEETH):
        albedo, openness, sideways = tooth_colour(skin.mouth, material, x, y, z)
        # Light enters teeth and comes out elsewhere: their own shape and the lip's shadow show only faintly.
        normal = unit((0.35 * normal[0] + sideways, 0.35 * normal[1] + 0.10, 0.35 * normal[2] + 0.65))
        return Matter(albedo, openness * (0.6 + 0.4 * open_to), 0.22, 0.035, 0.5), normal, 0.75 + 0.25 * lit
    mirror = 0.05 + 0.45 * glasses.metal * glasses.colour[1]
    return Matter(glasses.colour, 0.5 + 0.5 * open_to, 0.30 - 0.05 * glasses.metal, mirror, 0.0), normal, lit
