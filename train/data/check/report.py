"""`check`: what is wrong with a data set, before an hour is spent on it."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

from ecgan_core.files.replacing import write_image

from .census import Census, Plan, table, take
from .finding import ADVICE, HARMS, STOPS, Finding
from .findings import findings
from .hole_sheet import hole_sheet

HEADINGS = {STOPS: "Would not train", HARMS: "Trains, but the model suffers", ADVICE: "Advice"}
SHOWN = 4  # examples of a finding
FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}


def check(plan: Plan, out: Path | None = None) -> tuple[str, int]:
    """Look at all pictures of a plan and write a contact sheet with holes drawn.

    Args:
        out: the sheet's file, .jpg, .png or .webp; None for no sheet.

    Returns:
        the report, and how many findings stand in the way of training.

    Raises:
        ValueError: `out` is no picture's name.
    """
    if out is not None and out.suffix.lower() not in FORMATS:
        raise ValueError(f"{out} is no name for a sheet; let it end in {', '.join(FORMATS)}")
    census = take(plan)
    found = findings(census)
    text = report(census, found)
    if out is not None and any(not item.look.problem for item in census.plain()):
        write_image(hole_sheet(census), out, FORMATS[out.suffix.lower()], quality=92)
        text += f"\n\nThe contact sheet is {out}: do eyes and mouths lie inside the holes named after them?"
    return text, sum(finding.level == STOPS for finding in found)


def report(census: Census, found: list[Finding]) -> str:
    """The counts, then the findings by weight, each with what to do."""
    names = ", ".join(source.path for source in census.plan.sources) or "no sources"
    lines = [f"{names}: {len(census.items):,} pictures, checked for training at {census.plan.size} px"]
    if census.items:
        lines += ["", table(census)]
    number = 0
    for level, heading in HEADINGS.items():
        own = [finding for finding in found if finding.level == level]
        lines += ["", heading] if own else []
        for finding in own:
            number += 1
            lines += _paragraphs(number, finding, census.plan.root)
    return "\n".join(lines if found else [*lines, "", "Nothing is wrong with it."])


def _paragraphs(number: int, finding: Finding, root: Path) -> list[str]:
    before, indent = f"{number:>3}. ", " " * 5
    what = finding.what[:1].upper() + finding.what[1:]
    lines = _wrapped(what, before, indent)
    if finding.do:
        lines += _wrapped(finding.do, f"{indent}→ ", f"{indent}  ")
    lines += [f"{indent}  {example.replace(f'{root}{os.sep}', '')}" for example in finding.examples[:SHOWN]]
    if len(finding.examples) > SHOWN:
        lines.append(f"{indent}  … and {len(finding.examples) - SHOWN:,} more")
    return lines


def _wrapped(text: str, first: str, others: str) -> list[str]:
    """Lines of 110; a path that is longer stays in one piece."""
    return textwrap.wrap(
        text, 110, initial_indent=first, subsequent_indent=others, break_long_words=False, break_on_hyphens=False
    )
