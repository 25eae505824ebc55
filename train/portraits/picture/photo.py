"""What a camera does to a picture: focus, vignette, white balance, contrast, grain, compression."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

JPEG_QUALITY = 95  # of a picture that no camera has been at
CAMERA_QUALITY = (55, 94)  # of one that a camera has


def develop(image: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """The picture, uint8 [S,S,3], as a camera could have taken it, and the JPEG quality that it is to be saved with.

    Strengths are for 256 pixels a side and grow with the size, so that the look does not depend on it.
    """
    scale = len(image) / 256
    picture = image.astype(np.float32) / 255
    picture = ndimage.gaussian_filter(picture, (blur := rng.uniform(0.0, 0.9) * scale, blur, 0))
    picture = picture * _white_balance(rng) * _vignette(len(image), rng.uniform(0, 0.2))[..., None]
    contrast, saturation = rng.uniform(0.93, 1.2), rng.uniform(0.85, 1.15)
    grey = picture.mean(axis=2, keepdims=True)
    picture = grey + (picture - grey) * saturation
    picture = 0.45 + (picture - 0.45) * contrast + rng.uniform(-0.03, 0.03)
    picture = picture + _grain(rng, len(image), scale)
    return (255 * np.clip(picture, 0, 1) + 0.5).astype(np.uint8), int(rng.integers(*CAMERA_QUALITY))


def _white_balance(rng) -> np.ndarray:
    """Gains [3]: warmer or cooler, a little green or magenta."""
    warm, magenta = 0.035 * rng.normal(), 0.015 * rng.normal()
    return np.exp(np.array([warm, -magenta, -warm])).astype(np.float32)


def _vignette(size: int, strength: float) -> np.ndarray:
    """Darkening [S,S] towards the corners."""
    across = (np.arange(size) + 0.5) / size - 0.5
    return (1 - strength * 2 * (across[:, None] ** 2 + across[None] ** 2)).astype(np.float32)


def _grain(rng, size: int, scale: float) -> np.ndarray:
    """Noise [S,S,3] of a sensor: more of it in brightness than in colour, a little larger than a pixel."""
    brightness = rng.normal(0, 1, (size, size, 1)).astype(np.float32)
    colour = rng.normal(0, 0.4, (size, size, 3)).astype(np.float32)
    noise = ndimage.gaussian_filter(brightness + colour, (0.5 * scale, 0.5 * scale, 0))
    return rng.uniform(0.0, 0.02) / max(float(noise.std()), 1e-6) * noise
