"""What a face does: the units of an emotion, varied as people vary, and where the eyes look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .head.pose import Pose
from .recipe import Recipe

HIGHEST = 1.6  # weights beyond it tear the mesh
# Small movements that no face is ever without: standard deviations; always positive.
RESTLESS = {
    "browInnerUp": 0.04, "browOuterUpLeft": 0.04, "browOuterUpRight": 0.04, "mouthLeft": 0.04, "mouthRight": 0.04,
    "mouthSmileLeft": 0.03, "mouthSmileRight": 0.03, "mouthPressLeft": 0.04, "mouthPressRight": 0.04,
}  # fmt: skip
BLINK = 0.04  # standard deviation, both eyes alike
GAZE = (3.5, 2.0)  # standard deviation of where the eyes look, degrees across and down
TO_CAMERA = 0.75  # how much of a turn of the head the eyes make up for: people look into the camera
LOOK = {"Up": 16.0, "Down": 18.0, "In": 24.0, "Out": 24.0}  # degrees that an eyeLook unit of 1 turns the eye by
LID_SHARES = {
    "eyeBlink": 1.0,
    "eyeSquint": 0.45,
    "eyeLookDown": 0.45,
    "cheekSquint": 0.15,
}  # how far each closes the lids
LIDS_OPEN = 0.52  # the sum of these up to which an eye that was not meant to be shut still looks open


@dataclass(frozen=True)
class Expression:
    """Units [0..HIGHEST] by name, and the turn of each eye in degrees: (yaw to the person's left, pitch down)."""

    units: dict[str, float]
    intensity: float
    gaze: dict[str, tuple[float, float]]


def perform(emotion: Mapping[str, float], recipe: Recipe, pose: Pose, rng: np.random.Generator) -> Expression:
    """One performance of an emotion: its weights × intensity, each a little off, left and right not quite alike.

    Args:
        emotion: weights of face units, as `Recipe.emotions` has them.
        recipe: gives intensity, jitter and asymmetry.
        pose: how the head is held; the eyes look for the camera.
    """
    intensity = float(rng.uniform(*recipe.intensity))
    units: dict[str, float] = {}
    for muscle in sorted({_muscle(name) for name in emotion}):
        scale = intensity * (1 + recipe.jitter * _normal(rng))
        lean = recipe.asymmetry * _normal(rng)
        for name, factor in ((muscle, 1.0), (f"{muscle}Left", 1 + lean), (f"{muscle}Right", 1 - lean)):
            if name in emotion:
                units[name] = emotion[name] * scale * factor
    for name, spread in RESTLESS.items():
        units[name] = units.get(name, 0.0) + spread * abs(_normal(rng))
    yaw = GAZE[0] * _normal(rng) - TO_CAMERA * pose.yaw
    pitch = GAZE[1] * _normal(rng) - TO_CAMERA * pose.pitch
    blink = BLINK * abs(_normal(rng))
    for side in ("Left", "Right"):
        units[f"eyeBlink{side}"] = units.get(f"eyeBlink{side}", 0.0) + blink
        # Lids follow the eyeball, also where it only happens to look.
        wandering = "eyeLookDown" if pitch > 0 else "eyeLookUp"
        units[f"{wandering}{side}"] = units.get(f"{wandering}{side}", 0.0) + abs(pitch) / LOOK[wandering[7:]]
        _keep_open(units, emotion, side)
    units = {name: float(np.clip(weight, 0, HIGHEST)) for name, weight in sorted(units.items()) if weight > 0}
    return Expression(units, intensity, {side.lower(): _gaze(units, side, yaw) for side in ("Left", "Right")})


def _normal(rng: np.random.Generator) -> float:
    """A standard normal number without its far tails, which look like another emotion."""
    return float(np.clip(rng.normal(), -2, 2))


def _muscle(unit: str) -> str:
    """`mouthSmile` of `mouthSmileLeft`; a unit that has no sides is its own. (`jawLeft` moves the jaw: no side.)"""
    if unit in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
        return unit
    return unit.removesuffix("Left").removesuffix("Right")


def _keep_open(units: dict[str, float], emotion: Mapping[str, float], side: str) -> None:
    """Scale what closes the lids down where it adds up to shut eyes and the emotion does not ask for them."""

    def closing(weights: Mapping[str, float]) -> float:
        return sum(share * weights.get(f"{name}{side}", 0.0) for name, share in LID_SHARES.items())

    limit = max(LIDS_OPEN, closing(emotion))
    if (now := closing(units)) > limit:
        for name in LID_SHARES:
            if f"{name}{side}" in units:
                units[f"{name}{side}"] *= limit / now


def _gaze(units: Mapping[str, float], side: str, wandering: float) -> tuple[float, float]:
    """Degrees that an eye turns to the person's left and down."""
    outwards = LOOK["Out"] * units.get(f"eyeLookOut{side}", 0.0) - LOOK["In"] * units.get(f"eyeLookIn{side}", 0.0)
    down = LOOK["Down"] * units.get(f"eyeLookDown{side}", 0.0) - LOOK["Up"] * units.get(f"eyeLookUp{side}", 0.0)
    return (outwards if side == "Left" else -outwards) + wandering, down
