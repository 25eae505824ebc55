"""A recipe with stages: what is trained one after the other, each stage going on from the model of the one before.

    emotions: [neutral, happy, …]          keys of every stage, as `config.TrainConfig` has them
    networks: {image_size: 128, …}
    portraits:                             sets that the studio renders into DATA, where they are missing
      still: {recipe: emotions/basic7.yaml, seed: 70000, count: 1500, still: true}
    stages:                                a stage's own keys, each in the place of the recipe's
      - {name: first, images: 68000, data: [{path: portraits}]}
      - {name: second, images: 40000, data: [{path: still, paired: true}], keep: 0.3}
    evaluation:                            who it is measured on: `data` as of a stage, people who hold still
      data: [{path: portraits, held_out: 0.08}]
      still: unseen
    notes: text that ends the model's card

A recipe without stages is one of a single stage, which has the name of the file, with `-` for what no name of a stage
may have.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ecgan_core.words import shown

from .config import ConfigError, Source, TrainConfig, from_dict
from .portraits.recipe import Recipe, RecipeError, load_recipe, recipe_from
from .recipe_tree import read_tree, with_overrides

FIGURES = "evaluation"  # the folder of a made model's figures, among those of its stages
AROUND = ("stages", "portraits", "evaluation", "notes")  # the keys that are no settings of a run


@dataclass(frozen=True)
class Stage:
    """A run of the recipe: its `name` is its folder's and its model's.

    `keep` is the share of the weights which stays that of the model before it, 0 to 1; see `export`.
    """

    name: str
    config: TrainConfig
    keep: float = 0.0


@dataclass(frozen=True)
class PortraitSet:
    """A set of rendered people: which, and how many."""

    recipe: Recipe
    count: int
    size: int


@dataclass(frozen=True)
class Plan:
    """A whole recipe.

    Attributes:
        name: the recipe's file, without its ending.
        stages: in the order in which they are trained, one at least.
        portraits: the sets to render, by the names of their folders.
        evaluation: the config that says who the model is measured on.
        still: the set of people who hold still and were never trained on; "" for none.
        notes: what the recipe's author says of the model.
    """

    name: str
    stages: tuple[Stage, ...]
    portraits: dict[str, PortraitSet]
    evaluation: TrainConfig
    still: str
    notes: str

    def stage(self, name: str) -> Stage:
        """The stage of that name; raises ConfigError where there is none."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise ConfigError(f"{self.name} has no stage {shown(name)}; it has {', '.join(s.name for s in self.stages)}")

    def measured_on(self, name: str = "") -> TrainConfig:
        """The config by which a stage's model is measured, the last one's if no name is given: on whom the recipe says
        under `evaluation`, or else on whom the stage holds out.
        """
        last = self.stages[-1]
        if not name or name == last.name:
            return self.evaluation
        own = self.stage(name).config
        return own if self.evaluation.data == last.config.data else replace(own, data=self.evaluation.data)


def load_plan(path: Path, overrides: list[str] | None = None) -> Plan:
    """Read a recipe with its stages; `overrides` (`images=1000`) are for all of them.

    Raises:
        ConfigError: the recipe, a recipe of portraits that it names, or an override cannot be read or meant.
    """
    tree = read_tree(path)
    common = {key: value for key, value in tree.items() if key not in AROUND}
    entries = tree.get("stages", [{"name": _name_of(path)}])
    if not isinstance(entries, list) or not entries:
        raise ConfigError(f"stages: expected a list of stages, but found {shown(entries)}")
    stages = tuple(_stage(common, entry, overrides) for entry in entries)
    if len({stage.name for stage in stages}) < len(stages):
        raise ConfigError(f"stages: two have one name: {', '.join(stage.name for stage in stages)}")
    for before, stage in zip((None, *stages), stages, strict=False):
        _must_have_something_to_keep(stage, before)
    size = stages[-1].config.networks.image_size
    sets = _mapping(tree.get("portraits", {}), "portraits")
    portraits = {name: _portraits(name, entry, path.parent, size) for name, entry in sets.items()}
    evaluation = _mapping(tree.get("evaluation", {}), "evaluation")
    if unknown := sorted(evaluation.keys() - {"data", "still"}):
        raise ConfigError(f"evaluation.{unknown[0]}: no such key; known keys are data, still")
    still = str(evaluation.get("still", ""))
    if still and still not in portraits:
        raise ConfigError(f"evaluation.still: {shown(still)} is none of the sets under portraits")
    measured = stages[-1].config
    if "data" in evaluation:
        measured = _config(measured.to_dict() | {"data": evaluation["data"]}, "evaluation")
    for stage in stages:
        _must_not_train_on(measured.data, still, stage)
    return Plan(path.stem, stages, portraits, measured, still, str(tree.get("notes", "")))


