"""Brows, beard and lashes: hair that moves with the face, so it grows anew on every expression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..head.mesh import Head
from .curves import along, smoothstep, unit
from .hairline import BROW_X, Roots, above_hairline, beard_density, brow_density, brow_offset, scatter
from .look import HairLook
from .strands import BEARD, BROW, LASH, Strands

BROW_STRANDS = 1800
BEARD_STRANDS = {"full": 8500, "goatee": 3400, "moustache": 1500}
LASHES = {"upper": 62, "lower": 26}  # of one eye


@dataclass(frozen=True)
class FaceRoots:
    """Where one person's brows and beard are rooted; `beard` is None for a shaven face."""

    brow: Roots
    beard: Roots | None


def face_roots(head: Head, look: HairLook) -> FaceRoots:
    """Scatter the roots of brows and beard, once for a person."""
    rng = np.random.default_rng((look.seed, 1))
    density = brow_density(head, look.brow_thickness, look.brow_arch)
    brow = scatter(rng, head, density, round(BROW_STRANDS * look.brow_thickness**0.7))
    if not look.beard:
        return FaceRoots(brow, None)
    below_hair = above_hairline(head.rest, look.recede, look.seed) < -0.03
    density = beard_density(head, look.beard) ** 1.3 * below_hair
    return FaceRoots(brow, scatter(rng, head, density, BEARD_STRANDS[look.beard]))


def face_strands(
    head: Head, roots: FaceRoots, look: HairLook, cage: np.ndarray, vertices: np.ndarray, normals: np.ndarray
) -> list[Strands]:
    """Brows, lashes and beard of one expression, before posing.

    Args:
        cage: float32 [C,3], the deformed cage; the lashes are on it.
        vertices: float32 [V,3], its smooth vertices.
        normals: float32 [V,3], unit.
    """
    strands = [_brows(head, roots.brow, look, vertices, normals), _lashes(head, look, cage)]
    if roots.beard is not None:
        strands.append(_beard(head, roots.beard, look, vertices, normals))
    return strands


def face_marks(head: Head, look: HairLook) -> np.ndarray:
    """How much brow and beard tint the skin that they grow on, float32 [V,2], 0..1.

    The beard's column is where a beard would grow: how dark it is there is the skin's affair (`HairLook.stubble`).
    """
    brow = 0.9 * brow_density(head, look.brow_thickness, look.brow_arch)
    beard = beard_density(head, "full")
    if look.beard in ("goatee", "moustache"):  # shaven around it
        beard = np.maximum(beard_density(head, look.beard), 0.3 * beard)
    return np.stack([brow, beard], axis=1).astype(np.float32)


def _brows(head: Head, roots: Roots, look: HairLook, vertices: np.ndarray, normals: np.ndarray) -> Strands:
    """Hairs that rise at the inner end, lie along the brow in its middle, and turn down at the outer end."""
    rng = np.random.default_rng((look.seed, 2))
    root, normal, rest = roots.on(vertices), unit(roots.on(normals)), roots.on(head.rest)
    count = len(root)
    across = np.abs(rest[:, 0])
    tilt = np.interp(across, BROW_X, [2.2, 1.3, 0.5, 0.1, -0.25, -0.5, -0.6])
    tilt -= 9 * brow_offset(rest, look.brow_arch)  # upper hairs lean down, lower hairs lean up: they meet in the middle
    direction = np.stack([np.sign(rest[:, 0]), tilt, np.full(count, -0.25)], axis=1)
    direction = unit(direction) + rng.normal(0, 0.13, (count, 3))
    along_skin = unit(direction - 0.95 * normal * (direction * normal).sum(axis=1, keepdims=True))
    length = np.interp(across, BROW_X, [0.045, 0.055, 0.06, 0.058, 0.05, 0.045, 0.035])
    length = (length * (0.75 + 0.25 * look.brow_thickness) * rng.uniform(0.7, 1.15, count))[:, None]
    points = [root + 0.003 * normal, root + 0.008 * normal + 0.5 * length * along_skin,
              root + 0.006 * normal + length * along_skin - 0.1 * length * np.array([0, 1, 0])]  # fmt: skip
    return Strands(
        points=np.stack(points, axis=1).astype(np.float32),
        tint=np.exp(rng.normal(0, 0.2 + 0.2 * look.grey, count)).astype(np.float32),
        width=rng.uniform(0.0014, 0.0028, count).astype(np.float32),
        layer=np.full(count, 0.6, np.float32),
        colour=look.brow_colour,
        kind=BROW,
    )


