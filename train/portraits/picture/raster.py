"""From triangles to samples: a z-buffer, the shadow map, ambient occlusion, and the way from samples to a picture.

The z-buffer is the plain one: one pass over all triangles, nearest wins. Faces have few enough of them.
"""

from __future__ import annotations

import math

import numpy as np

from ..kernels.compiled import kernel
from ..kernels.scene import NOTHING, Canvas, Visible

OCCLUSION_REACH = 0.30  # decimetres
OCCLUSION_STEPS = 14
TURNS = 16  # the spirals of 4 × 4 neighbours are turned against one another, and the blur averages them


def _spirals() -> np.ndarray:
    """float32 [TURNS, OCCLUSION_STEPS, 3]: x, y and distance of each step, in shares of the reach."""
    turn, step = np.mgrid[0:TURNS, 0:OCCLUSION_STEPS]
    distance = (step + 0.7) / OCCLUSION_STEPS
    angle = step * math.pi * (3 - math.sqrt(5)) + turn * 2 * math.pi / TURNS  # the golden angle spreads them evenly
    return np.stack([distance * np.cos(angle), distance * np.sin(angle), distance], axis=-1).astype(np.float32)


SPIRALS = _spirals()


def see(projected: np.ndarray, triangles: np.ndarray, samples: int) -> Visible:
    """What each of samples × samples sees; `projected` is float32 [V,3]: x, y in samples, z towards the viewer."""
    visible = Visible(
        np.full((samples, samples), NOTHING, np.float32),
        np.full((samples, samples), -1, np.int32),
        np.zeros((samples, samples), np.float32),
        np.zeros((samples, samples), np.float32),
    )
    _rasterise(projected, triangles, visible.depth, visible.triangle, visible.u, visible.v)
    return visible


@kernel
def _rasterise(points, triangles, depth, triangle, u, v):
    """Fill the z-buffer: for each sample centre the nearest triangle (largest z) and its barycentric coordinates."""
    height, width = depth.shape
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, z0 = points[a, 0], points[a, 1], points[a, 2]
        x1, y1, z1 = points[b, 0] - x0, points[b, 1] - y0, points[b, 2] - z0
        x2, y2, z2 = points[c, 0] - x0, points[c, 1] - y0, points[c, 2] - z0
        area = x1 * y2 - x2 * y1
        if abs(area) < 1e-9:
            continue
        left = max(0, math.ceil(x0 + min(0.0, x1, x2) - 0.5))
        right = min(width - 1, math.floor(x0 + max(0.0, x1, x2) - 0.5))
        top = max(0, math.ceil(y0 + min(0.0, y1, y2) - 0.5))
        bottom = min(height - 1, math.floor(y0 + max(0.0, y1, y2) - 0.5))
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                x, y = column + 0.5 - x0, row + 0.5 - y0
                share_b, share_c = (x * y2 - x2 * y) / area, (x1 * y - x * y1) / area
                if share_b < 0 or share_c < 0 or share_b + share_c > 1:
                    continue
                z = z0 + share_b * z1 + share_c * z2
                if z > depth[row, column]:
                    depth[row, column], triangle[row, column] = z, t
                    u[row, column], v[row, column] = share_b, share_c


@kernel
def vertex_normals(points, triangles):
    """Unit normals float32 [V,3] of vertices [V,3]: of the triangles around each, by their areas."""
    normals = np.zeros_like(points)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x1, y1, z1 = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        x2, y2, z2 = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        nx, ny, nz = y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2
        for corner in (a, b, c):
            normals[corner, 0] += nx
            normals[corner, 1] += ny
            normals[corner, 2] += nz
    for i in range(len(normals)):
        length = math.sqrt(normals[i, 0] ** 2 + normals[i, 1] ** 2 + normals[i, 2] ** 2)
        normals[i] /= max(length, 1e-12)
    return normals


def occlusion(depth: np.ndarray, units_per_sample: float) -> np.ndarray:
    """How open each sample is to the surroundings, float32 [H,W], 0 (shut in) to 1; computed at half the samples.

    Args:
        depth: float32 [H,W] with H and W even, nearest surface or strand.
        units_per_sample: decimetres that a sample covers.
    """
    coarse = _occlusion(np.ascontiguousarray(depth[::2, ::2]), 2 * units_per_sample, SPIRALS)
    smooth = _box_blur(coarse)
    return np.repeat(np.repeat(smooth, 2, axis=0), 2, axis=1)


