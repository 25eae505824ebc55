"""What is around the model, the pack's import and the portrait studio: `python -m benchmarks.around` prints it."""

from __future__ import annotations

import statistics

from tools.host import HostError

from . import portraits
from .measuring import pack_import
from .measuring.measure import Part, Settings, Table, run_alone, time_text
from .measuring.memory import high_water, in_child


def measure(settings: Settings) -> Part:
    part, rows = Part(), []
    try:
        runs = [pack_import.once() for _ in range(settings.rounds(3))]
    except HostError as problem:
        rows.append(["importing the pack in ComfyUI", f"not measured: {problem}"])
    else:
        seconds = [loading + schemas for loading, schemas, _, _ in runs]
        part.figures["seconds.pack_import"] = statistics.median(seconds)
        rows.append(["importing the pack in ComfyUI, with its schemas (seconds)", time_text(seconds)])
    people, size = (1, 64) if settings.quick else (12, 256)
    pictures, seconds_spent, megabytes = in_child(studio, people, size)
    rate = pictures / seconds_spent
    part.figures["pictures_per_cpu_second"] = rate
    rows.append([f"the portrait studio at {size} pixels", f"{rate:.2f} pictures a CPU-second, {megabytes:.0f} MB"])
    part.tables.append(Table("Around the model", ["what", "cost"], rows))
    return part


def studio(people: int, size: int) -> tuple[int, float, float]:
    """(pictures, CPU-seconds, peak memory in MB) of a process that renders and does nothing else."""
    pictures, seconds, _ = portraits.one_core(people, size)
    return pictures, seconds, high_water()


if __name__ == "__main__":
    run_alone(measure, "around", __doc__)
