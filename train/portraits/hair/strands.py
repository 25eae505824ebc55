"""Hairs as polylines: how they dim the key light, how they shine, and how they become samples of the picture.

A head has about 100,000 hairs, each a sixth of a sample wide. Ten thousand strands, each a small lock of hairs a sample
or two wide, look the same once they are drawn with partial coverage, nearest first, so that the scene behind shows
through where they are sparse.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..kernels.compiled import kernel
from ..kernels.scene import Camera, Canvas, Lights, ShadowMap

HAIR, BROW, BEARD, LASH = range(4)  # kinds of strands

# One number for each kind.
SHINE = np.array([1.0, 0.15, 0.15, 0.0], np.float32)  # weight of the two highlights
ROOT_LIGHT = np.array([0.42, 0.75, 0.55, 0.9], np.float32)  # light that reaches the root of an innermost strand
SINK = np.array(
    [0.004, 0.012, 0.010, 0.03], np.float32
)  # how far below the skin, in decimetres, a strand is still seen

SLICES = 128  # of depth, into which segments are sorted
HALF = np.float32(0.5)
FULL = np.float32(0.97)  # coverage at which nothing behind is seen any more


@dataclass(frozen=True)
class Strands:
    """Polylines of one kind, all of K points, from root to tip.

    Attributes:
        points: float32 [N,K,3], in decimetres.
        tint: float32 [N], a factor on the colour.
        width: float32 [N], at the root, in decimetres; tips are thinner.
        layer: float32 [N], 0 innermost … 1 outermost: inner strands get less light.
        colour: linear RGB albedo.
        kind: HAIR, BROW, BEARD or LASH.
    """

    points: np.ndarray
    tint: np.ndarray
    width: np.ndarray
    layer: np.ndarray
    colour: tuple[float, float, float]
    kind: int


def cast(points: np.ndarray, shadow: ShadowMap) -> None:
    """Enter posed strands [N,K,3] into `shadow.depth`."""
    _cast(points, shadow)


def draw(
    strands: Strands,
    points: np.ndarray,
    lights: Lights,
    shadow: ShadowMap,
    camera: Camera,
    head_centre: np.ndarray,
    canvas: Canvas,
) -> None:
    """Shade strands (Kajiya and Kay 1989, with the second, coloured highlight of Marschner 2003) and draw them.

    Draw hair first: strands go over what earlier calls drew where they are nearer, and are hidden where they are not.

    Args:
        strands: what to draw; its own points are not used.
        points: float32 [N,K,3], its points after posing.
        head_centre: [3], posed; hair that faces away from a light, as seen from here, is in the head's shade.
        canvas: its depth is that of the triangles at first; all is changed where strands are seen.
    """
    x, y, z = _project(points, camera)
    order = _nearest_first(x, y, z, points.shape[1], camera.size)
    shaded = np.full((len(x), 3), -1, np.float32)  # filled in when a segment proves to be visible
    colour = np.array(strands.colour, np.float32)
    scale = np.float32(camera.focal / (camera.distance - head_centre[2]))
    _paint(
        order, x, y, z, strands.width * scale, points, strands.tint, strands.layer, colour, strands.kind,
        lights, shadow, camera, np.asarray(head_centre, np.float32), shaded,
        canvas.depth.copy(), canvas.strand.copy(), canvas.colour, canvas.depth, canvas.strand,
    )  # fmt: skip


@kernel
def _cast(points, shadow):
    count, length = points.shape[:2]
    size = shadow.depth.shape[0]
    for strand in range(count):
        px, py, pz = _to_light(points[strand, 0], shadow)
        for k in range(1, length):
            qx, qy, qz = _to_light(points[strand, k], shadow)
            steps = int(max(abs(qx - px), abs(qy - py))) + 1
            for step in range(steps):
                share = step / steps
                column, row = int(px + (qx - px) * share), int(py + (qy - py) * share)
                if 0 <= column < size and 0 <= row < size:
                    shadow.depth[row, column] = max(shadow.depth[row, column], pz + (qz - pz) * share)
            px, py, pz = qx, qy, qz


@kernel
def _to_light(point, shadow):
    """Where a point is in the shadow map: column, row, and its depth towards the light."""
    x, y, z = point[0] - shadow.centre[0], point[1] - shadow.centre[1], point[2] - shadow.centre[2]
    b = shadow.basis
    half = shadow.depth.shape[0] * 0.5
    return (
        (x * b[0, 0] + y * b[0, 1] + z * b[0, 2]) * shadow.scale + half,
        (x * b[1, 0] + y * b[1, 1] + z * b[1, 2]) * shadow.scale + half,
        x * b[2, 0] + y * b[2, 1] + z * b[2, 2],
    )


@kernel
def _project(points, camera):
    """Column, row and depth of all points, [N·K] each."""
    count, length = points.shape[:2]
    x, y, z = (
        np.empty(count * length, np.float32),
        np.empty(count * length, np.float32),
        np.empty(count * length, np.float32),
    )
    half = camera.size * 0.5
    for strand in range(count):
        for k in range(length):
            i = strand * length + k
            scale = camera.focal / (camera.distance - points[strand, k, 2])
            x[i] = (points[strand, k, 0] - camera.x) * scale + half
            y[i] = half - (points[strand, k, 1] - camera.y) * scale
            z[i] = points[strand, k, 2]
    return x, y, z


@kernel
def _nearest_first(x, y, z, length, size):
    """The segments in the picture, each by its first point, nearest first: a counting sort over slices of depth."""
    far, near = np.float32(1e9), np.float32(-1e9)
    inside = np.zeros(len(x), np.bool_)
    for i in range(len(x)):
        if i % length == length - 1:
            continue
        j = i + 1
        if max(x[i], x[j]) < 0 or min(x[i], x[j]) >= size or max(y[i], y[j]) < 0 or min(y[i], y[j]) >= size:
            continue
        inside[i] = True
        far, near = min(far, z[i]), max(near, z[i])
    scale = (SLICES - 1) / max(near - far, 1e-6)

    start = np.zeros(SLICES + 1, np.int64)
    for i in range(len(x)):
        if inside[i]:
            start[int((near - z[i]) * scale) + 1] += 1
    for s in range(SLICES):
        start[s + 1] += start[s]
    order = np.empty(start[SLICES], np.int64)
    for i in range(len(x)):
        if inside[i]:
            s = int((near - z[i]) * scale)
            order[start[s]] = i
            start[s] += 1
    return order


@kernel
def _paint(
    order, x, y, z, width, points, tint, layer, colour, kind, lights, shadow, camera, head_centre, shaded,
    solid, earlier, canvas_colour, canvas_depth, coverage,
):  # fmt: skip
    """Draw segments as antialiased lines: along the longer axis a sample at a time, across it by exact overlap.

    Colours are multiplied by coverage on the way in, so that adding a segment is a sum, and divided on the way out.
    """
    length = points.shape[1]
    size = camera.size
    sink = SINK[kind]
    one = np.float32(1)
    _weigh(canvas_colour, coverage, False)
    for i in order:
        j = i + 1
        strand, k = i // length, i % length
        steep = abs(y[j] - y[i]) > abs(x[j] - x[i])
        a, b, c, d = (y[i], y[j], x[i], x[j]) if steep else (x[i], x[j], y[i], y[j])
        first, last = max(math.ceil(min(a, b) - HALF), 0), min(math.ceil(max(a, b) - HALF), size)
        if last <= first or _hidden(x[i], y[i], z[i], x[j], y[j], z[j], sink, solid, coverage, earlier):
            continue
        if shaded[i, 0] < 0:
            _shade(strand, k, i, points, tint, layer, colour, kind, lights, shadow, camera, head_centre, shaded)
        if shaded[j, 0] < 0:
            _shade(strand, k + 1, j, points, tint, layer, colour, kind, lights, shadow, camera, head_centre, shaded)
        red, green, blue = shaded[i, 0], shaded[i, 1], shaded[i, 2]
        redder, greener, bluer = shaded[j, 0] - red, shaded[j, 1] - green, shaded[j, 2] - blue
        per_step = one / (b - a)
        for m in range(first, last):
            share = (np.float32(m) + HALF - a) * per_step
            along = (np.float32(k) + share) / np.float32(length - 1)
            thickness = width[strand] * (one - np.float32(0.75) * along * along)
            half = max(thickness, one) * HALF  # thinner than a sample: a sample wide, and fainter
            faint = min(thickness, one)
            middle = c + (d - c) * share
            low, high = middle - half, middle + half
            depth = z[i] + (z[j] - z[i]) * share
            for n in range(max(math.floor(low), 0), min(math.floor(high) + 1, size)):
                row, column = (m, n) if steep else (n, m)
                before = coverage[row, column]
                over = earlier[row, column] > HALF
                if (before > FULL and not over) or depth < solid[row, column] - sink:
                    continue
                opacity = min(np.float32(n + 1), high) - max(np.float32(n), low)
                opacity = min(max(opacity, np.float32(0)), one) * faint
                added = opacity
                if over:
                    canvas_colour[row, column, 0] *= one - opacity
                    canvas_colour[row, column, 1] *= one - opacity
                    canvas_colour[row, column, 2] *= one - opacity
                else:
                    added *= one - before
                canvas_colour[row, column, 0] += added * (red + redder * share)
                canvas_colour[row, column, 1] += added * (green + greener * share)
                canvas_colour[row, column, 2] += added * (blue + bluer * share)
                after = before + (one - before) * opacity
                coverage[row, column] = after
                if after > HALF and depth > canvas_depth[row, column]:
                    canvas_depth[row, column] = depth
    _weigh(canvas_colour, coverage, True)


@kernel
def _weigh(colour, coverage, back):
    """Multiply colours by coverage, or divide them by it again."""
    for row in range(coverage.shape[0]):
        for column in range(coverage.shape[1]):
            share = coverage[row, column]
            if share > 0:
                factor = np.float32(1) / share if back else share
                for channel in range(3):
                    colour[row, column, channel] *= factor


@kernel
def _hidden(x0, y0, z0, x1, y1, z1, sink, solid, coverage, earlier):
    """Whether five points of a segment lie behind triangles or nearer strands: then all of it does, nearly always."""
    size = coverage.shape[0]
    for step in range(5):
        share = np.float32(0.25 * step)
        column = min(max(int(x0 + (x1 - x0) * share), 0), size - 1)
        row = min(max(int(y0 + (y1 - y0) * share), 0), size - 1)
        open_here = coverage[row, column] <= FULL or earlier[row, column] > HALF
        if open_here and z0 + (z1 - z0) * share >= solid[row, column] - sink:
            return False
    return True


@kernel
def _shade(strand, k, i, points, tint, layer, colour, kind, lights, shadow, camera, head_centre, shaded):
    """The light that point k of a strand sends to the camera, into shaded[i]."""
    length = points.shape[1]
    here = points[strand, k]
    before, after = points[strand, max(k - 1, 0)], points[strand, min(k + 1, length - 1)]
    tx, ty, tz = _unit(after[0] - before[0], after[1] - before[1], after[2] - before[2])
    vx, vy, vz = _unit(camera.x - here[0], camera.y - here[1], camera.distance - here[2])
    nx, ny, nz = _unit(here[0] - head_centre[0], here[1] - head_centre[1], here[2] - head_centre[2])

    along = k / (length - 1)
    low = ROOT_LIGHT[kind]
    reached = low + (1 - low) * min(
        1.0, 0.45 * layer[strand] + 0.75 * along
    )  # inner hair and roots are shaded by the rest
    column, row, depth = _to_light(here, shadow)
    size = shadow.depth.shape[0]
    column, row = min(max(int(column), 0), size - 1), min(max(int(row), 0), size - 1)
    if kind == HAIR:
        in_front = max(0.0, shadow.depth[row, column] - depth - 0.03)
        lit = 0.12 + 0.88 * math.exp(-6.0 * in_front)  # light fades in hair, it does not end
        if shadow.solid[row, column] > depth + 0.06:
            lit *= 0.15
    else:
        lit = 1.0 if shadow.depth[row, column] < depth + 0.12 else 0.2

    upwards = 0.5 + 0.5 * ny
    sideways = 1 + lights.ambient_side * nx
    ambient = 0.62 * reached * sideways
    red, green, blue = colour[0] * tint[strand], colour[1] * tint[strand], colour[2] * tint[strand]
    out_red = red * (lights.ambient_down[0] + (lights.ambient_up[0] - lights.ambient_down[0]) * upwards) * ambient
    out_green = green * (lights.ambient_down[1] + (lights.ambient_up[1] - lights.ambient_down[1]) * upwards) * ambient
    out_blue = blue * (lights.ambient_down[2] + (lights.ambient_up[2] - lights.ambient_down[2]) * upwards) * ambient

    shine = SHINE[kind]
    tilt = 0.05 * (layer[strand] - 0.5)  # scales do not lie alike on all hairs: this breaks the highlight up
    for light in range(lights.direction.shape[0]):
        lx, ly, lz = lights.direction[light, 0], lights.direction[light, 1], lights.direction[light, 2]
        with_light = tx * lx + ty * ly + tz * lz
        diffuse = math.sqrt(max(0.0, 1 - with_light * with_light))
        hx, hy, hz = _unit(vx + lx, vy + ly, vz + lz)
        with_half = tx * hx + ty * hy + tz * hz
        primary = _power64(1 - (with_half + 0.06 + tilt) ** 2)
        secondary = _power16(1 - (with_half - 0.10 + tilt) ** 2)
        shade = lit if light == 0 else (0.8 if light == 1 else 0.6)
        if kind == HAIR:  # a wrapped cosine stands for the head that is in the way
            shade *= min(1.0, max(0.0, (nx * lx + ny * ly + nz * lz + 0.35) / 1.35))
        shade *= reached
        diffuse = 0.75 * diffuse + 0.5 * shine * secondary
        mirror = 0.035 * shine * primary
        out_red += lights.colour[light, 0] * shade * (red * diffuse + mirror)
        out_green += lights.colour[light, 1] * shade * (green * diffuse + mirror)
        out_blue += lights.colour[light, 2] * shade * (blue * diffuse + mirror)
    shaded[i, 0], shaded[i, 1], shaded[i, 2] = out_red, out_green, out_blue


@kernel
def _unit(x, y, z):
    norm = 1 / math.sqrt(x * x + y * y + z * z + 1e-12)
    return x * norm, y * norm, z * norm


@kernel
def _power16(x):
    x = max(x, 0.0)
    x = x * x
    x = x * x
    x = x * x
    return x * x


@kernel
def _power64(x):
    x = _power16(x)
    x = x * x
    return x * x
