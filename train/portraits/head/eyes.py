"""Eyes: eyeballs that fit the sockets, and what an iris, a white and a cornea look like."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ..kernels.compiled import kernel
from ..kernels.noise import noise
from ..kernels.scene import LEFT_EYE
from ..kernels.vectors import mix, smoothstep, times, unit
from .mesh import Head

RINGS, SECTORS, REACH = 22, 36, 1.95  # the mesh of an eyeball, which reaches this far (radians) around from its pole
CORNEA = 0.56  # radius of the bulge in front, as a share of the eyeball's
BULGE = 0.045
SNUG = 0.985  # of the fitted radius, so that lids lie on the eye and do not sink in

# Colours of irises from dark brown to grey, linear RGB, and how common each is among dark-haired and other people.
IRISES = (
    ((0.060, 0.024, 0.010), 0.46, 0.12),
    ((0.115, 0.048, 0.017), 0.34, 0.18),
    ((0.135, 0.072, 0.028), 0.10, 0.16),
    ((0.105, 0.118, 0.058), 0.02, 0.15),
    ((0.085, 0.142, 0.195), 0.01, 0.17),
    ((0.145, 0.210, 0.260), 0.01, 0.13),
    ((0.185, 0.225, 0.240), 0.02, 0.09),
)


class EyeLook(NamedTuple):
    """What a person's eyes are like; radii are shares of the eyeball's."""

    iris_colour: tuple[float, float, float]
    inner_colour: tuple[float, float, float]  # of the ring around the pupil
    iris_radius: float
    pupil_radius: float
    limbal_ring: float  # how dark the iris's border is, 0..1
    veins: float  # how red the white is towards its corners, 0..1
    warmth: float  # how yellow the white is, 0..1
    brightness: float  # of the white, about 1
    seed: float


def sample_eyes(rng: np.random.Generator, ancestry: tuple[float, float, float], tone: float) -> EyeLook:
    """Eyes of a person of an ancestry (shares of African, Asian, Caucasian) and a skin tone (0..5)."""
    darker = 1 - 0.06 * tone  # dark skin is exposed longer, which would bleach the eyes
    dark = tone > 2.6 or ancestry[1] > 0.6
    shares = np.array([row[1] if dark else row[2] for row in IRISES])
    colour = (
        np.array(IRISES[rng.choice(len(IRISES), p=shares / shares.sum())][0]) * np.exp(rng.normal(0, 0.12)) * darker
    )
    inner = colour * (1.15, 1.0, 0.85) + rng.uniform(0, 0.35) * colour.mean() * np.array((1.0, 0.55, 0.15))
    radius = float(rng.uniform(0.475, 0.515))
    return EyeLook(
        iris_colour=(float(colour[0]), float(colour[1]), float(colour[2])),
        inner_colour=(float(inner[0]), float(inner[1]), float(inner[2])),
        iris_radius=radius,
        pupil_radius=radius * float(rng.uniform(0.34, 0.46)),
        limbal_ring=float(rng.uniform(0.45, 0.85)),
        veins=float(rng.uniform(0.1, 0.6)),
        warmth=float(rng.uniform(0.0, 0.7)),
        brightness=darker,
        seed=float(rng.uniform(0, 50)),
    )


def eye_sphere() -> tuple[np.ndarray, np.ndarray]:
    """Unit directions float32 [n,3] in the eye's own frame, z its axis, and triangles int32 [m,3], facing out."""
    polar = np.linspace(0, REACH, RINGS + 1)[1:, None]
    around = np.linspace(0, 2 * math.pi, SECTORS, endpoint=False)[None]
    x, y = np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around)
    rings = np.stack([x, y, np.broadcast_to(np.cos(polar), x.shape)], axis=-1).reshape(-1, 3)
    directions = np.concatenate([[(0.0, 0.0, 1.0)], rings]).astype(np.float32)

    sector = np.arange(SECTORS)
    following = (sector + 1) % SECTORS
    pole = np.stack([np.zeros(SECTORS, int), 1 + sector, 1 + following], axis=1)
    bands = []
    for ring in range(RINGS - 1):
        inner, outer = 1 + ring * SECTORS, 1 + (ring + 1) * SECTORS
        bands.append(np.stack([inner + sector, outer + sector, outer + following], axis=1))
        bands.append(np.stack([inner + sector, outer + following, inner + following], axis=1))
    return directions, np.concatenate([pole, *bands]).astype(np.int32)


def eye_centre(head: Head, cage: np.ndarray, side: str) -> np.ndarray:
    """The centre [3] of the `left` or `right` eyeball of a cage."""
    return _fitted_sphere(head, cage, side)[0]


