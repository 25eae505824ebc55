"""Somebody's value inside a sentence: on one line, never long, and safe to print."""

from __future__ import annotations

import math
import reprlib
from typing import Any

MOST = 80  # characters

_short = reprlib.Repr()
_short.maxstring = _short.maxother = MOST
_short.maxlong = 40


def shown(value: Any) -> str:
    """A value as Python writes it, cut in the middle where it is long; a thing that has no short form by its kind."""
    if hasattr(value, "shape"):
        return f"{kind(value)} of shape {list(value.shape)}"
    try:
        text = _short.repr(value)
    except Exception:  # what a stranger's own __repr__ does is not ours to know
        return kind(value)
    text = " ".join(ascii(text)[1:-1].split()) if not text.isprintable() else text
    return kind(value) if text.startswith("<") else text if len(text) <= 2 * MOST else f"{text[:MOST]}…"


def printable(text: str) -> str:
    """Somebody's text, of several lines, without what a terminal would obey: a file may tell it to do anything."""
    lines = text.replace("\t", "    ").splitlines()
    return "\n".join("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line) for line in lines)


def kind(value: Any) -> str:
    """What a value is, with its article: "a list", "an int", "None"."""
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def finite(what: str, value: Any) -> float:
    """`value` as a number that can be reckoned with; raises ValueError, naming `what`, where it is none."""
    try:
        number = math.nan if isinstance(value, str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{what} must be a finite number, but it is {shown(value)}")
    return number
