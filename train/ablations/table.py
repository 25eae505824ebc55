"""The figures of all variants as Markdown: means over seeds, with their standard deviation."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from .disentanglement import HOLES

Figures = dict[str, Any]  # of one run, as its file has them
METHODS_WAY = "z_e along v"  # the edit that every variant is measured with


def table_text(measured: dict[str, list[Figures]], real: Figures | None, editing: str, people: int) -> str:
    """Two tables: what was asked for and what came back, and what a shift changes.

    Args:
        measured: the runs of each variant, by its name; those without any are left out.
        real: what the second table's measure is of real people.
        editing: the variant whose other ways of editing have rows of their own.
        people: how many were measured.
    """
    done = {name: runs for name, runs in measured.items() if runs}
    if not done:
        return "nothing was measured yet\n"
    return "\n\n".join([_asked(done, people), _shifted(done, real, editing)]) + "\n"


def spread(values: Sequence[float | None], written: Callable[[float], str]) -> str:
    """ "mean ± standard deviation" of what is known; the mean alone of a single value, nothing of none."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    text = written(statistics.fmean(known))
    return f"{text} ± {written(statistics.stdev(known))}" if len(known) > 1 else text


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _tenths(value: float) -> str:
    return f"{value:.1f}"


def _hundredths(value: float) -> str:
    return f"{value:.2f}"


def _lines(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(f"| {' | '.join(row)} |" for row in rows)])


def _asked(done: dict[str, list[Figures]], people: int) -> str:
    head = ["variant", "seeds", "Q reads, %", "length of v"]
    for kind in HOLES:
        head += [f"{kind}: recognised, %", "PSNR, dB", "likeness"]
    rows = []
    for name, runs in done.items():
        row = [name, str(len(runs)), spread([run["q_reads"] for run in runs], _percent)]
        row.append(spread([run["vector_length"] for run in runs], _hundredths))
        for kind in HOLES:
            for key, written in (("accuracy", _percent), ("psnr", _hundredths), ("identity", _hundredths)):
                row.append(spread([run["holes"][kind][key] for run in runs], written))
        rows.append(row)
    some = next(iter(done.values()))[0]["holes"]
    ceilings = ", ".join(
        f"{kind} {_percent(some[kind]['ceiling'])} %"
        + ("" if some[kind]["identity_ceiling"] is None else f" and a likeness of {some[kind]['identity_ceiling']:.2f}")
        for kind in HOLES
    )
    note = (
        f"{people} people who hold still and whom nobody was trained on; {some[HOLES[0]]['pairs']} completions of each "
        "hole and run. Recognised: the requested emotion, by the judge; with the real hole of the same person pasted "
        f"in it is {ceilings}. Likeness: the cosine to the input by the identity network. PSNR in the hole, for a "
        "face's own emotion. Q reads: the share of whole faces whose emotion the model's own Q names. Length of v: of "
        "the recorded vectors, 1 being that of plain labels. Means over seeds ± standard deviation."
    )
    return f"{_lines(head, rows)}\n\n{note}"


def _shifted(done: dict[str, list[Figures]], real: Figures | None, editing: str) -> str:
    head = ["completed as neutral, then shifted"]
    for kind in HOLES:
        head += [f"{kind}: recognised, %", "change in eyes, brows and mouth", "elsewhere", "spill", "identity distance"]
    rows = [_edit_row(name, [run["edits"][METHODS_WAY] for run in runs]) for name, runs in done.items()]
    others = [run["edits"] for run in done.get(editing, [])]
    ways = dict.fromkeys(way for edits in others for way in edits if way != METHODS_WAY)
    rows += [_edit_row(f"{editing}: {way}", [edits[way] for edits in others if way in edits]) for way in ways]
    if real:
        rows.append(_edit_row("real people", [real]))
    edits = next(iter(done.values()))[0]["edits"][METHODS_WAY][HOLES[0]]["edits"]
    note = (
        f"{edits} shifts of each hole and run, α = 1. Changes are means of absolute differences in the hole, 0 to 255; "
        "spill is the change elsewhere over that in eyes, brows and mouth; identity distance is 1 − the cosine of "
        "before and after. Real people: the same measure between their neutral picture and theirs with the emotion."
    )
    return f"{_lines(head, rows)}\n\n{note}"


def _edit_row(name: str, runs: list[Figures]) -> list[str]:
    row = [name]
    for kind in HOLES:
        for key, written in (
            ("recognised", _percent), ("inside", _tenths), ("outside", _tenths), ("spill", _hundredths),
            ("distance", _hundredths),
        ):  # fmt: skip
            row.append(spread([run[kind][key] for run in runs], written))
    return row
