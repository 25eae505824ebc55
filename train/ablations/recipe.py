"""A recipe of ablations: what all variants share, as in any recipe, and around it what they differ in.

emotions: [neutral, happy, …]          keys of a run, as `config.TrainConfig` has them
variants:                              each a name, and the keys that it changes, dotted as after --set
  ours: {}
  shared trunk: {networks.shared_trunk: true}
seeds: [0, 1, 2]                       each variant is trained with each
people: unseen                         a set in DATA of people who hold still and whom no variant is trained on
editing: ours                          the variant on which other ways of editing are measured, too
picture:                               which variants are shown side by side, on which pictures in DATA
  variants: [ours, paper]
  faces: [unseen/neutral/00003.jpg]
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ecgan_core.words import shown

from ..config import ConfigError, TrainConfig, from_dict
from ..recipe_tree import read_tree, with_overrides

AROUND = ("variants", "seeds", "people", "editing", "picture")  # the keys that are no settings of a run


@dataclass(frozen=True)
class Variant:
    """What is trained under a name."""

    name: str
    config: TrainConfig

    def seeded(self, seed: int) -> TrainConfig:
        """The config of its run with a seed."""
        return replace(self.config, seed=seed)

    def folder(self, seed: int) -> str:
        """The name of that run's folder."""
        return f"{self.name.replace(' ', '-')}-{seed}"


@dataclass(frozen=True)
class Ablations:
    """A whole recipe.

    Attributes:
        variants: in the order of the table, one at least.
        seeds: of the runs of each.
        people: the folder, in DATA, of the people who are measured.
        editing: the name of the variant that is edited in other ways as well; "" for none.
        pictured: names of the variants in the picture; none, no picture.
        faces: the pictures in DATA that it shows.
    """

    variants: tuple[Variant, ...]
    seeds: tuple[int, ...]
    people: str
    editing: str = ""
    pictured: tuple[str, ...] = ()
    faces: tuple[str, ...] = ()

    @property
    def base(self) -> TrainConfig:
        """The config of the first variant: emotions and size are those of all."""
        return self.variants[0].config

    def variant(self, name: str) -> Variant:
        """The variant of that name."""
        return next(variant for variant in self.variants if variant.name == name)


def load_ablations(path: Path, overrides: list[str] | None = None, only: Sequence[str] = ()) -> Ablations:
    """Read a recipe of ablations; `overrides` (`images=1000`) are for all variants, whose own keys come after them.

    `only` names the variants that are wanted, where not all are.

    Raises:
        ConfigError: the recipe or an override cannot be read or meant; the text names the variant and the key.
    """
    tree = read_tree(path)
    shared = with_overrides({key: value for key, value in tree.items() if key not in AROUND}, overrides or [])
    entries = _mapping(tree.get("variants", {}), "variants")
    if not entries:
        raise ConfigError(
            f"variants: {path} names none; give each a name and the keys that it changes, as `ours: {{}}`"
        )
    variants = tuple(_variant(shared, name, changes) for name, changes in entries.items())
    if len({variant.folder(0) for variant in variants}) < len(variants):
        raise ConfigError(f"variants: two would have one folder: {', '.join(entries)}")
    first = variants[0].config
    for variant in variants:
        if (variant.config.emotions, variant.config.networks.image_size) != (first.emotions, first.networks.image_size):
            raise ConfigError(
                f"variants.{variant.name}: all must have the same emotions and image_size, to be compared"
            )
    picture = _mapping(tree.get("picture", {}), "picture")
    if unknown := sorted(picture.keys() - {"variants", "faces"}):
        raise ConfigError(f"picture.{unknown[0]}: no such key; known keys are variants, faces")
    found = Ablations(
        variants,
        _seeds(tree.get("seeds", [0])),
        _text(tree.get("people"), "people"),
        _text(tree.get("editing", ""), "editing"),
        _texts(picture.get("variants", []), "picture.variants"),
        _texts(picture.get("faces", []), "picture.faces"),
    )
    for where, name in [("editing", found.editing), *(("picture.variants", name) for name in found.pictured)]:
        if name and name not in entries:
            raise ConfigError(f"{where}: {shown(name)} is none of the variants {', '.join(entries)}")
    return _only(found, only) if only else found


def _only(plan: Ablations, wanted: Sequence[str]) -> Ablations:
    """The plan for some of its variants; what would be shown of others is left out."""
    names = [variant.name for variant in plan.variants]
    if unknown := [name for name in wanted if name not in names]:
        raise ConfigError(f"--variants: {shown(unknown[0])} is none of the variants {', '.join(names)}")
    return replace(
        plan,
        variants=tuple(variant for variant in plan.variants if variant.name in wanted),
        editing=plan.editing if plan.editing in wanted else "",
        pictured=tuple(name for name in plan.pictured if name in wanted),
    )


def _variant(shared: dict[str, Any], name: str, changes: Any) -> Variant:
    where = f"variants.{name}"
    if not name.replace("-", "").replace("_", "").replace(" ", "").isalnum():
        raise ConfigError(
            f"variants: a variant needs a name of letters and digits, its folder's, but one has {shown(name)}"
        )
    said = [f"{key}={json.dumps(value)}" for key, value in _mapping(changes, where).items()]
    try:
        return Variant(name, from_dict(with_overrides(shared, said)))
    except ConfigError as problem:
        raise ConfigError(f"{where}: {problem}") from problem


def _seeds(value: Any) -> tuple[int, ...]:
    seeds = value if isinstance(value, list) else []
    if not seeds or len(set(map(repr, seeds))) < len(seeds) or any(type(seed) is not int or seed < 0 for seed in seeds):
        raise ConfigError(f"seeds: must be different whole numbers from 0 on, as [0, 1, 2], but is {shown(value)}")
    return tuple(seeds)


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: expected keys with values, but found {shown(value)}")
    return {str(key): entry for key, entry in value.items()}


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or (where == "people" and not value):
        raise ConfigError(f"{where}: expected a name, but found {shown(value)}")
    return value


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ConfigError(f"{where}: expected a list of names, but found {shown(value)}")
    return tuple(value)
