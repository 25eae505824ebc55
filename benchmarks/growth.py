"""How the cost grows: `python -m benchmarks.growth` prints seconds by size of the networks, faces and samples."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from ecgan_core import DEFAULT_CHECKPOINT
from ecgan_core.pipeline import ECGANPipeline

from .measuring import ours
from .measuring.measure import Case, Curve, Part, Settings, Table, interleaved, run_alone, time_text

COUNTS = (1, 2, 4, 8, 16)


def measure(settings: Settings) -> Part:
    part = Part()
    counts = COUNTS[:2] if settings.quick else COUNTS
    with tempfile.TemporaryDirectory() as folder:
        _sizes(part, Path(folder), settings)
    pipeline = ours.load(DEFAULT_CHECKPOINT, settings.device)
    frames = {count: ours.frames(count, pipeline.frame_size, settings.device) for count in counts}
    cases: dict[int, Case] = {count: _networks(pipeline, *frames[count]) for count in counts}
    _grow(part, "faces at once", "networks alone", cases, settings)
    picture, hole = ours.portrait(512)
    cases = {count: _samples(pipeline, picture, hole, count) for count in counts}
    _grow(part, "samples of a face", "a completion in its picture", cases, settings)
    return part


def _sizes(part: Part, folder: Path, settings: Settings) -> None:
    """One face through networks of each recipe's size, random weights."""
    cases: dict[int, Case] = {}
    for size in ours.SIZES[:2] if settings.quick else ours.SIZES:
        pipeline = ours.load(ours.write_untrained(size, folder), settings.device)
        cases[size] = _networks(pipeline, *ours.frames(1, size, settings.device))
    _grow(part, "side of the networks' frame", "networks alone", cases, settings)


def _networks(pipeline: ECGANPipeline, face, hole) -> Case:
    return lambda: ours.networks_alone(pipeline, face, hole)


def _samples(pipeline: ECGANPipeline, picture, hole, count: int) -> Case:
    return lambda: ours.complete(pipeline, picture, hole, samples=count)


def _grow(part: Part, panel: str, what: str, cases: dict[int, Case], settings: Settings) -> None:
    """Measure cases that differ by a number: a table, and a curve in a panel of its own."""
    found = interleaved({str(x): case for x, case in cases.items()}, settings.rounds(5), settings)
    points = [(float(x), statistics.median(found[str(x)])) for x in cases]
    (x0, first) = points[0]
    rows = [
        [f"{x:g}", time_text(found[f"{x:g}"]), f"{seconds / first:.2f}", f"{seconds / first / (x / x0):.2f}"]
        for x, seconds in points
    ]
    columns = [panel, f"time: {what}", "times the first", "the same, for each"]
    part.tables.append(Table(f"Growth with the {panel}", columns, rows))
    part.curves.append(Curve(panel, what, points))


if __name__ == "__main__":
    run_alone(measure, "growth", __doc__)
