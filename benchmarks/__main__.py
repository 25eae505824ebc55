"""What would one run instead, and what do we cost? `make bench` answers in one run.

It leaves `bench.json`, `bench.md` and `bench.png` in output/bench (or `--out DIR`). Each part is a command of its own,
too: `python -m benchmarks.completion`, `… training`, `… growth`, `… ceiling`, `… around`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import around, ceiling, completion, growth, training
from .measuring.chart import write_chart
from .measuring.measure import Part, add_arguments, settings_of, table_lines
from .measuring.ours import ROOT
from .measuring.report import goal_table, machine, write_report

PARTS = {
    "ceiling": ceiling.measure,
    "completion": completion.measure,
    "training": training.measure,
    "growth": growth.measure,
    "around": around.measure,
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--out", type=Path, default=ROOT / "output" / "bench", help="folder (default output/bench)")
    chosen = parser.parse_args(arguments)
    try:
        settings = settings_of(chosen)
    except ValueError as problem:
        parser.error(str(problem))
    where, parts = machine(settings), dict[str, Part]()
    for name in chosen.only:
        start = time.monotonic()
        print(f"{name} …", end=" ", flush=True)
        parts[name] = PARTS[name](settings)
        print(f"{time.monotonic() - start:.0f} s", flush=True)
        write_report(parts, where, chosen.out)  # after each: whoever stops it has what was measured
    bars = [bar for part in parts.values() for bar in part.bars]
    write_chart(bars, [curve for part in parts.values() for curve in part.curves], chosen.out / "bench.png")
    figures = {name: value for part in parts.values() for name, value in part.figures.items()}
    print("", *table_lines(goal_table(figures)), "", f"All of it: {chosen.out / 'bench.md'}", sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
