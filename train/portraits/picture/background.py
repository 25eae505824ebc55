"""What is behind the person: out of focus, drawn small and blurred, so that it costs little and says nothing."""

from __future__ import annotations

import colorsys

import numpy as np
from PIL import Image
from scipy import ndimage

GRID = 96  # backgrounds are drawn at this size


def sample_background(rng: np.random.Generator) -> np.ndarray:
    """A background float32 [GRID,GRID,3], sRGB 0..1: a backdrop, lights at night, a room, a garden or a street."""
    kind = rng.choice(5, p=(0.34, 0.16, 0.20, 0.16, 0.14))
    picture = (_backdrop, _night, _room, _garden, _street)[kind](rng)
    return np.clip(picture, 0, 1).astype(np.float32)


def enlarged(background: np.ndarray, size: int) -> np.ndarray:
    """A background as the renderer takes it: [size,size,3], linear RGB 0..1, float32."""
    channels = [Image.fromarray(background[..., i]).resize((size, size), Image.Resampling.BICUBIC) for i in range(3)]
    picture = np.stack([np.asarray(channel) for channel in channels], axis=-1)
    return np.clip(picture, 0, 1) ** np.float32(2.2)


def _backdrop(rng) -> np.ndarray:
    """Two near colours that run into one another, with the clouds of a painted cloth."""
    hue = rng.random()
    one, other = (
        _colour(hue, rng.uniform(0.02, 0.5), rng.uniform(0.15, 0.9)),
        _colour(hue + 0.08 * rng.normal(), rng.uniform(0.02, 0.5), rng.uniform(0.12, 0.92)),
    )
    x, y = _grid()
    if rng.random() < 0.4:
        share = 1.4 * np.hypot(x - rng.uniform(0.3, 0.7), y - rng.uniform(0.2, 0.6))
    else:
        angle = rng.uniform(0, 2 * np.pi)
        share = 0.5 + (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)
    share = np.clip(share + _clouds(rng, (3, 6, 12), rng.uniform(0, 0.12)), 0, 1)[..., None]
    return one * (1 - share) + other * share


def _night(rng) -> np.ndarray:
    """Discs of light over darkness."""
    hue = rng.random()
    picture = _backdrop(rng) * rng.uniform(0.2, 0.6)
    x, y = _grid()
    for _ in range(rng.integers(6, 18)):
        radius = rng.uniform(0.02, 0.09)
        disc = np.clip((radius - np.hypot(x - rng.random(), y - rng.random())) * GRID / 2 + 0.5, 0, 1)
        light = _colour(hue + 0.15 * rng.normal(), rng.uniform(0.1, 0.6), rng.uniform(0.4, 1))
        picture = picture + disc[..., None] * light * rng.uniform(0.15, 0.5)
    return ndimage.gaussian_filter(picture, (0.6, 0.6, 0))


def _room(rng) -> np.ndarray:
    """Walls, and upright and lying rectangles: doors, windows, shelves, pictures."""
    wall = _colour(rng.random(), rng.uniform(0.03, 0.3), rng.uniform(0.35, 0.9))
    x, y = _grid()
    picture = wall * (0.85 + 0.3 * _ramp(rng, x, y))[..., None]
    for _ in range(rng.integers(3, 9)):
        left, top, wide, high = (
            rng.uniform(-0.2, 0.95),
            rng.uniform(-0.2, 0.9),
            rng.uniform(0.06, 0.45),
            rng.uniform(0.08, 0.8),
        )
        inside = (x > left) & (x < left + wide) & (y > top) & (y < top + high)
        thing = _colour(rng.random(), rng.uniform(0.03, 0.45), rng.uniform(0.1, 1.0))
        picture = np.where(inside[..., None], thing * (0.9 + 0.2 * _ramp(rng, x, y))[..., None], picture)
    return ndimage.gaussian_filter(picture, (blur := rng.uniform(1.2, 4), blur, 0))


def _garden(rng) -> np.ndarray:
    """Leaves in sun and shade, perhaps sky above."""
    green = _colour(rng.uniform(0.18, 0.38), rng.uniform(0.25, 0.6), rng.uniform(0.3, 0.7))
    light = _colour(rng.uniform(0.12, 0.22), rng.uniform(0.1, 0.4), rng.uniform(0.8, 1.0))
    leaves = _clouds(rng, (6, 12, 24), 0.5)
    picture = green * (0.75 + 0.9 * leaves)[..., None] + light * np.clip(leaves - 0.35, 0, 1)[..., None] * 1.5
    if rng.random() < 0.5:
        _, y = _grid()
        sky = np.clip((rng.uniform(0.1, 0.5) - y) * 6 + _clouds(rng, (6,), 0.6), 0, 1)[..., None]
        picture = picture * (1 - sky) + _colour(0.58, rng.uniform(0.05, 0.35), rng.uniform(0.8, 1.0)) * sky
    return ndimage.gaussian_filter(picture, (blur := rng.uniform(0.8, 2.5), blur, 0))


def _street(rng) -> np.ndarray:
    """Bright sky between dark fronts, a horizon behind the shoulders."""
    x, y = _grid()
    sky = _colour(rng.uniform(0.05, 0.62), rng.uniform(0.03, 0.3), rng.uniform(0.7, 1.0))
    ground = _colour(rng.uniform(0.02, 0.15), rng.uniform(0.03, 0.25), rng.uniform(0.25, 0.6))
    picture = np.where((y < rng.uniform(0.45, 0.8))[..., None], sky, ground)
    for _ in range(rng.integers(2, 6)):
        left, wide, top = rng.uniform(-0.2, 1), rng.uniform(0.1, 0.35), rng.uniform(-0.1, 0.6)
        front = _colour(rng.uniform(0.0, 0.7), rng.uniform(0.02, 0.3), rng.uniform(0.15, 0.75))
        picture = np.where(((x > left) & (x < left + wide) & (y > top))[..., None], front, picture)
    picture = picture * (1 + _clouds(rng, (12, 24), 0.25))[..., None]
    return ndimage.gaussian_filter(picture, (blur := rng.uniform(1.5, 4), blur, 0))


def _grid() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0:GRID, 0:GRID] / GRID
    return x, y


def _ramp(rng, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    return 0.5 + (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)


def _clouds(rng, scales: tuple[int, ...], strength: float) -> np.ndarray:
    """Smooth noise [GRID,GRID] around 0, coarse and fine."""
    layers = [ndimage.zoom(rng.normal(size=(n, n)), GRID / n, order=3, mode="nearest", grid_mode=True) for n in scales]
    return strength * sum(layers) / len(layers)


def _colour(hue: float, saturation: float, value: float) -> np.ndarray:
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value))
