"""The hair on the head of one person: guides lead it, locks gather it, curl winds it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ..head.mesh import Head
from .curves import resample, smoothstep, unit
from .hairline import HEAD_CENTRE, above_hairline, scalp_density, scatter
from .hairstyles import STYLES, GuideRoots, Style, body_of, grow_guides
from .look import HairLook
from .strands import HAIR, Strands

GUIDES = 600
LEADERS = 3  # guides that lead a strand


@dataclass(frozen=True)
class _Growth:
    """The strands' roots on one person."""

    point: np.ndarray  # [N,3]
    normal: np.ndarray  # [N,3]
    rest: np.ndarray  # [N,3], the same places on the resting head
    side: np.ndarray  # [N], −1 or 1, of the parting
    in_fringe: np.ndarray  # bool [N]
    loose: np.ndarray  # bool [N], fallen out of a knot
    inside: np.ndarray  # [N], 0 at the hairline … 1 a centimetre and a half behind it

    @property
    def family(self) -> np.ndarray:
        """Places [N,3] in which the sides of the parting, fringe and loose hair are far from one another."""
        apart = 10 * self.side + 40 * self.in_fringe + 80 * self.loose
        return self.point + np.stack([apart, 0 * apart, 0 * apart], axis=1)


def grow_hair(head: Head, vertices: np.ndarray, normals: np.ndarray, look: HairLook) -> Strands | None:
    """The hair of a person's head, on the neutral face and before posing; None for a bald one.

    Args:
        vertices: float32 [V,3], the smooth vertices.
        normals: float32 [V,3], unit.

    Raises:
        KeyError: there is no such style.
    """
    if look.style == "bald":
        return None
    style = STYLES[look.style].fitted(look.length, look.volume)
    rng = np.random.default_rng((look.seed, 0))
    growth = _plant(rng, head, vertices, normals, look, style)

    chosen = rng.choice(len(growth.point), min(GUIDES, len(growth.point)), replace=False)
    shared = (growth.point, growth.normal, growth.rest, growth.side, growth.in_fringe, growth.loose)
    roots = GuideRoots(*(values[chosen] for values in shared))
    guides = grow_guides(rng, style, body_of(head, vertices, normals), roots, _sway(look, style))

    points = _follow(growth, chosen, guides)
    points = resample(points, _shares(rng, growth, style))
    layer = rng.random(len(points)).astype(np.float32)
    points = _thicken(points, layer, style)
    lock = _locks(rng, growth, style)
    if lock is not None:
        points = _gather(points, lock, np.where(growth.in_fringe, 0.35, 1) * style.locking)
        points = _wave(rng, points, lock, look, style)
        if style.coil:
            points = _coil(rng, points, lock, style)
    return Strands(
        points=points.astype(np.float32),
        tint=_tints(rng, lock, look, len(points)),
        width=_widths(rng, growth, style),
        layer=layer,
        colour=look.colour,
        kind=HAIR,
    )


def _plant(
    rng: np.random.Generator, head: Head, vertices: np.ndarray, normals: np.ndarray, look: HairLook, style: Style
) -> _Growth:
    """Roots over the scalp: closer where hair is fine or hides the forehead, sparser where the camera never looks."""
    scalp, z = scalp_density(head, look.recede, look.seed), head.rest[:, 2]
    at_hairline = 4 * scalp * (1 - scalp)
    over_forehead = smoothstep(1.05, 1.15, z) * (style.fringe is not None)
    hidden = smoothstep(0.5, -0.1, z) * (0.75 if style.cut is None else 0.5)
    density = scalp * (1 + 1.5 * at_hairline) * (1 + 1.5 * over_forehead) * (1 - hidden)
    roots = scatter(rng, head, density, style.strands)
    roots = roots.sorted_by(head.rest[:, 0])  # neighbours are drawn one after another: kinder to the processor's cache

    rest = roots.on(head.rest)
    side = np.where(rest[:, 0] + rng.normal(0, 0.012, len(rest)) > look.part, 1.0, -1.0)
    height = above_hairline(rest, look.recede, look.seed)
    front = (height < 0.34) & (np.abs(rest[:, 0]) < 0.52) & (rest[:, 2] > 1.05)
    fringe = front & (style.fringe is not None)
    temple = (height < 0.12) & (rest[:, 2] > 0.75) & (rest[:, 2] < 1.15) & (rest[:, 1] > 7.3)
    loose = temple & (rng.random(len(rest)) < style.loose)
    inside = smoothstep(0.0, 0.16, height)
    return _Growth(roots.on(vertices), unit(roots.on(normals)), rest, side, fringe, loose, inside)


def _follow(growth: _Growth, chosen: np.ndarray, guides: np.ndarray) -> np.ndarray:
    """A curve [N,K,3] for each root: the mean of its nearest guides' courses, weighted by nearness."""
    family = growth.family
    distance, nearest = cKDTree(family[chosen]).query(family, k=LEADERS)
    other_family = distance > distance[:, :1] + 5
    weight = np.where(other_family, 0, 1 / (distance + 0.02) ** 2).astype(np.float32)
    weight /= weight.sum(axis=1, keepdims=True)
    course = (guides - guides[:, :1]).astype(np.float32)
    points = np.repeat(growth.point[:, None], guides.shape[1], axis=1)
    for leader in range(LEADERS):
        points += weight[:, leader, None, None] * course[nearest[:, leader]]
    return points