def _beard(head: Head, roots: Roots, look: HairLook, vertices: np.ndarray, normals: np.ndarray) -> Strands:
    """Hairs that lie along the jaw, combed down and back; the moustache parts under the nose and ends above the lip."""
    rng = np.random.default_rng((look.seed, 3))
    root, normal, rest = roots.on(vertices), unit(roots.on(normals)), roots.on(head.rest)
    count = len(root)
    across, side = np.abs(rest[:, 0]), np.sign(rest[:, 0])
    moustache = smoothstep(6.68, 6.74, rest[:, 1]) * smoothstep(0.36, 0.28, across)
    outwards = 0.9 * moustache + 0.15 * (1 - moustache)
    backwards = -0.35 * smoothstep(0.35, 0.6, across)
    direction = np.stack([side * outwards, np.full(count, -0.9), backwards], axis=1)
    direction += rng.normal(0, 0.22, (count, 3))
    direction = direction - 0.85 * normal * (direction * normal).sum(axis=1, keepdims=True)
    leaning = unit(direction) + (0.42 - 0.2 * moustache)[:, None] * normal

    length = look.beard_length * rng.uniform(0.55, 1.15, count)
    length = length * (0.45 + 0.55 * smoothstep(0.62, 0.35, across))  # shorter at the ears,
    length = length * (0.35 + 0.65 * smoothstep(6.12, 6.30, rest[:, 1]))  # and below the jaw
    above_lip = np.clip(rest[:, 1] - 6.69, 0.015, None)
    length = np.where(moustache > 0.3, np.minimum(length, above_lip + 0.02), length)[:, None]
    bent = unit(unit(leaning) + rng.normal(0, 0.25, (count, 3)) + np.array([0, -0.25, 0]))
    middle = root + 0.5 * length * unit(leaning)
    points = np.stack([root, middle, middle + 0.5 * length * bent], axis=1)
    density = roots.on(beard_density(head, look.beard))
    return Strands(
        points=points.astype(np.float32),
        tint=np.exp(rng.normal(0, 0.22 + 0.3 * look.grey, count)).astype(np.float32),
        width=(rng.uniform(0.0024, 0.0044, count) * (0.5 + 0.5 * density)).astype(np.float32),
        layer=rng.random(count).astype(np.float32),
        colour=look.colour,
        kind=BEARD,
    )


def _lashes(head: Head, look: HairLook, cage: np.ndarray) -> Strands:
    """Short curved hairs from the lids' edges, a second, shorter row of the upper ones closing the line."""
    rng = np.random.default_rng((look.seed, 4))
    points, width = [], []
    for name, (lid, tips) in head.lashes.items():
        upper = name.endswith("upper")
        count = LASHES["upper" if upper else "lower"]
        for share, number in ((1.0, count), (0.35, 2 * count if upper else 0)):
            at = np.sort(rng.random(number))
            root, tip = along(cage[lid], at), along(cage[tips], at)
            reach = look.lash_length * share * (1 if upper else 0.55) * rng.uniform(0.7, 1.1, (number, 1))
            tip = root + (tip - root) * reach
            curl = np.linalg.norm(tip - root, axis=1, keepdims=True) * np.array([0, 1 if upper else -1, 0])
            points.append(np.stack([root, 0.5 * (root + tip) - 0.1 * curl, tip + 0.25 * curl], axis=1))
            width.append(np.full(number, 0.0042 if upper else 0.0026) * (1.3 if share < 1 else 1))
    curves = np.concatenate(points).astype(np.float32)
    return Strands(
        points=curves,
        tint=np.ones(len(curves), np.float32),
        width=np.concatenate(width).astype(np.float32),
        layer=np.full(len(curves), 0.5, np.float32),
        colour=look.lash_colour,
        kind=LASH,
    )
