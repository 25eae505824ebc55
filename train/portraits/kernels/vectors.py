"""Vectors of three numbers as tuples, and smooth steps: the arithmetic of the shading kernels."""

from __future__ import annotations

import math

from .compiled import kernel


@kernel
def dot(a, b):
    """a · b."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@kernel
def unit(a):
    """a of length 1; the null vector stays (nearly) null."""
    scale = 1 / math.sqrt(dot(a, a) + 1e-20)
    return a[0] * scale, a[1] * scale, a[2] * scale


@kernel
def mix(a, b, share):
    """a where share is 0, b where it is 1, component by component."""
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2])


@kernel
def times(a, factor):
    """a × factor."""
    return a[0] * factor, a[1] * factor, a[2] * factor


@kernel
def corner_mean(values, i, j, k, column, u, v):
    """The value of a column at a point of a triangle, from its corners' values [V,columns]."""
    return values[i, column] * (1 - u - v) + values[j, column] * u + values[k, column] * v


@kernel
def corner_mean3(values, i, j, k, u, v):
    """Three columns at a point of a triangle, from its corners' values [V,3]."""
    w = 1 - u - v
    return (
        values[i, 0] * w + values[j, 0] * u + values[k, 0] * v,
        values[i, 1] * w + values[j, 1] * u + values[k, 1] * v,
        values[i, 2] * w + values[j, 2] * u + values[k, 2] * v,
    )


@kernel
def smoothstep(start, end, x):
    """0 up to `start`, 1 from `end` on, 3t² − 2t³ between; falls if `end` is below `start`."""
    t = min(max((x - start) / (end - start), 0.0), 1.0)
    return t * t * (3 - 2 * t)


@kernel
def hill(x, centre, width):
    """exp(−((x − centre) / width)²): 1 at the centre."""
    d = (x - centre) / width
    return math.exp(-d * d)