def _shares(rng: np.random.Generator, growth: _Growth, style: Style) -> np.ndarray:
    """Which share of its guides' length each strand has [N]: uneven ends, and short fine hair at the hairline."""
    share = 1 - style.ragged * rng.random(len(growth.point)) ** 2
    young = rng.random(len(share)) < 0.8 * (1 - growth.inside)
    young &= ~growth.in_fringe & ~growth.loose
    shortest = min(0.5, 0.10 / style.top)
    return np.where(young, share * rng.uniform(0.5, 1.5, len(share)) * shortest, share)


def _thicken(points: np.ndarray, layer: np.ndarray, style: Style) -> np.ndarray:
    """Outer layers moved away from the head, or from the neck's axis below it."""
    centre = np.broadcast_to(HEAD_CENTRE, points.shape).copy()
    centre[..., 1] = np.minimum(points[..., 1], HEAD_CENTRE[1])
    rise = np.minimum(1, np.linspace(0, 3, points.shape[1]))
    return points + unit(points - centre) * (style.depth * layer[:, None] * rise)[..., None]


def _locks(rng: np.random.Generator, growth: _Growth, style: Style) -> np.ndarray | None:
    """For each strand the number of the strand that its lock draws together around [N]; None without locks."""
    if not style.locks:
        return None
    family = growth.family
    centres = rng.choice(len(family), style.locks, replace=False)
    return centres[cKDTree(family[centres]).query(family)[1]]


def _gather(points: np.ndarray, lock: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Strands drawn towards the middle of their lock by a share `amount` [N] at the tips, less above them."""
    pull = amount[:, None] * np.linspace(0, 1, points.shape[1]) ** 1.3
    return points + pull[..., None] * (points[lock] - points)


def _sway(look: HairLook, style: Style) -> float:
    """How far waves swing to either side, in decimetres."""
    return 0.055 * style.wave * look.curl


def _wave(rng: np.random.Generator, points: np.ndarray, lock: np.ndarray, look: HairLook, style: Style) -> np.ndarray:
    """Waves across the strands, in step within a lock, and a little disorder of every strand's own."""
    count, length = len(points), points.shape[1]
    reach = np.linalg.norm(np.diff(points, axis=1), axis=2).sum(axis=1)
    along = np.linspace(0, 1, length)
    phase = rng.uniform(0, 2 * np.pi, count)[lock] + rng.normal(0, 0.35, count)
    pitch = 0.95 - 0.35 * min(look.curl, 1)  # decimetres from crest to crest
    turn = phase[:, None] + 2 * np.pi * along * (reach / pitch)[:, None]
    size = _sway(look, style) * np.minimum(1, along * reach[:, None] / 0.6)
    drift = rng.normal(0, 0.016, (count, 1, 3)) * (along * np.minimum(reach, 1.5)[:, None])[..., None]
    return points + np.stack([np.sin(turn), 0.2 * np.cos(turn), np.cos(turn)], axis=2) * size[..., None] + drift


def _coil(rng: np.random.Generator, points: np.ndarray, lock: np.ndarray, style: Style) -> np.ndarray:
    """Tight curls: a helix around each strand, alike within a lock."""
    count, length = len(points), points.shape[1]
    axis = unit(points[:, -1] - points[:, 0])
    across = unit(np.cross(axis, [0.3, 0.2, 0.9]))
    other = np.cross(axis, across)
    along = np.linspace(0, 1, length)
    reach = np.linalg.norm(points[:, -1] - points[:, 0], axis=1)
    turns = reach * rng.uniform(0.75, 1.3, count)[lock] / (5.5 * style.coil)
    angle = rng.uniform(0, 2 * np.pi, count)[lock][:, None] + 2 * np.pi * along * turns[:, None]
    angle = angle + rng.normal(0, 0.4, (count, 1))
    radius = style.coil * np.minimum(1, 2.5 * along)
    helix = np.cos(angle)[..., None] * across[:, None] + np.sin(angle)[..., None] * other[:, None]
    return points + helix * radius[:, None]


def _widths(rng: np.random.Generator, growth: _Growth, style: Style) -> np.ndarray:
    """Widths at the root [N], finest at the hairline."""
    strong = np.maximum(growth.inside, 0.6 * growth.in_fringe)
    return (style.width * (0.2 + 0.8 * strong) * rng.uniform(0.7, 1.2, len(strong))).astype(np.float32)


def _tints(rng: np.random.Generator, lock: np.ndarray | None, look: HairLook, count: int) -> np.ndarray:
    """Factors on the colour [N]: strands and locks differ, most of all where grey comes in."""
    tint = np.exp(rng.normal(0, 0.16 + 0.25 * look.grey, size=count))
    if lock is not None:
        tint *= np.exp(rng.normal(0, 0.13, count))[lock]
    return tint.astype(np.float32)
