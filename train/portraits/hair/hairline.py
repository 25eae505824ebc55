"""Where hair grows: densities over the resting head, and roots scattered by them.

Heads differ in shape but share their vertices, so what is said here of places on the resting head holds for everyone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..head.mesh import Head
from ..kernels.scene import SKIN
from .curves import smoothstep

EYE_LEVEL = 7.284  # y of the eyes; identities are moved so that it is theirs too
HEAD_CENTRE = np.array([0, 7.45, 0.48], np.float32)  # in the middle of the skull

# The edge of the scalp's hair: its y by the angle around the head, 0 in front, 180 behind; how far it recedes with 1.
EDGE_ANGLE = [0, 18, 32, 42, 52, 62, 72, 82, 96, 120, 180]
EDGE = [7.99, 7.98, 7.91, 7.80, 7.64, 7.45, 7.16, 7.19, 7.40, 6.85, 6.55]
RECESSION = [0.38, 0.46, 0.48, 0.38, 0.12, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]

# The middle line of the brow and half its thickness, by the distance from the middle of the face.
BROW_X = [0.115, 0.16, 0.24, 0.34, 0.42, 0.50, 0.58]
BROW_Y = [7.498, 7.504, 7.517, 7.530, 7.528, 7.503, 7.460]
BROW_ARCH = [0.002, 0.001, 0.0, 0.008, 0.011, 0.006, -0.008]  # added for an arched brow, taken away for a flat one
BROW_HALF = [0.020, 0.031, 0.033, 0.029, 0.023, 0.016, 0.004]

JAW_X = [0.0, 0.2, 0.45, 0.60, 0.72]  # the upper edge of a beard, by the distance from the middle of the face
JAW_Y = [6.50, 6.53, 6.70, 6.86, 7.10]


@dataclass(frozen=True)
class Roots:
    """Places on triangles that follow the mesh however it moves.

    Attributes:
        corners: int [n,3], vertices.
        shares: float32 [n,3], barycentric coordinates.
    """

    corners: np.ndarray
    shares: np.ndarray

    def on(self, values: np.ndarray) -> np.ndarray:
        """Values at vertices [V] or [V,3], interpolated at the roots: [n] or [n,3]."""
        shares = self.shares if values.ndim == 1 else self.shares[..., None]
        return (values[self.corners] * shares).sum(axis=1)

    def sorted_by(self, values: np.ndarray) -> Roots:
        """The same roots in the order of values at vertices [V]."""
        order = np.argsort(self.on(values), kind="stable")
        return Roots(self.corners[order], self.shares[order])


def scatter(rng: np.random.Generator, head: Head, density: np.ndarray, count: int) -> Roots:
    """Draw `count` roots on the resting skin, as many to an area as `density` [V] says."""
    triangles = head.triangles[head.material == SKIN]
    a, b, c = (head.rest[triangles[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    total = np.cumsum(area * density[triangles].mean(axis=1), dtype=np.float64)
    chosen = np.searchsorted(total, rng.random(count) * total[-1])
    u, v = rng.random(count), rng.random(count)
    outside = u + v > 1
    u[outside], v[outside] = 1 - u[outside], 1 - v[outside]
    return Roots(triangles[chosen].astype(np.int64), np.stack([1 - u - v, u, v], axis=1).astype(np.float32))


def above_hairline(rest: np.ndarray, recede: float, seed: int) -> np.ndarray:
    """How far above the hairline places on the resting head [n,3] are, in decimetres; below 0 on the bare skin.

    No hairline is even: the seed says how this one winds.
    """
    phase = seed % 628 / 100
    x, y, z = rest.T
    angle = np.degrees(np.arctan2(np.abs(x), z - HEAD_CENTRE[2]))
    edge = np.interp(angle, EDGE_ANGLE, EDGE) + recede * np.interp(angle, EDGE_ANGLE, RECESSION)
    uneven = 0.018 * np.sin(9 * x + phase) + 0.012 * np.sin(23 * x + 3 * phase)
    return y - edge + uneven * smoothstep(0.3, 0.9, z)


def scalp_density(head: Head, recede: float, seed: int) -> np.ndarray:
    """Hair on the head [V], 0..1; it thins out over the last centimetre before the hairline."""
    height = above_hairline(head.rest, recede, seed)
    return smoothstep(-0.04, 0.13, height) * _skin(head) * (head.masks["ears"] < 0.1) * (head.rest[:, 1] > 6.4)


def brow_offset(rest: np.ndarray, arch: float) -> np.ndarray:
    """How far above the middle line of the brow places [n,3] are, in decimetres; `arch` is −1 flat … 1 arched."""
    middle = np.array(BROW_Y) + arch * np.array(BROW_ARCH)
    return rest[:, 1] - np.interp(np.abs(rest[:, 0]), BROW_X, middle)


def brow_density(head: Head, thickness: float, arch: float) -> np.ndarray:
    """Hair of the brows [V], 0..1, soft at every edge; `thickness` 1 is an average man's."""
    across = np.abs(head.rest[:, 0])
    half = np.interp(across, BROW_X, BROW_HALF, left=0, right=0) * (0.55 + 0.45 * thickness)
    inside = 1 - np.abs(brow_offset(head.rest, arch)) / np.maximum(half, 1e-4)
    inner_end = smoothstep(BROW_X[0] - 0.01, BROW_X[0] + 0.09, across)
    return np.clip(inside, 0, 1) ** 0.6 * (0.5 + 0.5 * inner_end) * (half > 0) * (head.rest[:, 2] > 0.9) * _skin(head)


def beard_density(head: Head, beard: str) -> np.ndarray:
    """Hair of a beard, "full", "goatee" or "moustache", on the face [V], 0..1."""
    x, y, z = np.abs(head.rest[:, 0]), head.rest[:, 1], head.rest[:, 2]
    hair = smoothstep(6.70, 6.735, y) * smoothstep(6.90, 6.81, y) * smoothstep(0.34, 0.22, x) * (z > 1.2)  # moustache
    if beard != "moustache":
        corner = np.exp(-(((x - 0.30) / 0.055) ** 2)) * smoothstep(6.78, 6.72, y) * smoothstep(6.4, 6.5, y) * (z > 1.1)
        hair = np.maximum(hair, corner)
    if beard == "goatee":
        chin = smoothstep(0.30, 0.16, x) * smoothstep(6.53, 6.46, y) * smoothstep(6.08, 6.22, y) * (z > 0.9)
        hair = np.maximum(hair, chin)
    if beard == "full":
        below = np.interp(x, JAW_X, JAW_Y) - y
        jaw = smoothstep(-0.09, 0.10, below) * smoothstep(6.10, 6.27, y) * smoothstep(0.42, 0.80, z)
        sideburn = smoothstep(0.09, 0.03, np.abs(x - 0.72)) * smoothstep(7.30, 7.15, y) * (y > 6.8) * (z > 0.5)
        hair = np.max([hair, jaw, sideburn], axis=0)
    bare = np.clip(3 * head.masks["lips"] + 2 * head.masks["inside-mouth"] + 3 * head.masks["ears"], 0, 1)
    return hair * (1 - bare) * _skin(head)


def _skin(head: Head) -> np.ndarray:
    on_skin = np.zeros(len(head.rest), bool)
    on_skin[head.triangles[head.material == SKIN]] = True
    return on_skin
