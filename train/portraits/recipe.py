"""The recipe of a set of portraits: each emotion as weights of face units, in YAML, and how much pictures vary.

    emotions:
      neutral: {eyeWide: .18, browInnerUp: .06}
      smirk: {mouthSmile: .2, mouthSmileLeft: .9, eyeSquint: .25}

A face unit moves one thing in a face: weight 0 leaves it at rest, 1 moves it all the way, and up to 1.5 exaggerates. A
unit of a pair named without its side means both; where both are written, the sided one wins for its side, so that the
smirk above lifts the left corner by .9 and the right one by .2. Left and right are the person's own. `Recipe` has the
other keys, all of them optional.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import os
import reprlib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..mixtures import mixtures_of
from ..unique_keys import load_yaml
from .hair.look import BEARDS

# Apple's ARKit blend shapes, the common language of face capture; Mika Suominen sculpted them for MakeHuman's head.
UNITS = (
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff"),
    *("cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight"),
    *("eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight"),
    *("eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen"),
    *("jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight"),
    *("mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight"),
    *("mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *("mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft"),
    *("mouthUpperUpRight", "noseSneerLeft", "noseSneerRight", "tongueOut"),
)

# Units that each half of the face has of its own, without their sides.
MOVEMENTS = ("jawLeft", "mouthLeft")  # the whole jaw or mouth moves to a side: no half of a pair
PAIRS = tuple(unit.removesuffix("Left") for unit in UNITS if unit.endswith("Left") and unit not in MOVEMENTS)

MAX_WEIGHT = 1.5
MAX_TURN = 25.0  # degrees; 2.4 times as far the mesh is seen from the side
MAX_NAME = 40  # characters; folders may have 255 bytes, and some scripts take four a character
SHARES = ("jitter", "asymmetry", "relight", "photo", "glasses", "beards")
SWITCHES = ("still", "mixtures")
NOT_ON_WINDOWS = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(1, 10))}


class RecipeError(ValueError):
    """The recipe says something that cannot be meant; the text names the key and, if a file was read, the file."""


@dataclass(frozen=True)
class Recipe:
    """What decides a set of portraits, all but its number and size.

    Attributes:
        neutral: which of the emotions is the face at rest.
        emotions: weights 0..1.5 by face unit, for each emotion in the order of the file; every key is one of `UNITS`,
            sorted, and units of weight 0 are left out.
        seed: of the first identity; the others count on from it.
        intensity: one factor is drawn between these for each picture, on all weights of its emotion.
        jitter: σ of each weight's own variation, relative.
        asymmetry: σ of left against right, relative.
        relight: share of the pictures with light and background of their own instead of their identity's.
        photo: share of the pictures that look as a camera's (blur, grain, colour cast, JPEG); 0 switches it off.
        glasses: share of the identities that wear glasses.
        beards: share of the men who wear a beard or moustache; of Asian men it is two thirds of that.
        turn: standard deviation of the degrees that heads are turned aside, 0 to 25; none is turned 2.4 times as far.
        still: the pictures of an identity differ in nothing but the expression; for `ecgan-train evaluate --still`.
        mixtures: every two emotions are pictured half and half as well; see `train.mixtures`.
    """

    neutral: str
    emotions: Mapping[str, Mapping[str, float]]
    seed: int = 0
    intensity: tuple[float, float] = (0.8, 1.08)
    jitter: float = 0.12
    asymmetry: float = 0.06
    relight: float = 0.35
    photo: float = 0.5
    glasses: float = 0.15
    beards: float = BEARDS
    turn: float = 7.5
    still: bool = False
    mixtures: bool = False

    @property
    def looks(self) -> dict[str, Mapping[str, float]]:
        """Weights by face unit of all that is pictured of each person: the emotions, then their mixtures."""
        mixed = mixtures_of(self.emotions) if self.mixtures else {}
        return dict(self.emotions) | {
            name: {
                unit: weight
                for unit in UNITS
                if (weight := sum(self.emotions[part].get(unit, 0.0) for part in pair) / len(pair))
            }
            for name, pair in mixed.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, dicts and numbers, as YAML writes them and `recipe_from` reads them."""
        emotions = {name: dict(weights) for name, weights in self.emotions.items()}
        return dataclasses.asdict(self) | {"emotions": emotions, "intensity": list(self.intensity)}


