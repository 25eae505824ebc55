"""Clocks, turns and tables: what every part of `make bench` measures with."""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from train.learning.devices import has_bf16

Case = Callable[[], object]
Rounds = list[float]  # seconds, one for each round

LEAST = 0.15  # seconds that a case runs in one turn: what is over sooner is run again


PEERS = ("lama", "mat", "diffusion")  # the models of others; see `peers`


@dataclass(frozen=True)
class Settings:
    """Where to measure, and how thoroughly.

    Args:
        device: the graphics card if there is one, or the CPU.
        quick: small sizes and single rounds, to see that all of it runs.
        busy: count CPU-seconds of one thread, not seconds: for a machine that has other work.
        peers: which of the other models to measure, too.
    """

    device: torch.device
    quick: bool = False
    busy: bool = False
    peers: tuple[str, ...] = PEERS

    def rounds(self, usual: int) -> int:
        return 1 if self.quick else usual


@dataclass
class Table:
    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str = ""


@dataclass
class Curve:
    """A line of the chart: `points` are (x, seconds)."""

    panel: str
    name: str
    points: list[tuple[float, float]]


@dataclass
class Part:
    """What a part of the benchmark found: tables to read, figures by name for the goals, and what is drawn."""

    tables: list[Table] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    bars: list[tuple[str, float]] = field(default_factory=list)  # (name, seconds)
    curves: list[Curve] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cpu", action="store_true", help="measure the CPU though a GPU is there")
    parser.add_argument("--quick", action="store_true", help="small and only once: to see that it runs, not how fast")
    parser.add_argument("--busy", action="store_true", help="the machine has other work: one thread, in CPU-seconds")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS, help="of the models of others these alone")
    parser.add_argument("--no-peers", action="store_true", help="leave out the models of others")


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Settings from the command line; --busy holds torch to one thread.

    Raises:
        ValueError: --busy with a graphics card, which has no CPU-seconds.
    """
    device = torch.device("cuda" if torch.cuda.is_available() and not arguments.cpu else "cpu")
    if arguments.busy:
        if device.type != "cpu":
            raise ValueError("--busy counts the CPU's seconds, and a GPU would be measured; say --cpu with it")
        torch.set_num_threads(1)
    return Settings(device, arguments.quick, arguments.busy, () if arguments.no_peers else tuple(arguments.peers))


# Precisions ---


def half(device: torch.device) -> torch.dtype | None:
    """The 16-bit format that the device computes in: bfloat16, else float16 on a graphics card, else none."""
    if has_bf16(device):
        return torch.bfloat16
    return torch.float16 if device.type == "cuda" else None


def spoken(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


# Time ---


def seconds_of(case: Case, settings: Settings) -> float:
    """What one call takes; on a graphics card until its work is done."""
    clock = time.process_time if settings.busy else time.perf_counter
    start = clock()
    case()
    if settings.device.type == "cuda":
        torch.cuda.synchronize(settings.device)
    return clock() - start


def interleaved(
    cases: Mapping[str, Case], rounds: int, settings: Settings, warm_up: Mapping[str, Case] | None = None
) -> dict[str, Rounds]:
    """Run the cases in turns, A B C A B C …, after one call of each that does not count.

    In its turn a short case is called until `LEAST` seconds are over, and the turn's figure is the median of the calls.
    So a change of the machine's pace meets all cases alike; compare them with `ratio`. `warm_up` has something shorter
    for the first call of cases that take minutes.
    """
    for case in (dict(cases) | dict(warm_up or {})).values():
        seconds_of(case, settings)
    found: dict[str, Rounds] = {name: [] for name in cases}
    gc.collect()  # not between the turns: it takes longer than many of them
    for _ in range(rounds):
        for name, case in cases.items():
            calls = [seconds_of(case, settings)]
            while sum(calls) < (0 if settings.quick else LEAST):
                calls.append(seconds_of(case, settings))
            found[name].append(statistics.median(calls))
    return found


def ratio(ours: Rounds, theirs: Rounds) -> float:
    """The median over the rounds of ours / theirs, each pair measured one after the other."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def fastest(candidates: Mapping[str, Case], settings: Settings) -> str:
    """The name of the candidate that is fastest, after a call of each that does not count."""
    if len(candidates) == 1:
        return next(iter(candidates))
    found = interleaved(candidates, settings.rounds(2), settings)
    return min(found, key=lambda name: min(found[name]))


# Words ---


def time_text(rounds: Sequence[float]) -> str:
    """Median, and the range where there is one: "32 ms (31–35)"."""
    middle, low, high = statistics.median(rounds), min(rounds), max(rounds)
    unit, factor = ("s", 1.0) if middle >= 1 else ("ms", 1000.0)
    text = f"{rounded(factor * middle)} {unit}"
    return f"{text} ({rounded(factor * low)}–{rounded(factor * high)})" if len(rounds) > 1 else text


def ratio_text(value: float) -> str:
    """A ratio as it reads best: 1/35 below a third, else 0.62 or 2.7."""
    return f"1/{rounded(1 / value)}" if value < 1 / 3 else rounded(value)


def rounded(number: float) -> str:
    """Three digits that count: "0.623", "32", "1,370"."""
    return f"{float(f'{number:.3g}'):,g}"


def table_lines(table: Table) -> list[str]:
    """A table in Markdown."""
    lines = [f"## {table.title}", "", f"| {' | '.join(table.columns)} |", "|---" * len(table.columns) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in table.rows]
    return [*lines, "", table.note] if table.note else lines


def run_alone(measure: Callable[[Settings], Part], name: str, about: str | None) -> None:
    """A part's own command: measure it and print its tables."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about)
    add_arguments(parser)
    arguments = parser.parse_args()
    try:
        part = measure(settings_of(arguments))
    except ValueError as problem:
        parser.error(str(problem))
    for table in part.tables:
        print(*table_lines(table), sep="\n", end="\n\n")