@kernel
def _occlusion(depth, unit, spirals):
    """Screen-space ambient occlusion: nearer samples on a spiral take light away, the more the steeper they stand."""
    height, width = depth.shape
    open_to_sky = np.ones((height, width), np.float32)
    reach = OCCLUSION_REACH / unit
    for row in range(height):
        for column in range(width):
            z = depth[row, column]
            if z <= NOTHING:
                continue
            spiral = spirals[((row & 3) * 7 + (column & 3) * 3) % TURNS]
            blocked = 0.0
            for step in range(OCCLUSION_STEPS):
                x, y = int(column + reach * spiral[step, 0]), int(row + reach * spiral[step, 1])
                if x < 0 or y < 0 or x >= width or y >= height:
                    continue
                rise = depth[y, x] - z
                if rise <= 0:
                    continue
                slope = rise / math.sqrt(rise * rise + (OCCLUSION_REACH * spiral[step, 2]) ** 2) - 0.25
                if slope > 0:
                    far = min(1.0, max(0.0, (rise - OCCLUSION_REACH) / (2 * OCCLUSION_REACH)))
                    blocked += slope * (1 - far)
            open_to_sky[row, column] = max(0.0, 1 - 2.3 * blocked / OCCLUSION_STEPS)
    return open_to_sky


@kernel
def _box_blur(values):
    """Mean over 5 × 5 samples, fewer at the borders."""
    height, width = values.shape
    rows, blurred = np.empty_like(values), np.empty_like(values)
    for row in range(height):
        for column in range(width):
            low, high = max(0, column - 2), min(width, column + 3)
            rows[row, column] = values[row, low:high].mean()
    for row in range(height):
        low, high = max(0, row - 2), min(height, row + 3)
        for column in range(width):
            total = 0.0
            for i in range(low, high):
                total += rows[i, column]
            blurred[row, column] = total / (high - low)
    return blurred


@kernel
def mean_brightness(colour, triangle, material, strand):
    """Mean linear brightness of bare skin (material 0) in the middle of the canvas; 0 if there is none."""
    height, width = triangle.shape
    total, count = 0.0, 0
    for row in range(height // 4, height * 3 // 4, 3):
        for column in range(width // 4, width * 3 // 4, 3):
            t = triangle[row, column]
            if t >= 0 and material[t] == 0 and strand[row, column] == 0:
                total += 0.3 * colour[row, column, 0] + 0.6 * colour[row, column, 1] + 0.1 * colour[row, column, 2]
                count += 1
    return total / max(count, 1)


def resolve(canvas: Canvas, visible: Visible, open_to_sky: np.ndarray, background: np.ndarray, exposure: float):
    """The picture, uint8 [S,S,3] sRGB: expose, bring highlights in, and average each pixel's samples.

    Args:
        open_to_sky: float32 [H,W], darkens strands (surfaces have it in their colour already).
        background: linear [S,S,3], float32; H must be a multiple of S.
    """
    return _resolve(canvas, visible.triangle, open_to_sky, background, exposure, _SRGB)


SHOULDER = 1.35  # film-like: 1 − exp(−SHOULDER · light), white at 1.7
_WHITE = 1 - math.exp(-SHOULDER * 1.7)
_SRGB = (255 * (np.arange(4097) / 4096) ** (1 / 2.2) + 0.5).astype(np.uint8)  # linear 0..1 in 4096 steps


@kernel
def _resolve(canvas, triangle, open_to_sky, background, exposure, srgb):
    size = len(background)
    per_pixel = len(triangle) // size
    picture = np.empty((size, size, 3), np.uint8)
    for row in range(size):
        for column in range(size):
            for channel in range(3):
                total = 0.0
                for i in range(row * per_pixel, (row + 1) * per_pixel):
                    for j in range(column * per_pixel, (column + 1) * per_pixel):
                        cover, behind = canvas.strand[i, j], background[row, column, channel]
                        light = canvas.colour[i, j, channel] * exposure
                        if cover > 0:
                            light *= 1 - cover * (0.55 - 0.55 * open_to_sky[i, j])
                        seen = min(1.0, (1 - math.exp(-SHOULDER * light)) / _WHITE)
                        total += seen if triangle[i, j] >= 0 else cover * seen + (1 - cover) * behind
                share = total / (per_pixel * per_pixel)
                picture[row, column, channel] = srgb[int(4096 * max(0.0, min(1.0, share)))]
    return picture
