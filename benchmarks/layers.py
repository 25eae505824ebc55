"""Why E and G stay below a CPU's ceiling: `python -m benchmarks.layers --cpu` takes one face apart by operation.

Networks of 256 pixels with random weights, in the node's own precision. The second table has each shape of convolution
with its share of the machine's ceiling, and all of them together: what a network would reach that did nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch.profiler import ProfilerActivity, profile

from ecgan_core import DEFAULT_CHECKPOINT

from .ceiling import ceilings
from .measuring import ours
from .measuring.measure import Part, Settings, Table, run_alone, spoken

SHOWN = 12  # rows of a table


class Spent(NamedTuple):
    """What one operation on inputs of some shapes takes in one run: seconds by itself and in all, and calls."""

    seconds: float
    in_all: float
    calls: int
    operation: str
    shapes: Sequence[Sequence[int]]


def measure(settings: Settings) -> Part:
    if settings.device.type != "cpu":
        raise ValueError("this takes the time of a CPU apart; add --cpu")
    dtype, part = ours.default_precision(settings.device), Part()
    spent = profiled(settings)
    part.tables.append(_by_operation(spent))
    part.tables.append(_by_convolution(spent, ceilings(settings)["convolution", dtype], spoken(dtype)))
    return part


def profiled(settings: Settings) -> list[Spent]:
    """E and G of one face, after warm-up, operation by operation, the longest first."""
    pipeline = ours.load(DEFAULT_CHECKPOINT, settings.device)
    face, hole = ours.frames(1, pipeline.frame_size, settings.device)
    latent = pipeline.complete(face, hole, emotion=ours.some_emotion(pipeline), seeds=[0])
    given = (face * (1 - hole), hole, latent.code, latent.z)
    visible, hole, code, z = (tensor.to(pipeline.generator.dtype) for tensor in given)
    for rounds in (3, settings.rounds(20)):
        with torch.no_grad(), profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiler:
            for _ in range(rounds):
                pipeline.encoder(visible, hole)
                pipeline.generator(z, code, latent.features, visible, hole, scales=1)
    events = profiler.key_averages(group_by_input_shape=True)
    each = [
        Spent(
            e.self_cpu_time_total / 1e6 / rounds,
            e.cpu_time_total / 1e6 / rounds,
            e.count // rounds,
            e.key,
            e.input_shapes,
        )
        for e in events
    ]
    return sorted(each, key=lambda one: -one.in_all)


def convolutions_of(spent: Sequence[Spent]) -> list[Spent]:
    """Each convolution once: what torch hands them on to depends on processor, shape and number of threads."""
    return [one for one in spent if one.operation == "aten::convolution"]


def _by_operation(spent: Sequence[Spent]) -> Table:
    whole = sum(one.seconds for one in spent)
    rows = []
    for name in {one.operation for one in spent}:
        same = [one for one in spent if one.operation == name]
        seconds = sum(one.seconds for one in same)
        rows.append((seconds, name.removeprefix("aten::"), sum(one.calls for one in same)))
    cells = [[name, str(calls), _ms(s), f"{s / whole:.0%}"] for s, name, calls in sorted(rows, reverse=True)[:SHOWN]]
    note = f"E and G of one face: {_ms(whole)}, the profiler's own work among them."
    return Table("E and G by operation", ["operation", "calls", "time", "share"], cells, note)


def _by_convolution(spent: Sequence[Spent], ceiling: float, precision: str) -> Table:
    convolutions = convolutions_of(spent)
    rows = []
    for one in convolutions[:SHOWN]:
        (_, _, side, _), (out, into, kernel, _) = one.shapes[:2]
        rows.append([f"{into}→{out}, {kernel}×{kernel}, at {side}²", *_reached([one], ceiling)])
    rows.append(["all", *_reached(convolutions, ceiling)])
    columns = ["channels", "calls", "time", "10⁹ operations", "share of the ceiling"]
    return Table(f"Convolutions of E and G, {precision}", columns, rows)


def operations(convolution: Spent) -> int:
    """Of all its calls, a multiplication with its addition being two; every one of ours keeps the picture's size."""
    (batch, _, height, width), weight = convolution.shapes[:2]
    return 2 * batch * height * width * math.prod(weight) * convolution.calls


def _reached(convolutions: Sequence[Spent], ceiling: float) -> list[str]:
    calls, seconds = sum(one.calls for one in convolutions), sum(one.in_all for one in convolutions)
    count = sum(map(operations, convolutions))
    return [str(calls), _ms(seconds), f"{count / 1e9:.2f}", f"{count / seconds / ceiling:.0%}"]


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.2f} ms"


if __name__ == "__main__":
    run_alone(measure, "layers", __doc__)
