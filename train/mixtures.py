"""Mixtures: faces halfway between two emotions, named after both: `happy+surprised`.

The emotion slider stops between emotions and a mix blends them, so the networks have to be shown what lies there, or
they draw it badly. The portrait studio can picture mixtures (`mixtures: true`); the trainer takes them as the truth for
a code of half and half.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

MIX = "+"  # no emotion of the studio may have it in its name


def mixtures_of(emotions: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The names of all mixtures of two emotions, with both, in the order of the emotions."""
    return {MIX.join(pair): pair for pair in combinations(emotions, 2)}


def mixture_of(name: str, emotions: Sequence[str]) -> tuple[str, str] | None:
    """The two emotions that `name` is a mixture of, in the order of the emotions; None if it is no mixture."""
    parts = sorted(name.split(MIX), key=lambda part: emotions.index(part) if part in emotions else -1)
    if name in emotions or len(set(parts)) != 2 or not set(parts) <= set(emotions):
        return None
    return parts[0], parts[1]


def without_mixtures(names: Iterable[str]) -> tuple[str, ...]:
    """The names of a data set, sorted, but for those that are mixtures of two others."""
    names = sorted(set(names))
    simple = [name for name in names if MIX not in name]
    return tuple(name for name in names if mixture_of(name, simple) is None)