def load_stage(path: Path, overrides: list[str] | None = None, name: str = "") -> TrainConfig:
    """The config of one stage of a recipe, or of a recipe that has no stages.

    Raises:
        ConfigError: as in `load_plan`, or the recipe has several stages and none was named.
    """
    plan = load_plan(path, overrides)
    if name:
        return plan.stage(name).config
    if len(plan.stages) > 1:
        raise ConfigError(
            f"{path} has the stages {', '.join(stage.name for stage in plan.stages)}; "
            f"train all of them with `make`, or name one with --stage"
        )
    return plan.stages[0].config


def _name_of(path: Path) -> str:
    """The name of the only stage of a recipe, which is a folder's as well: of `my faces.v2.yaml`, `my-faces-v2`."""
    ends_cut = re.sub(r"^[^\w-]+|[^\w-]+$", "", unicodedata.normalize("NFC", path.stem))
    return re.sub(r"[^\w-]+", "-", ends_cut) if re.search(r"[^\W_]", ends_cut) else "run"


def _stage(common: dict[str, Any], entry: Any, overrides: list[str] | None) -> Stage:
    own = dict(_mapping(entry, "stages"))
    name = str(own.pop("name", ""))
    if not name.replace("-", "").replace("_", "").isalnum():
        raise ConfigError(
            f"stages: a stage needs a name of letters and digits, its folder's, but one has {shown(name)}"
        )
    if name == FIGURES:
        raise ConfigError(
            f"stages: none can be called {name}, since `make` keeps its figures in the folder of that name"
        )
    keep = own.pop("keep", 0)
    if isinstance(keep, bool) or not isinstance(keep, int | float) or not 0 <= keep <= 1:
        raise ConfigError(f"{name}.keep: must be a share from 0 to 1, but is {shown(keep)}")
    return Stage(name, _config(with_overrides(common | own, overrides or []), name), float(keep))


def _must_have_something_to_keep(stage: Stage, before: Stage | None) -> None:
    """Raise ConfigError now, and not after days of training, if a stage shall keep a share of what it cannot."""
    if not stage.keep:
        return
    if before is None:
        if not stage.config.start_from:
            raise ConfigError(f"{stage.name}.keep: it goes on from no model; give start_from, or leave out keep")
        return
    for key in ("networks", "emotions"):
        if getattr(stage.config, key) != getattr(before.config, key):
            raise ConfigError(
                f"{stage.name}.keep: of a model with other {key} no share can be kept, and {before.name} has others"
            )


def _must_not_train_on(measured: tuple[Source, ...], still: str, stage: Stage) -> None:
    """Raise ConfigError if the stage is trained on people who are measured as if it had never seen them."""
    for source in (source for source in stage.config.data if source.weight):
        if source.path == still and source.held_out < 1:
            raise ConfigError(
                f"evaluation.still: {stage.name} is trained on {shown(still)}; name a set that no stage draws from"
            )
        for other in measured:
            if (other.path, other.use) == (source.path, source.use) and source.held_out < other.held_out:
                raise ConfigError(
                    f"evaluation.data: {other.held_out:g} of {shown(other.path)} would be measured as held out, but "
                    f"{stage.name} holds out {source.held_out:g} and is trained on the rest; give both one held_out"
                )


def _config(tree: dict[str, Any], where: str) -> TrainConfig:
    try:
        return from_dict(tree)
    except ConfigError as problem:
        raise ConfigError(f"{where}: {problem}") from problem


def _portraits(name: str, entry: Any, beside: Path, size: int) -> PortraitSet:
    """A set as a recipe says it: `recipe`, `count` and maybe `size`, and what it changes of the portraits' recipe."""
    own = dict(_mapping(entry, f"portraits.{name}"))
    count, size, file = own.pop("count", None), own.pop("size", size), own.pop("recipe", None)
    for key, value in (("count", count), ("size", size)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigError(f"portraits.{name}.{key}: must be a whole number from 1 on, but is {shown(value)}")
    if not isinstance(file, str):
        raise ConfigError(f"portraits.{name}.recipe: must be a recipe of portraits, but is {shown(file)}")
    try:
        recipe = recipe_from(load_recipe(beside / file).to_dict() | own)
    except RecipeError as problem:
        raise ConfigError(f"portraits.{name}: {problem}") from problem
    return PortraitSet(recipe, count, size)


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: expected keys with values, but found {shown(value)}")
    return {str(key): entry for key, entry in value.items()}
