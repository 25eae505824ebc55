"""Shading: the light that each visible sample of the surface sends to the camera."""

from __future__ import annotations

import math

import numpy as np

from ..head.cloth import ClothLook
from ..head.eyes import EyeLook, eye_axes, eye_colour, eye_normal
from ..head.glasses import NO_GLASSES, GlassesLook
from ..head.matter import BLOTCH, CREASE, GRAIN, HEIGHT, Matter, matter_of, skin_matter
from ..head.skin import SkinLook, skin_map
from ..head.wrinkles import Wrinkles, aged, wrinkle_relief
from ..kernels.compiled import kernel
from ..kernels.noise import noise
from ..kernels.scene import (
    LEFT_EYE,
    RIGHT_EYE,
    SKIN,
    Camera,
    Canvas,
    Lights,
    ShadowMap,
    Surface,
    Visible,
)
from ..kernels.vectors import corner_mean3, dot, mix, smoothstep, times, unit
from .radiance import radiance

TAPS = 8  # of the shadow map
SOFT_SHADOW, SHADOW_BIAS = 4.0, 0.045  # radius in the map's samples, depth in decimetres
TURNS = 16  # ways in which the taps are turned, so that neighbouring samples' shadows differ and average out


def _spirals() -> np.ndarray:
    """Taps over a disc, [TURNS,TAPS,2], in the shadow map's samples (Vogel's spiral)."""
    tap, turn = np.arange(TAPS), np.arange(TURNS)[:, None]
    angle = 2.399963 * tap + 2 * math.pi * ((7 * turn) % TURNS) / TURNS
    return SOFT_SHADOW * np.sqrt((tap + 0.5) / TAPS)[..., None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


SPIRALS = _spirals()


def shade(
    surface: Surface,
    visible: Visible,
    camera: Camera,
    lights: Lights,
    shadow: ShadowMap,
    occlusion: np.ndarray,
    skin: SkinLook,
    wrinkles: Wrinkles,
    eyes: EyeLook,
    cloth: ClothLook,
    glasses: GlassesLook | None,
    canvas: Canvas,
) -> None:
    """Write the colour of every sample that sees the surface into `canvas.colour`, under what strands cover it.

    Args:
        surface: everything made of triangles, posed.
        visible: what each sample sees of it.
        occlusion: float32 [H,W], 0..1, how open each sample is to the surroundings' light.
        wrinkles: of the expression; the age's are added here.
        glasses: what the glasses in the surface are made of, if there are any.
        canvas: `colour` holds the strands' colour where `strand` is above 0.
    """
    paint = np.concatenate([surface.marks, skin_map(skin, surface.rest, surface.marks)], axis=1)
    spacing = (camera.distance - 1.4) / camera.focal  # decimetres between samples, at the face
    blocks = _blocks(surface, visible, skin, aged(wrinkles, skin.age), spacing)
    axes = np.stack([_axes_of(surface, material) for material in (LEFT_EYE, RIGHT_EYE)])
    _shade(
        surface, visible, camera, lights, shadow, occlusion, skin, eyes, cloth, glasses or NO_GLASSES,
        paint, blocks, axes, spacing, canvas.colour, canvas.strand,
    )  # fmt: skip


def _axes_of(surface: Surface, material: int) -> np.ndarray:
    """The axes [3,3] of the eye of a material."""
    vertices = np.unique(surface.triangles[surface.material == material])
    return eye_axes(surface.rest[vertices], surface.position[vertices])


@kernel
def _blocks(surface, visible, skin, wrinkles, spacing):
    """Skin's noise, relief and creases for blocks of 2 × 2 samples: float32 [H/2,W/2,4]; crease is −1 off the skin."""
    rows, columns = visible.triangle.shape[0] // 2, visible.triangle.shape[1] // 2
    blocks = np.zeros((rows, columns, 4), np.float32)
    fine = min(0.004 / spacing, 1.0)  # pores are smaller than the samples of a small picture
    for row in range(rows):
        for column in range(columns):
            triangle = visible.triangle[2 * row, 2 * column]
            blocks[row, column, CREASE] = -1.0
            if triangle < 0 or surface.material[triangle] != SKIN:
                continue
            i, j, k = surface.triangles[triangle]
            u, v = visible.u[2 * row, 2 * column], visible.v[2 * row, 2 * column]
            x, y, z = corner_mean3(surface.rest, i, j, k, u, v)
            s = skin.seed
            height, crease = wrinkle_relief(wrinkles, x, y, z, s)
            pores = noise(x * 48 + s, y * 48, z * 48) - 0.5
            finer = fine * (noise(x * 105 + s, y * 105, z * 105) - 0.5)
            blocks[row, column, BLOTCH] = noise(x * 7 + s, y * 7, z * 7) - 0.5
            blocks[row, column, GRAIN] = 0.55 * (noise(x * 22 + s, y * 22, z * 22) - 0.5) + 0.6 * pores
            blocks[row, column, HEIGHT] = height + 0.0011 * pores + 0.0012 * finer
            blocks[row, column, CREASE] = crease
    return blocks


@kernel
def _shade(
    surface, visible, camera, lights, shadow, occlusion, skin, eyes, cloth, glasses,
    paint, blocks, axes, spacing, colour, strand,
):  # fmt: skip
    """The work of `shade`, sample by sample, rows from the top."""
    height, width = visible.triangle.shape
    half = camera.size * 0.5
    below_lid = np.zeros(width)  # how far below the upper lid each column's sample of an eye is, in decimetres
    for row in range(height):
        for column in range(width):
            triangle = visible.triangle[row, column]
            material = surface.material[triangle] if triangle >= 0 else -1
            if material in (LEFT_EYE, RIGHT_EYE):
                below_lid[column] += spacing
            else:
                below_lid[column] = 0.0
            if triangle < 0 or strand[row, column] >= 1:
                continue
            i, j, k = surface.triangles[triangle]
            u, v = visible.u[row, column], visible.v[row, column]
            rest = corner_mean3(surface.rest, i, j, k, u, v)
            normal = unit(corner_mean3(surface.normal, i, j, k, u, v))
            z = visible.depth[row, column]
            away = (camera.distance - z) / camera.focal
            point = (camera.x + (column + 0.5 - half) * away, camera.y - (row + 0.5 - half) * away, z)
            view = unit((camera.x - point[0], camera.y - point[1], camera.distance - z))
            lit = _unshadowed(shadow, point, row, column)
            open_to = occlusion[row, column]

            if material == SKIN:
                soft = unit(corner_mean3(surface.soft_normal, i, j, k, u, v))
                block = blocks[row // 2, column // 2]
                matter = skin_matter(skin, cloth, paint, block, i, j, k, u, v, rest, open_to)
                if matter.flesh > 0:
                    normal = _bumped(normal, blocks, row // 2, column // 2, spacing)
                out = radiance(matter, normal, soft, view, lights, lit)
            elif material in (LEFT_EYE, RIGHT_EYE):
                eye, lid = axes[material - LEFT_EYE], below_lid[column]
                out = _eye_radiance(eyes, eye, material, rest, normal, view, lights, lit, open_to, lid)
            else:
                if dot(normal, view) < 0:
                    normal = times(normal, -1.0)
                matter, normal, lit = matter_of(skin, glasses, material, rest, normal, open_to, lit)
                out = radiance(matter, normal, normal, view, lights, lit)
            for channel in range(3):
                colour[row, column, channel] = (
                    strand[row, column] * colour[row, column, channel] + (1 - strand[row, column]) * out[channel]
                )


@kernel
def _bumped(normal, blocks, row, column, spacing):
    """The normal tilted by the relief's slope: n − (∇h − n (n·∇h)), ∇h from the heights of the neighbouring blocks.

    That is Blinn's (1978) perturbation for a height given on the picture plane.
    """
    if blocks[row, column, CREASE] < 0:
        return normal
    across = _slope(blocks, row, column, row, max(column - 1, 0), row, min(column + 1, blocks.shape[1] - 1), spacing)
    upwards = _slope(blocks, row, column, min(row + 1, blocks.shape[0] - 1), column, max(row - 1, 0), column, spacing)
    along = normal[0] * across + normal[1] * upwards
    return unit(
        (normal[0] - across + along * normal[0], normal[1] - upwards + along * normal[1], normal[2] + along * normal[2])
    )


@kernel
def _slope(blocks, row, column, row_before, column_before, row_after, column_after, spacing):
    """Change of height over distance between two neighbours of a block; a neighbour without skin is left out."""
    before, after, steps = blocks[row, column, HEIGHT], blocks[row, column, HEIGHT], 0
    if blocks[row_before, column_before, CREASE] >= 0:
        before, steps = blocks[row_before, column_before, HEIGHT], steps + 1
    if blocks[row_after, column_after, CREASE] >= 0:
        after, steps = blocks[row_after, column_after, HEIGHT], steps + 1
    return (after - before) / (2 * spacing * max(steps, 1))


@kernel
def _unshadowed(shadow, point, row, column):
    """Share of the key light that reaches a point, 0..1: percentage-closer filtering (Reeves 1987) over a spiral."""
    b = shadow.basis
    x, y, z = point[0] - shadow.centre[0], point[1] - shadow.centre[1], point[2] - shadow.centre[2]
    size = shadow.depth.shape[0]
    across = (x * b[0, 0] + y * b[0, 1] + z * b[0, 2]) * shadow.scale + size * 0.5
    upwards = (x * b[1, 0] + y * b[1, 1] + z * b[1, 2]) * shadow.scale + size * 0.5
    depth = x * b[2, 0] + y * b[2, 1] + z * b[2, 2] + SHADOW_BIAS
    turn = (column & 3) + 4 * (row & 3)
    free = 0.0
    for tap in range(TAPS):
        i, j = int(across + SPIRALS[turn, tap, 0]), int(upwards + SPIRALS[turn, tap, 1])
        if i < 0 or j < 0 or i >= size or j >= size or shadow.depth[j, i] < depth:
            free += 1.0
    return free / TAPS


@kernel
def _eye_radiance(eyes, axes, material, direction, normal, view, lights, lit, open_to, below_lid):
    """An eye under its lid: white and iris, lit softly, and the lights mirrored in the cornea."""
    x, y, z = direction
    key = (lights.direction[0, 0], lights.direction[0, 1], lights.direction[0, 2])
    light_x = axes[0, 0] * key[0] + axes[0, 1] * key[1] + axes[0, 2] * key[2]
    light_y = axes[1, 0] * key[0] + axes[1, 1] * key[1] + axes[1, 2] * key[2]
    albedo = eye_colour(eyes, material, x, y, z, light_x, light_y)
    passed = _lid_shade(below_lid)
    matter = Matter(albedo, passed * (0.55 + 0.45 * open_to), 0.5, 0.0, 0.6)
    # Light wanders through the white, and lids are thinner than the shadow map thinks.
    out = radiance(matter, normal, normal, view, lights, passed * (0.45 + 0.55 * lit))
    cornea = eye_normal(eyes, axes, x, y, z)
    glint = 0.0
    for light in range(min(lights.direction.shape[0], 2)):
        towards = (lights.direction[light, 0], lights.direction[light, 1], lights.direction[light, 2])
        towards = unit(mix(towards, view, 0.35))  # as photographers place it, so that lids do not hide it
        strength = 0.9 if light == 0 else 0.3
        glint += strength * _catchlight(cornea, view, towards) * min(lights.colour[light, 1], 1.5)
    mirrored_up = 2 * dot(cornea, view) * cornea[1] - view[1]
    sky = 0.05 * smoothstep(0.0, 0.8, mirrored_up) * passed
    glint *= 0.3 + 0.7 * passed
    return (
        out[0] + glint + sky * lights.ambient_up[0],
        out[1] + glint + sky * lights.ambient_up[1],
        out[2] + glint + sky * lights.ambient_up[2],
    )


@kernel
def _lid_shade(below_lid):
    """How much light passes, 0..1, at a distance (decimetres) below the upper lid: its shadow, its line of lashes."""
    near, line = below_lid / 0.030, below_lid / 0.008
    return (1 - 0.50 * math.exp(-near * near)) * (1 - 0.55 * math.exp(-line * line))


@kernel
def _catchlight(normal, view, light):
    """How much of a soft box around the light's direction, 0..1, an eye mirrors to the viewer."""
    twice = 2 * dot(normal, view)
    mirrored = (twice * normal[0] - view[0], twice * normal[1] - view[1], twice * normal[2] - view[2])
    return smoothstep(0.955, 0.975, dot(mirrored, light))