def eyeball(head: Head, cage: np.ndarray, side: str, yaw: float, pitch: float) -> np.ndarray:
    """The vertices float32 [n,3] of an eyeball, one for each direction of `eye_sphere`.

    Args:
        head: says which vertices of the cage are the mesh's own eye.
        cage: [C,3], the resting or expressing face.
        side: "left" or "right", the person's own.
        yaw, pitch: where the eye looks, in degrees to the person's left and down.
    """
    centre, radius = _fitted_sphere(head, cage, side)
    directions = eye_sphere()[0].astype(float)
    off_axis = np.hypot(directions[:, 0], directions[:, 1])
    bulge = np.where(directions[:, 2] > 0, BULGE * np.clip(1 - (off_axis / CORNEA) ** 2, 0, 1), 0)
    cos_yaw, sin_yaw = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))
    cos_pitch, sin_pitch = math.cos(math.radians(pitch)), math.sin(math.radians(pitch))
    across = np.array([[cos_yaw, 0, sin_yaw], [0, 1, 0], [-sin_yaw, 0, cos_yaw]])
    down = np.array([[1, 0, 0], [0, cos_pitch, -sin_pitch], [0, sin_pitch, cos_pitch]])
    points = directions * (SNUG * radius * (1 + bulge))[:, None]
    return (points @ (across @ down).T + centre).astype(np.float32)


def _fitted_sphere(head: Head, cage: np.ndarray, side: str) -> tuple[np.ndarray, float]:
    """Centre [3] and radius of the sphere that fits the mesh's own eye, which has no back."""
    low, high = cage[head.eyes[side]].min(axis=0), cage[head.eyes[side]].max(axis=0)
    radius = float(high[0] - low[0]) / 2
    return np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2] + radius]), radius


def eye_axes(rest: np.ndarray, position: np.ndarray) -> np.ndarray:
    """The eye's own axes in the posed scene, float64 [3,3], one a row, from its directions and posed places [n,3].

    The directions are spread evenly around the axis, so the places' moments with them are the axes themselves.
    """
    x, y = (position.astype(float).T @ rest[:, i].astype(float) for i in (0, 1))
    x /= np.linalg.norm(x)
    y -= x * (x @ y)
    y /= np.linalg.norm(y)
    return np.stack([x, y, np.cross(x, y)])


@kernel
def eye_normal(look, axes, x, y, z):
    """The posed normal at a direction of the eye: a cornea is a smaller sphere, so it turns faster than the eyeball."""
    off_axis = math.sqrt(x * x + y * y)
    if z > 0:
        faster = 1 + 0.42 * smoothstep(1.12 * look.iris_radius, 0.80 * look.iris_radius, off_axis)
        x, y = faster * x, faster * y
    z = math.copysign(math.sqrt(max(1 - x * x - y * y, 0.0)), z)
    return unit(
        (
            x * axes[0, 0] + y * axes[1, 0] + z * axes[2, 0],
            x * axes[0, 1] + y * axes[1, 1] + z * axes[2, 1],
            x * axes[0, 2] + y * axes[1, 2] + z * axes[2, 2],
        )
    )


@kernel
def eye_colour(look, material, x, y, z, light_x, light_y):
    """Albedo at a direction of the eye; (light_x, light_y) is the key light's direction across the eye's axis."""
    off_axis = math.sqrt(x * x + y * y)
    if z > 0 and off_axis < 1.10 * look.iris_radius:
        white = _white(look, material, x, y, off_axis)
        iris = _iris(look, x, y, off_axis, light_x, light_y)
        return mix(white, iris, smoothstep(1.07 * look.iris_radius, 0.95 * look.iris_radius, off_axis))
    return _white(look, material, x, y, off_axis)


@kernel
def _white(look, material, x, y, off_axis):
    """White, warmer and veined towards its corners, pink at the nose, where the tear duct is."""
    outwards = smoothstep(0.5, 0.95, off_axis)
    vein = look.veins * outwards * noise(x * 7 + look.seed, y * 14, look.seed)
    white = (0.93, 0.90 - 0.03 * look.warmth - 0.16 * vein, 0.875 - 0.08 * look.warmth - 0.18 * vein)
    white = times(white, look.brightness)
    to_nose = -x if material == LEFT_EYE else x
    return mix(white, (0.62, 0.30, 0.26), 0.75 * smoothstep(0.74, 0.92, to_nose))


@kernel
def _iris(look, x, y, off_axis, light_x, light_y):
    """Fibres around a black pupil, a dark border, and the light that the cornea throws onto the far side."""
    share = off_axis / look.iris_radius
    cos, sin = x / max(off_axis, 1e-6), y / max(off_axis, 1e-6)
    fibres = noise(cos * 6, sin * 6, share * 2 + look.seed) + 0.6 * noise(cos * 15, sin * 15, share * 3 - look.seed)
    colour = mix(look.inner_colour, look.iris_colour, smoothstep(0.45, 0.72, share))
    caustic = 1.25 - 0.75 * (x * light_x + y * light_y) / look.iris_radius
    border = 1 - look.limbal_ring * smoothstep(0.74, 0.98, share)
    pupil = smoothstep(look.pupil_radius * 1.08, look.pupil_radius * 0.92, off_axis)
    return times(colour, (0.55 + 0.70 * fibres) * max(caustic, 0.5) * border * (1 - 0.985 * pupil))
