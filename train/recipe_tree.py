"""What a recipe says, before it means anything: YAML as a tree of mappings, lists and plain values; and back.

`build` makes a dataclass of such a tree, by the types of its fields; whatever else is written is refused by a sentence
that names its key.
"""

from __future__ import annotations

import copy
import dataclasses
import difflib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import yaml

from ecgan_core.words import shown

from .unique_keys import load_yaml


class ConfigError(ValueError):
    """The recipe says something that cannot be meant; the text names the key."""


def read_tree(path: str | Path) -> dict[str, Any]:
    """What a recipe file says, as YAML has it.

    Raises:
        ConfigError: the file is missing, no YAML, or no keys with values, or it has a key twice.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read the recipe {path}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"the recipe {path} is no text in UTF-8 ({error}); save it again as UTF-8") from error
    tree = _parsed(text, f"the recipe {path}")
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"the recipe: expected keys with values, but found {shown(tree)}")
    return tree


def with_overrides(tree: dict[str, Any], overrides: list[str]) -> dict[str, Any]:
    """A recipe's tree, changed by `key=value` as on the command line; ConfigError where one cannot be meant."""
    tree = copy.deepcopy(tree)
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise ConfigError(f"{shown(override)} is no override; write key=value, such as images=1000")
        *parents, last = key.split(".")
        branch: Any = tree
        for parent in parents:
            branch = branch.setdefault(parent, {}) if isinstance(branch, dict) else None
        if not isinstance(branch, dict):
            raise ConfigError(f"{shown(override)} changes a part of the recipe that has no keys; give the whole part")
        branch[last] = _parsed(value, f"the override {shown(override)}")
    return tree


def build(kind: Any, value: Any, where: str = "") -> Any:
    """`value` as a `kind` (a dataclass, a tuple, a dict or a plain type).

    Args:
        where: its key, for the error's text.

    Raises:
        ConfigError: it is none; or the dataclass itself refuses what it is given.
    """
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, value, where)
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind), value, where)
    if get_origin(kind) is dict:
        return _dict(get_args(kind)[1], value, where)
    if kind is float:
        return _float(value, where)
    if kind is str and isinstance(value, bool):
        return "yes" if value else "no"  # YAML reads a bare no, as in `mixed_precision: no`, as false
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    raise ConfigError(f"{where}: expected {kind.__name__}, but found {shown(value)}")


def _dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise ConfigError(f"{where or 'the recipe'}: expected keys with values, but found {shown(value)}")
    within = f"{where}." if where else ""
    fields = {f.name: f for f in dataclasses.fields(kind)}
    for key in value:
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known keys are {', '.join(sorted(fields))}"
            raise ConfigError(f"{within}{_name(key)}: no such key{hint}")
    for name, f in fields.items():
        missing = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        if missing and name not in value:
            raise ConfigError(f"{where}: {name} is missing; it has no default")
    hints = get_type_hints(kind)
    return kind(**{key: build(hints[key], item, f"{within}{key}") for key, item in value.items()})


def _tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple:
    if not isinstance(value, (list, tuple)):
        raise ConfigError(f"{where}: expected a list, but found {shown(value)}")
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise ConfigError(f"{where}: expected {len(kinds)} values, but found {len(value)}")
    return tuple(build(kind, item, f"{where}[{i}]") for i, (kind, item) in enumerate(zip(kinds, value, strict=True)))


def _dict(kind: Any, value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: expected keys with values, but found {shown(value)}")
    if wrong := [key for key in value if not isinstance(key, (str, int))]:
        raise ConfigError(f"{where}: a key must be a word, but one is {shown(wrong[0])}")
    return {str(key): build(kind, item, f"{where}.{_name(key)}") for key, item in value.items()}


def _float(value: Any, where: str) -> float:
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):  # a str too: YAML reads 1e-3 as text
        try:
            if math.isfinite(number := float(value)):
                return number
        except (ValueError, OverflowError):
            pass
    raise ConfigError(f"{where}: expected a finite number, but found {shown(value)}")


def plain(value: Any) -> Any:
    """Lists in the place of tuples, as YAML and JSON write them."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def differing(before: Any, now: Any, where: str = "") -> Iterator[tuple[str, tuple[Any, Any]]]:
    """What two plain trees say differently: dotted key, (before, now), in the order of the keys.

    Lists of mappings are compared entry by entry where both have as many, any other list as a whole.
    """
    if isinstance(before, dict) and isinstance(now, dict) and before.keys() == now.keys():
        for key in before:
            yield from differing(before[key], now[key], f"{where}.{key}" if where else key)
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now) and _nested(before + now):
        for i, (a, b) in enumerate(zip(before, now, strict=True)):
            yield from differing(a, b, f"{where}[{i}]")
    elif before != now:
        yield where, (before, now)


def _nested(values: list) -> bool:
    return any(isinstance(value, dict) for value in values)


def _parsed(text: str, what: str) -> Any:
    """YAML's plain values; raises ConfigError with one line that says what is wrong, and where."""
    try:
        return load_yaml(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ConfigError(f"{what} is no valid YAML: {problem}{where}") from error
    except (RecursionError, ValueError, OverflowError) as error:  # such as the 31st of February
        raise ConfigError(f"{what} cannot be read: {str(error).splitlines()[0]}") from error


def _name(key: Any) -> str:
    """A key in an error's text: as it is written, unless it is none that anybody would write."""
    return key if isinstance(key, str) and key.isprintable() and len(key) <= 60 else shown(key)
