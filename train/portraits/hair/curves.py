"""Arithmetic of the strands: unit vectors, smooth steps, and points along curves."""

from __future__ import annotations

import numpy as np


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors [...,3] of length 1; null vectors stay null."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def smoothstep(low: float, high: float, values: np.ndarray) -> np.ndarray:
    """0 at `low`, 1 at `high`, 3t² − 2t³ between them; `low` may be the higher one."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def resample(curves: np.ndarray, share: np.ndarray) -> np.ndarray:
    """The first `share` [n], 0..1, of each curve [n,K,3], again as K points."""
    last = curves.shape[1] - 1
    at = np.linspace(0, 1, last + 1) * share[:, None] * last
    i = np.minimum(at.astype(int), last - 1)
    rows = np.arange(len(curves))[:, None]
    f = (at - i)[..., None].astype(np.float32)
    return curves[rows, i] * (1 - f) + curves[rows, i + 1] * f


def along(polyline: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Points [n,3] of a polyline [m,3] at shares `at` [n] of its vertices, 0..1."""
    place = at * (len(polyline) - 1.001)
    i = place.astype(int)
    f = (place - i)[:, None]
    return polyline[i] * (1 - f) + polyline[i + 1] * f
