"""How the head is held: turned, nodding and tilted in the neck, and how far the body follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PIVOT = np.array([0.0, 6.25, 0.25], np.float32)  # where the head turns, in the neck
CHEST, JAW = 5.75, 6.5  # resting heights below which a point follows the body and above which it follows the head
MOST_TURNS = 2.4  # none is turned by more than so many of them


@dataclass(frozen=True)
class Pose:
    """Degrees that the head is turned to +x and nods, and rotations [3,3] of the head and of the body below it."""

    yaw: float
    pitch: float
    head: np.ndarray
    body: np.ndarray

    def apply(self, points: np.ndarray, resting_height: np.ndarray) -> np.ndarray:
        """Points [...,3] turned around the neck; each follows head or body by its height [...] on the resting head."""
        share = np.clip((resting_height - CHEST) / (JAW - CHEST), 0, 1)[..., None].astype(np.float32)
        share = share * share * (3 - 2 * share)
        arm = points - PIVOT
        return (arm @ self.head.T) * share + (arm @ self.body.T) * (1 - share) + PIVOT

    def with_head(self, points: np.ndarray) -> np.ndarray:
        """Points [...,3] that are part of the head, whatever their height."""
        return (points - PIVOT) @ self.head.T + PIVOT


def sample_pose(rng: np.random.Generator, turn: float) -> Pose:
    """A head held as in portraits: a little turned, tilted and leaning; the body follows by a third.

    Args:
        turn: standard deviation of the degrees that it is turned aside.
    """
    yaw = float(np.clip(rng.normal(0, turn), -MOST_TURNS * turn, MOST_TURNS * turn))
    pitch = float(np.clip(rng.normal(1, 4.0), -9, 10))
    roll = float(np.clip(rng.normal(0, 2.5), -6, 6))
    return held(yaw, pitch, roll, shoulders=3 * rng.normal())


def held(yaw: float, pitch: float, roll: float, shoulders: float = 0.0) -> Pose:
    """A head held so, in degrees; the body follows by a third, and its shoulders are turned."""
    return Pose(yaw, pitch, rotation(yaw, pitch, roll), rotation(0.35 * yaw + shoulders, 0, 0.2 * roll))


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """float32 [3,3]: roll about z, then pitch about x (positive nods), then yaw about y (positive to +x); degrees."""
    (cy, cp, cr), (sy, sp, sr) = np.cos(np.radians([yaw, pitch, roll])), np.sin(np.radians([yaw, pitch, roll]))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (about_y @ about_x @ about_z).astype(np.float32)
