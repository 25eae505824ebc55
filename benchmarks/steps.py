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
from ecgan_core.faces import faces_near, find_faces, is_covered
from ecgan_core.precision import arrange_for_cpu

MOUTH = (0.39, 0.51, 0.62, 0.62)  # of the astronaut, in shares of the picture: left, top, right, bottom


def portrait(side: int) -> tuple[np.ndarray, torch.Tensor]:
    """A photograph uint8 [side,side,3] and the hole [1,side,side] over its mouth."""
    picture = Image.fromarray(data.astronaut()[:256, 96:352]).resize((side, side), Image.Resampling.BICUBIC)
    left, top, right, bottom = (round(share * side) for share in MOUTH)
    hole = torch.zeros(1, side, side)
    hole[:, top:bottom, left:right] = 1
    return np.asarray(picture), hole


def in_turn(rounds: int, *work: Callable[[], object]) -> list[float]:
    """Median CPU-milliseconds of each, after one round that is not counted."""
    times: list[list[float]] = [[] for _ in work]
    for _ in range(rounds + 1):
        for spent, do in zip(times, work, strict=True):
            start = time.process_time()
            do()
            spent.append(1000 * (time.process_time() - start))
    return [statistics.median(spent[1:]) for spent in times]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.steps", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="how often each is measured (default 9)")
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)

    plain, half = load_checkpoint(DEFAULT_CHECKPOINT), load_checkpoint(DEFAULT_CHECKPOINT, torch.bfloat16)
    arrange_for_cpu(half)
    side = plain.frame_size
    face, hole = torch.rand(1, 3, side, side) * 2 - 1, torch.zeros(1, 1, side, side)
    hole[:, :, side // 2 :, side // 4 : -side // 4] = 1
    four = {"emotion": "happy", "seeds": [0, 1, 2, 3]}
    faces, holes = face.expand(4, -1, -1, -1), hole.expand(4, -1, -1, -1)

    def complete(pipeline) -> None:
        pipeline.decode(pipeline.complete(face, hole, emotion="happy", seeds=[0]))

    print("| step | without, ms | with, ms | times |")
    print("|---|---|---|---|")
    steps: list[tuple[str, Callable[[], object], Callable[[], object]]] = []
    for size in (256, 512):
        picture, mouth = portrait(size)
        before = partial(find_faces, picture, partial(is_covered, hole=mouth))
        steps.append((f"find the face near the hole, {size} px", before, partial(faces_near, picture, mouth)))
    steps += [
        (
            "encode once for four samples",
            lambda: plain.complete(faces, holes, **four),
            lambda: plain.complete(face, hole, **four, of=[0] * 4),
        ),
        ("bfloat16 and channels last, networks of a completion", lambda: complete(plain), lambda: complete(half)),
    ]
    for name, without, done in steps:
        before_ms, after_ms = in_turn(rounds, without, done)
        print(f"| {name} | {before_ms:.1f} | {after_ms:.1f} | {before_ms / after_ms:.2f} |", flush=True)


if __name__ == "__main__":
    main()
