"""What each kept step brings: `python -m benchmarks.steps` prints it with and without, CPU-milliseconds of one core.

The two are measured in turn, so that what else the machine does meets both alike; medians are printed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from PIL import Image
from skimage import data

from ecgan_core import DEFAULT_CHECKPOINT, load_checkpoint
from ecgan_core.face.finder.finding import faces_near, find_faces
from ecgan_core.precision import arrange_for_cpu

from .measuring import ours

Work = Callable[[], object]
MOUTH = (0.39, 0.51, 0.62, 0.62)  # of the astronaut, in shares of the picture: left, top, right, bottom


def portrait(side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A photograph [3,side,side], a face in its middle, and the hole [1,side,side] over its mouth."""
    picture = Image.fromarray(data.astronaut()[:256, 96:352]).resize((side, side), Image.Resampling.BICUBIC)
    left, top, right, bottom = (round(share * side) for share in MOUTH)
    hole = torch.zeros(1, side, side)
    hole[:, top:bottom, left:right] = 1
    return torch.from_numpy(np.array(picture)).movedim(-1, 0) / 255, hole


def in_turn(rounds: int, *work: Work) -> list[float]:
    """Median CPU-milliseconds of each, after one round that is not counted."""
    times: list[list[float]] = [[] for _ in work]
    for _ in range(rounds + 1):
        for spent, do in zip(times, work, strict=True):
            start = time.process_time()
            do()
            spent.append(1000 * (time.process_time() - start))
    return [statistics.median(spent[1:]) for spent in times]


def compiled_networks() -> list[tuple[str, Work, Work]]:
    """E and G as they are and compiled; how long the first call takes is printed."""
    eager, compiled = (ours.load(DEFAULT_CHECKPOINT, torch.device("cpu")) for _ in range(2))
    face, hole = ours.frames(1, eager.frame_size, torch.device("cpu"))
    for network in (compiled.encoder, compiled.generator):
        network.compile(dynamic=False)
    start = time.monotonic()
    ours.networks_alone(compiled, face, hole)
    print(f"| (compiled in {time.monotonic() - start:.0f} s) | | | |", flush=True)
    before, done = (partial(ours.networks_alone, pipeline, face, hole) for pipeline in (eager, compiled))
    return [("torch.compile of the networks", before, done)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.steps", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="how often each is measured (default 9)")
    parser.add_argument("--compile", action="store_true", help="torch.compile as well, which takes a minute")
    arguments = parser.parse_args()
    torch.set_num_threads(1)

    plain, half = load_checkpoint(DEFAULT_CHECKPOINT), load_checkpoint(DEFAULT_CHECKPOINT, torch.bfloat16)
    arrange_for_cpu(half)
    side = plain.frame_size
    face, hole = torch.rand(1, 3, side, side) * 2 - 1, torch.zeros(1, 1, side, side)
    hole[:, :, side // 2 :, side // 4 : -side // 4] = 1
    four = {"emotion": "happy", "seeds": [0, 1, 2, 3]}
    each, holes = face.expand(4, -1, -1, -1), hole.expand(4, -1, -1, -1)

    def complete(pipeline) -> None:
        pipeline.decode(pipeline.complete(face, hole, emotion="happy", seeds=[0]))

    print("| step | without, ms | with, ms | times |")
    print("|---|---|---|---|")
    steps: list[tuple[str, Work, Work]] = []
    for size in (256, 512, 4096):
        picture, mouth = portrait(size)
        everywhere = partial(find_faces, picture, all_faces=True)
        steps.append((f"find the face near the hole, {size} px", everywhere, partial(faces_near, picture, mouth)))
    steps += [
        (
            "encode once for four samples",
            lambda: plain.complete(each, holes, **four),
            lambda: plain.complete(face, hole, **four, of=[0] * 4),
        ),
        ("bfloat16 and channels last, networks of a completion", lambda: complete(plain), lambda: complete(half)),
    ]
    if arguments.compile:
        steps += compiled_networks()
    for name, before, done in steps:
        before_ms, after_ms = in_turn(arguments.rounds, before, done)
        print(f"| {name} | {before_ms:.1f} | {after_ms:.1f} | {before_ms / after_ms:.2f} |", flush=True)


if __name__ == "__main__":
    main()
