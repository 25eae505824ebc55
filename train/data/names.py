"""Names of emotions that are almost others: which one is meant, and how to say so."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from itertools import combinations

WORDS = {"yes", "no", "on", "off", "true", "false", "null"}  # YAML takes them for other than text
CLOSE = 0.86  # of difflib's ratio: "surprise" and "surprised", but not "pleased" and "displeased"


def simplified(name: str) -> str:
    """A name in small letters, with a space for all that stands between words."""
    return " ".join(re.split(r"[\W_]+", name.casefold())).strip()


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of some other names that is most like it, or None if none is."""
    by_simple = {simplified(other): other for other in names if other != name}
    near = difflib.get_close_matches(simplified(name), by_simple, 1)
    return by_simple[near[0]] if near else None


def renaming(name: str, names: Iterable[str]) -> str:
    """The `labels` that would make `name` the nearest of some names, as a recipe has them."""
    return f"{{{in_yaml(name)}: {in_yaml(nearest(name, names) or 'ONE OF THEM')}}}"


def same_but_for_writing(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs that differ in capitals, spaces and the like only."""
    return [(a, b) for a, b in combinations(sorted(names), 2) if simplified(a) == simplified(b)]


def almost_same(names: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs that differ in a letter or an ending: one may be a slip of the pen. Such as differ in numbers do not."""
    return [
        (a, b)
        for a, b in combinations(sorted(names), 2)
        if simplified(a) != simplified(b)
        and re.sub(r"\d", "", a) == a
        and simplified(a)[:1] == simplified(b)[:1]
        and difflib.SequenceMatcher(None, simplified(a), simplified(b)).ratio() >= CLOSE
    ]


def in_yaml(name: str) -> str:
    """A name as YAML takes it for text."""
    plain = re.fullmatch(r"[A-Za-z][\w ]*\w", name) and name.lower() not in WORDS
    return name if plain else json.dumps(name, ensure_ascii=False)
