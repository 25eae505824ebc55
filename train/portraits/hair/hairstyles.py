"""Hairstyles: a table of what the comb and gravity do, and the guides that grow by it.

A guide is one of some hundred curves that lead the thousands of strands around them. It starts along the skin's normal
and is turned, step by step, by the comb, by its stiffness and by gravity; the body pushes it off, and the oval of the
face is kept free.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from ..head.mesh import Head
from ..kernels.scene import SKIN
from .curves import resample, smoothstep, unit
from .hairline import EYE_LEVEL

Comb = tuple[float, float, float]  # away from the parting, up, towards the viewer


@dataclass(frozen=True)
class Style:
    """How a style grows; lengths in decimetres."""

    strands: int  # how many
    points: int  # of each
    top: float  # length on the crown
    sides: float  # and around the ears
    comb: Comb  # how the crown is combed
    comb_sides: Comb = (0.0, -0.8, -0.4)
    stiffness: float = 0.75  # how much of its direction hair keeps from step to step
    gravity: float = 0.04
    reach: float = 9.0  # the comb's hold fades to nothing at this length, and gravity takes over
    lift: float = 0.04  # how far the crown's hair stands off the head
    cling: float = 0.3  # how much of what is further off is drawn back to the head
    cut: float | None = None  # the height, seen from the eyes, at which all ends are cut
    fringe: float | None = None  # the same for the hair over the forehead, which then falls in front
    tuck: float = 0.0  # how far the ends are turned in towards the neck
    depth: float = 0.06  # from the innermost to the outermost strand
    ragged: float = 0.25  # how much shorter some strands are
    locks: int = 300  # groups of strands that draw together towards their tips
    locking: float = 0.45  # how much they do
    wave: float = 0.5  # how much of the person's curl shows
    coil: float = 0.0  # radius of a tight curl
    tie: tuple[float, float] | None = None  # y and z of the knot to which all hair is combed
    loose: float = 0.0  # share of the hair at the temples that has fallen out of the knot
    width: float = 0.0075

    def fitted(self, length: float, volume: float) -> Style:
        """The style worn longer or fuller than usual, by these factors."""
        cut = None if self.cut is None else self.cut * length
        longer = replace(self, top=self.top * length, sides=self.sides * length, cut=cut)
        return replace(longer, lift=self.lift * volume, depth=self.depth * volume)


STYLES = {
    "buzz": Style(11000, 4, 0.05, 0.04, (0, 0, 0.3), lift=0, cling=0, depth=0.01, locks=0, wave=0, width=0.006),
    "short": Style(10000, 8, 0.30, 0.13, (0.45, 0.05, 0.25), lift=0.06, stiffness=0.8),
    "crop": Style(10000, 9, 0.38, 0.12, (0.15, -0.2, 0.8), lift=0.03, locks=240, locking=0.6),
    "swept": Style(10000, 12, 0.60, 0.24, (0, 0.25, -1), (0, -0.35, -0.9), lift=0.12, reach=2, locks=200),
    "side": Style(10000, 12, 0.55, 0.20, (0.95, 0.12, -0.12), (0, -0.7, -0.6), lift=0.08, locks=200),
    "curly": Style(9000, 14, 0.50, 0.26, (0.3, 0.2, 0.2), (0.3, -0.2, 0), lift=0.1, cling=0, depth=0.16, locks=420,
                   locking=0.8, wave=0.2, coil=0.034),
    "afro": Style(9500, 12, 0.55, 0.34, (0, 0, 0), (0, 0, 0), stiffness=1, gravity=0, cling=0, depth=0.1, locks=900,
                  locking=0.55, wave=0, coil=0.026, ragged=0.5),
    "medium": Style(7000, 16, 1.3, 1.0, (0.7, 0.1, -0.7), (0, -0.8, -0.45), stiffness=0.55, gravity=0.2, reach=1.2,
                    lift=0.06, cut=-0.75, tuck=0.5, depth=0.1, ragged=0.4, locks=200, wave=1),
    "pixie": Style(10000, 12, 0.62, 0.24, (0.9, -0.15, 0.25), (0, -0.6, -0.5), lift=0.06, depth=0.08, locks=220),
    "bob": Style(5000, 18, 1.9, 1.5, (0.85, -0.1, -0.35), (0.1, -0.8, -0.15), gravity=0.26, reach=0.9, lift=0.07,
                 cut=-0.80, tuck=0.55, depth=0.12, ragged=0.12, locks=160, locking=0.4, wave=0.6, width=0.0085),
    "bangs": Style(5600, 18, 1.9, 1.5, (0.85, -0.1, -0.35), (0.1, -0.8, -0.15), gravity=0.26, reach=0.9, lift=0.07,
                   cut=-0.85, tuck=0.5, fringe=0.33, depth=0.12, ragged=0.12, locks=180, locking=0.4, wave=0.5,
                   width=0.0085),
    "long": Style(4600, 22, 2.7, 2.2, (0.85, -0.1, -0.35), (0.1, -0.8, -0.1), gravity=0.28, reach=1.0, lift=0.07,
                  cut=-1.6, depth=0.17, locks=130, locking=0.45, wave=1, width=0.0085),
    "fringe": Style(5200, 22, 2.7, 2.2, (0.85, -0.1, -0.35), (0.1, -0.8, -0.1), gravity=0.28, reach=1.0, lift=0.07,
                    cut=-1.6, fringe=0.32, depth=0.17, locks=150, locking=0.45, wave=0.9, width=0.0085),
    "tucked": Style(5000, 22, 2.7, 2.2, (0.8, 0, -0.6), (0, -0.25, -1), gravity=0.22, reach=1.0, lift=0.05, cut=-1.6,
                    depth=0.12, locks=140, wave=1, width=0.0085),
    "ringlets": Style(4200, 36, 2.2, 1.8, (0.85, 0, -0.4), (0.15, -0.6, -0.15), gravity=0.26, reach=1.0, lift=0.09,
                      cut=-1.1, depth=0.2, ragged=0.35, locks=230, locking=0.85, wave=0.3, coil=0.04),
    "bun": Style(9000, 14, 1.3, 1.0, (0, 0, 0), (0.2, -0.7, 0.1), stiffness=0.5, gravity=0, lift=0.02, cling=0.6,
                 tie=(7.75, -0.75), depth=0.035, ragged=0.1, locks=160, wave=0.1),
    "updo": Style(8000, 16, 1.2, 0.9, (0.2, -0.5, 0.1), (0.2, -0.8, 0.1), stiffness=0.5, gravity=0, lift=0.07,
                  cling=0.5, tie=(8.0, -0.7), loose=0.4, depth=0.06, ragged=0.15, locks=140, wave=0.5),
}  # fmt: skip


@dataclass(frozen=True)
class Body:
    """What hair lies on: one person's skin, as a set of small planes."""

    tree: cKDTree
    points: np.ndarray  # [n,3]
    normals: np.ndarray  # [n,3]
    face: tuple[float, float]  # half the width, and the top, of the oval that hair keeps out of

    def push_off(self, points: np.ndarray, clearance: np.ndarray, cling: np.ndarray) -> np.ndarray:
        """Points [n,3] moved out to `clearance` [n] from the skin, or the share `cling` [n] of the way back to it."""
        nearest = self.tree.query(points)[1]
        normal = self.normals[nearest]
        distance = ((points - self.points[nearest]) * normal).sum(axis=1)
        clearance = np.where(points[:, 1] < 6.3, np.maximum(clearance, 0.07), clearance)  # clothes
        lack = clearance - distance
        return points + normal * np.where(lack > 0, lack, np.maximum(lack, -0.1) * cling)[:, None]


