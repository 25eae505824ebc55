"""One thing that is wrong with a data set, and the words to say it with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .census import Item

STOPS, HARMS, ADVICE = range(3)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    level: int  # STOPS: would not train; HARMS: trains, and the model suffers; ADVICE
    what: str
    do: str
    examples: tuple[str, ...] = ()


def pictures(items: list[Item]) -> str:
    return f"{len(items):,} {plural(len(items), 'picture')}"


def plural(count: int, word: str) -> str:
    return word if count == 1 else word.removesuffix("y") + "ies" if word.endswith("y") else word + "s"


def are(items: list[Item]) -> str:
    return "is" if len(items) == 1 else "are"


def have(items: list[Item]) -> str:
    return "has" if len(items) == 1 else "have"


def places(items: Iterable[Item]) -> tuple[str, ...]:
    return tuple(item.row.place for item in items)