def load_recipe(path: str | os.PathLike) -> Recipe:
    """Read a recipe file.

    Raises:
        RecipeError: the file is missing or no YAML, has a key twice, or says what `recipe_from` refuses.
    """
    path = Path(path)
    try:
        tree = load_yaml(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RecipeError(f"cannot read the recipe {path}: {error.strerror}; check the name and the folder") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"the recipe {path} is no text in UTF-8; save it as UTF-8 again") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RecipeError(f"the recipe {path} is no valid YAML: {_what_and_where(error)}") from error
    try:
        return recipe_from(tree)
    except RecipeError as error:
        raise RecipeError(f"the recipe {path}: {error}") from error


def recipe_from(tree: Any) -> Recipe:
    """A recipe from what its YAML, or `Recipe.to_dict`, says.

    Raises:
        RecipeError: a key, a face unit or the neutral emotion is unknown, a number is none or out of its range, or the
            name of an emotion could not be the name of a folder everywhere.
    """
    tree = _mapping("the file", tree, "such as `emotions:`")
    known = [field.name for field in dataclasses.fields(Recipe)]
    for key in tree:
        if key not in known:
            raise RecipeError(f"there is no key {_shown(key)}{_nearest(key, known)}")
    if "emotions" not in tree:
        raise RecipeError("`emotions:` is missing; list the emotions and their face units under it")
    emotions = _emotions(tree["emotions"])
    settings: dict[str, Any] = {key: _number(key, tree[key], 0, 1) for key in SHARES if key in tree}
    settings |= {key: _yes_or_no(key, tree[key]) for key in SWITCHES if key in tree}
    if "turn" in tree:
        settings["turn"] = _number("turn", tree["turn"], 0, MAX_TURN)
    if "seed" in tree:
        settings["seed"] = _seed(tree["seed"])
    if "intensity" in tree:
        settings["intensity"] = _range("intensity", tree["intensity"], MAX_WEIGHT)
    return Recipe(_neutral(tree.get("neutral", "neutral"), emotions), emotions, **settings)


def recipe_text(recipe: Recipe) -> str:
    """The recipe as YAML that `load_recipe` reads back to an equal one, with every key and every side written out."""
    return yaml.safe_dump(recipe.to_dict(), sort_keys=False, allow_unicode=True, default_flow_style=None, width=119)


def differences(before: Recipe, now: Recipe) -> list[str]:
    """What two recipes differ in, as keys of their files: `jitter`, `emotions.happy`. Order makes no difference."""
    names = dict.fromkeys([*before.emotions, *now.emotions])
    emotions = [f"emotions.{name}" for name in names if before.emotions.get(name) != now.emotions.get(name)]
    others = [field.name for field in dataclasses.fields(Recipe) if field.name != "emotions"]
    return [key for key in others if getattr(before, key) != getattr(now, key)] + emotions


# Emotions -------------------------------------------------------------------------------------------------------------


def _emotions(tree: Any) -> dict[str, dict[str, float]]:
    emotions: dict[str, dict[str, float]] = {}
    for key, weights in _mapping("emotions", tree, "such as `happy: {mouthSmile: .9}`").items():
        name = _name(key)
        twin = next((other for other in emotions if other.casefold() == name.casefold()), None)
        if twin is not None:
            raise RecipeError(
                f"emotions: {twin!r} and {name!r} would share a folder where case is ignored; rename one of them"
            )
        emotions[name] = _weights(f"emotions.{name}", weights)
    return emotions