def body_of(head: Head, vertices: np.ndarray, normals: np.ndarray) -> Body:
    """The body of one person: smooth vertices and unit normals [V,3] of the resting face."""
    used = np.unique(head.triangles[head.material == SKIN])
    used = used[head.masks["inside-mouth"][used] < 0.5]
    normals = normals.copy()
    ears = head.masks["ears"] > 0.1
    normals[ears] = np.sign(vertices[ears, :1]) * np.array([1, 0, 0], np.float32)  # hair lies over an ear's folds
    rest = head.rest[used]
    temple = used[(rest[:, 2] > 0.95) & (rest[:, 2] < 1.1) & (np.abs(rest[:, 1] - 7.2) < 0.25)]
    top = used[(np.abs(rest[:, 0]) < 0.1) & (np.abs(rest[:, 1] - 7.98) < 0.06) & (rest[:, 2] > 1)]
    face = float(np.abs(vertices[temple, 0]).max()), float(vertices[top, 1].mean())
    return Body(cKDTree(vertices[used]), vertices[used], normals[used], face)


@dataclass(frozen=True)
class GuideRoots:
    """Where guides start, [n] or [n,3] each."""

    point: np.ndarray
    normal: np.ndarray
    rest: np.ndarray  # the same places on the resting head
    side: np.ndarray  # −1 or 1: of the parting
    in_fringe: np.ndarray  # bool
    loose: np.ndarray  # bool


