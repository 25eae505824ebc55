"""Value noise on a lattice: the same number for the same place, on every machine."""

from __future__ import annotations

import math

from .compiled import kernel


@kernel
def lattice(i, j, k):
    """A number in 0..1 that looks random, for each lattice point of three integers."""
    bits = (i * 374761393 + j * 668265263 + k * 2147483647) & 0xFFFFFFFF
    bits = ((bits ^ (bits >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((bits ^ (bits >> 16)) & 0xFFFF) / 65535.0


@kernel
def noise(x, y, z):
    """Smooth noise in 0..1 with a period of about one unit: lattice values, interpolated by 3t² − 2t³."""
    i, j, k = math.floor(x), math.floor(y), math.floor(z)
    u, v, w = x - i, y - j, z - k
    u, v, w = u * u * (3 - 2 * u), v * v * (3 - 2 * v), w * w * (3 - 2 * w)
    near = _bilinear(lattice(i, j, k), lattice(i + 1, j, k), lattice(i, j + 1, k), lattice(i + 1, j + 1, k), u, v)
    k += 1
    far = _bilinear(lattice(i, j, k), lattice(i + 1, j, k), lattice(i, j + 1, k), lattice(i + 1, j + 1, k), u, v)
    return near + w * (far - near)


@kernel
def _bilinear(a, b, c, d, u, v):
    top = a + u * (b - a)
    return top + v * (c + u * (d - c) - top)
