"""What matter makes of light: ambient, diffuse and mirrored light towards the viewer."""

from __future__ import annotations

import math

from ..kernels.compiled import kernel
from ..kernels.vectors import dot, unit


@kernel
def radiance(matter, normal, soft, view, lights, lit):
    """Light towards the viewer: hemisphere ambient, wrapped diffuse that reddens at the terminator, two GGX lobes."""
    facing = max(dot(normal, view), 0.03)
    openness = matter.openness
    red, green, blue = _ambient(matter, soft if matter.flesh > 0 else normal, lights)
    grazing = (1 - facing) ** 2
    grazing *= grazing * (1 - facing)
    mirrored_up = 0.5 + facing * normal[1] - 0.5 * view[1]  # 0..1: from below, from above
    sky = openness * (matter.mirror + (0.5 - matter.mirror) * grazing) * (1 - 0.5 * matter.roughness)
    sky *= 0.15 + 0.55 * mirrored_up * mirrored_up
    red += sky * lights.ambient_up[0]
    green += sky * lights.ambient_up[1]
    blue += sky * lights.ambient_up[2]
    crevice = 0.40 + 0.60 * openness
    for light in range(lights.direction.shape[0]):
        to_light = (lights.direction[light, 0], lights.direction[light, 1], lights.direction[light, 2])
        reached = lit if light == 0 else 1.0
        straight, softened = dot(normal, to_light), dot(soft, to_light)
        if straight < -0.6 and softened < -0.6:
            continue
        d = _diffuse(straight, softened, reached, matter.flesh)
        s = 0.0
        if straight > 0 and reached > 0:
            s = reached * _specular(matter, normal, view, to_light, straight, facing)
        red += lights.colour[light, 0] * crevice * (matter.albedo[0] * d[0] + s)
        green += lights.colour[light, 1] * crevice * (matter.albedo[1] * d[1] + s)
        blue += lights.colour[light, 2] * crevice * (matter.albedo[2] * d[2] + s)
    return red, green, blue


@kernel
def _ambient(matter, normal, lights):
    """Light of the surroundings; what crevices lose comes back coloured by the walls (Jimenez et al. 2016, eq. 10)."""
    upwards = 0.5 + 0.5 * normal[1]
    sideways = 1 + lights.ambient_side * normal[0]
    o = matter.openness
    return (
        _ambient_channel(lights.ambient_down[0], lights.ambient_up[0], upwards, sideways, o, matter.albedo[0]),
        _ambient_channel(lights.ambient_down[1], lights.ambient_up[1], upwards, sideways, o, matter.albedo[1]),
        _ambient_channel(lights.ambient_down[2], lights.ambient_up[2], upwards, sideways, o, matter.albedo[2]),
    )


@kernel
def _ambient_channel(down, up, upwards, sideways, openness, albedo):
    a, b, c = 2.0404 * albedo - 0.3324, -4.7951 * albedo + 0.6417, 2.7552 * albedo + 0.6903
    bounced = max(openness, ((openness * a + b) * openness + c) * openness)
    return albedo * (down + (up - down) * upwards) * sideways * bounced


@kernel
def _diffuse(straight, softened, reached, flesh):
    """Share of a light that is sent back, for red, green and blue: red wanders furthest below skin."""
    if flesh <= 0:
        plain = max(0.0, (straight + 0.08) / 1.08) * reached
        return plain, plain, plain
    half_lit = flesh * 4 * reached * (1 - reached)  # light bleeds into the border of a shadow
    red = max(0.0, (0.25 * straight + 0.75 * softened + 0.28) / 1.28) * min(reached + 0.10 * half_lit, 1.0)
    green = max(0.0, (0.55 * straight + 0.45 * softened + 0.15) / 1.15) * min(reached + 0.03 * half_lit, 1.0)
    blue = max(0.0, (0.75 * straight + 0.25 * softened + 0.10) / 1.10) * reached
    return red * (0.72 + 0.28 * red), green * (0.80 + 0.20 * green), blue * (0.85 + 0.15 * blue)


@kernel
def _specular(matter, normal, view, to_light, straight, facing):
    """Two lobes of Trowbridge and Reitz's (1975) distribution, "GGX", with Schlick's Fresnel and shadowing."""
    middle = unit((to_light[0] + view[0], to_light[1] + view[1], to_light[2] + view[2]))
    along = max(dot(normal, middle), 0.0)
    across = 1 - max(dot(view, middle), 0.0)
    fresnel = matter.mirror + (1 - matter.mirror) * across * across * across * across * across
    r = matter.roughness
    spread = 0.8 * _ggx(along, r * r) + 0.2 * _ggx(along, 0.42 * r * r)
    k = 0.5 * r * r
    return 0.25 * spread * fresnel * straight / ((facing * (1 - k) + k) * (straight * (1 - k) + k))


@kernel
def _ggx(along, alpha):
    squared = alpha * alpha
    d = along * along * (squared - 1) + 1
    return squared / (math.pi * d * d + 1e-9)