def grow_guides(rng: np.random.Generator, style: Style, body: Body, roots: GuideRoots, sway: float) -> np.ndarray:
    """The guides [n, style.points, 3] that start at `roots`; the face's oval is widened by `sway`, for waves."""
    height = smoothstep(7.55, 8.15, roots.rest[:, 1])
    length = (style.sides + (style.top - style.sides) * height) * rng.uniform(0.9, 1.1, len(height))
    step = (length / (style.points - 1))[:, None]
    comb = _combed(rng, style, roots, height)
    clearance = 0.012 + style.lift * (0.3 + 0.7 * height)
    cling = np.where(roots.loose, 0.1, style.cling)
    oval = rng.uniform(0.97, 1.12, len(height)) * body.face[0] + sway

    point, direction = roots.point, 0.5 * roots.normal + 0.5 * comb + np.array([0, 0.25, 0])
    guides = [point]
    for k in range(1, style.points):
        held = np.clip(1 - k * step / style.reach, 0, 1)
        held[roots.in_fringe] = 1
        pull = comb
        if style.tie is not None:
            pull = np.where(roots.loose[:, None], comb, unit(np.array([0, *style.tie]) - point))
        direction = unit(direction) * style.stiffness + 0.42 * held * pull
        gravity = np.where(roots.loose, 0.25, style.gravity)
        direction[:, 1] -= gravity * (2.2 - 2 * held[:, 0])  # hair rises from its root before it falls
        direction += _tucked(style, point)
        ahead = point + unit(direction) * step
        rise = min(1.0, 3 * k / (style.points - 1))
        ahead = body.push_off(ahead, 0.012 + (clearance - 0.012) * rise, cling)
        if style.gravity > 0.1 or style.loose:
            ahead = _out_of_face(ahead, roots, body, oval)
        direction = ahead - point
        point = point + unit(direction) * np.minimum(np.linalg.norm(direction, axis=1, keepdims=True), 1.5 * step)
        guides.append(point)
    return _cut(rng, style, roots, np.stack(guides, axis=1))


def _combed(rng: np.random.Generator, style: Style, roots: GuideRoots, height: np.ndarray) -> np.ndarray:
    """The direction [n,3] into which each guide is combed."""
    top, sides = np.array(style.comb), np.array(style.comb_sides)
    comb = sides + (top - sides) * height[:, None]
    comb = comb + rng.normal(0, 0.06, comb.shape)
    outwards = np.where(height > 0.3, roots.side, np.sign(roots.rest[:, 0]))
    comb[:, 0] *= outwards
    x = roots.rest[roots.in_fringe, 0]
    comb[roots.in_fringe] = np.stack([0.45 * x, np.full_like(x, -1.0), np.full_like(x, 0.3)], axis=1)
    return comb


def _tucked(style: Style, point: np.ndarray) -> np.ndarray:
    """What turns hair [n,3] inwards over the last centimetres above the cut."""
    inwards = np.zeros_like(point)
    if style.tuck and style.cut is not None:
        near = smoothstep(EYE_LEVEL + style.cut + 0.6, EYE_LEVEL + style.cut, point[:, 1])
        inwards[:, [0, 2]] = -unit(point[:, [0, 2]] - [0, 0.45]) * (style.tuck * near)[:, None]
    return inwards


def _out_of_face(points: np.ndarray, roots: GuideRoots, body: Body, oval: np.ndarray) -> np.ndarray:
    """Points [n,3] in front of the face moved sideways, out of an oval that is open below; fringes may stay."""
    top = body.face[1]
    middle = EYE_LEVEL - 0.1
    up = np.clip((points[:, 1] - middle) / (top - middle), 0, 1)
    half = oval * np.sqrt(1 - up**2)
    enters = (points[:, 2] > 0.75) & (np.abs(points[:, 0]) < half) & ~roots.in_fringe
    points = points.copy()
    aside = roots.side[enters] * half[enters]
    points[enters, 0] += np.clip(aside - points[enters, 0], -0.09, 0.09)
    return points


def _cut(rng: np.random.Generator, style: Style, roots: GuideRoots, guides: np.ndarray) -> np.ndarray:
    """Guides cut where they first pass below the style's height, and spread evenly over what is left of them."""
    level = np.full(len(guides), -9.0 if style.cut is None else EYE_LEVEL + style.cut)
    if style.fringe is not None:
        curve = 0.35 * np.maximum(np.abs(roots.rest[:, 0]) - 0.25, 0)  # longer towards the temples
        level = np.where(roots.in_fringe, EYE_LEVEL + style.fringe - curve, level)
    level = level + rng.normal(0, 0.02, len(level))
    below = guides[:, :, 1] < level[:, None]
    first = np.where(below.any(axis=1), below.argmax(axis=1), guides.shape[1] - 1)
    first = np.maximum(first, 2)
    return resample(guides, first / (guides.shape[1] - 1))