def _name(key: Any) -> str:
    """The name in composed Unicode (NFC), if it can be a folder on Linux, macOS and Windows."""
    if not isinstance(key, str):
        raise RecipeError(f"emotions: YAML does not read the name {_shown(key)} as text; put it in quotes")
    name = unicodedata.normalize("NFC", key)
    kinds = [unicodedata.category(character) for character in name]
    allowed = all(kind[0] in "LM" or kind == "Nd" or c in "_- " for kind, c in zip(kinds, name, strict=True))
    if not allowed or not name or kinds[0][0] not in "LN" or name[-1] == " " or len(name) > MAX_NAME:
        raise RecipeError(
            f"emotions: {_shown(key)} cannot be the name of a folder; use up to {MAX_NAME} letters, digits, `_`, `-` "
            "and spaces, and begin with a letter or a digit"
        )
    if name.casefold() in NOT_ON_WINDOWS:
        raise RecipeError(f"emotions: {name!r} is a name that Windows keeps for itself; choose another")
    return name


def _weights(where: str, tree: Any) -> dict[str, float]:
    """Weights by unit; a unit without its side sets both, then the sided ones set theirs."""
    weights: dict[str, float] = {}
    written = _mapping(where, tree, "such as `mouthSmile: .9`, or {} for a head at rest")
    for unit in written:
        if unit not in UNITS and unit not in PAIRS:
            raise RecipeError(f"{where}: there is no face unit {_shown(unit)}{_nearest(unit, [*PAIRS, *UNITS])}")
    for unit in sorted(written, key=lambda unit: unit not in PAIRS):
        weight = _number(f"{where}.{unit}", written[unit], 0, MAX_WEIGHT)
        weights |= dict.fromkeys((f"{unit}Left", f"{unit}Right") if unit in PAIRS else (unit,), weight)
    return {unit: weights[unit] for unit in UNITS if weights.get(unit)}


def _neutral(name: Any, emotions: Mapping[str, Any]) -> str:
    if isinstance(name, str) and unicodedata.normalize("NFC", name) in emotions:
        return unicodedata.normalize("NFC", name)
    near = difflib.get_close_matches(str(name), emotions, 1)
    hint = (
        f"set `neutral: {near[0]}` if that is the one" if near else "set `neutral:` to the one that is the face at rest"
    )
    raise RecipeError(f"there is no emotion {_shown(name)}, the neutral one; add it under `emotions:`, or {hint}")


# Values ---------------------------------------------------------------------------------------------------------------


def _mapping(where: str, value: Any, example: str) -> dict:
    if not isinstance(value, dict):
        found = "nothing" if value is None else _shown(value)
        raise RecipeError(f"{where}: expected keys with values, {example}, but found {found}")
    return value


def _number(where: str, value: Any, low: float, high: float) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # from text too: YAML reads 1e-3 as text
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if math.isnan(number):
        raise RecipeError(f"{where}: expected a number, but found {_shown(value)}")
    if not low <= number <= high:
        raise RecipeError(f"{where}: must be from {low:g} to {high:g}, but is {number:g}")
    return number


def _range(where: str, value: Any, high: float) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise RecipeError(f"{where}: expected two numbers, such as [0.8, 1.08], but found {_shown(value)}")
    first, last = (_number(where, end, 0, high) for end in value)
    if first > last:
        raise RecipeError(f"{where}: the first number is the smaller one, but found {_shown(value)}")
    return first, last


def _yes_or_no(where: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise RecipeError(f"{where}: expected true or false, but found {_shown(value)}")
    return value


def _seed(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**62:
        raise RecipeError(f"seed: expected a whole number from 0 on, but found {_shown(value)}")
    return value


def _nearest(name: Any, known: Iterable[str]) -> str:
    lower = {key.lower(): key for key in known}
    near = difflib.get_close_matches(str(name).lower(), lower, 1)
    return f"; did you mean {lower[near[0]]!r}?" if near else f"; known are {', '.join(known)}"


def _shown(value: Any) -> str:
    """A value in an error text, never long."""
    return reprlib.repr(value)


# YAML -----------------------------------------------------------------------------------------------------------------


def _what_and_where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return f"line {mark.line + 1}, column {mark.column + 1}: {what}" if mark else str(what)
