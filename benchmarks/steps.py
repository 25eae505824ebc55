"""What each kept step brings: `python -m benchmarks.steps` prints it with and without, CPU-milliseconds of one core.

The two are measured in turn, so that what else the machine does meets both alike; medians are printed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image
from skimage import data

from ecgan_core import DEFAULT_CHECKPOINT, load_checkpoint
from ecgan_core.face import cascade
from ecgan_core.face import finding as faces
from ecgan_core.face.finding import faces_near, find_faces, is_covered, level
from ecgan_core.face.portrait import pixels_of
from ecgan_core.precision import arrange_for_cpu

from .measuring import ours

# Settings before four of the steps.
TWO_LOOKS = ("COARSE_TO_FINE", ((12, 1), (5, 1), (0, 1)))
FULL_SIZE = ("COARSE_TO_FINE", ((15, 1), (12, 1), (5, 1), (0, 1)))
NO_GLANCE = ("UPRIGHT", -1.0)
FIVE_LOOKS = ("GLANCE", (-12, -6, 0, 6, 12))
Work = Callable[[], object]
MOUTH = (0.39, 0.51, 0.62, 0.62)  # of the astronaut, in shares of the picture: left, top, right, bottom


def portrait(side: int) -> tuple[np.ndarray, torch.Tensor]:
    """A photograph uint8 [side,side,3], a face in its middle, and the hole [1,side,side] over its mouth."""
    picture = Image.fromarray(data.astronaut()[:256, 96:352]).resize((side, side), Image.Resampling.BICUBIC)
    left, top, right, bottom = (round(share * side) for share in MOUTH)
    hole = torch.zeros(1, side, side)
    hole[:, top:bottom, left:right] = 1
    return np.asarray(picture), hole


def close_portrait(side: int) -> tuple[np.ndarray, torch.Tensor]:
    """A picture that a face nearly fills, and the hole over its lower half."""
    picture, hole = ours.portrait(side)
    return pixels_of(picture[0]), hole[0]


def in_turn(rounds: int, *work: Work) -> list[float]:
    """Median CPU-milliseconds of each, after one round that is not counted."""
    times: list[list[float]] = [[] for _ in work]
    for _ in range(rounds + 1):
        for spent, do in zip(times, work, strict=True):
            start = time.process_time()
            do()
            spent.append(1000 * (time.process_time() - start))
    return [statistics.median(spent[1:]) for spent in times]


def without(module: object, setting: str, value: object, work: Work) -> None:
    """Do `work` with a setting of a module as it was before a step."""
    with patch.object(module, setting, value):
        work()


def compiled_networks() -> list[tuple[str, Work, Work]]:
    """E and G of 256 pixels as they are and compiled; how long the first call takes is printed."""
    with tempfile.TemporaryDirectory() as folder:
        file = ours.write_untrained(256, Path(folder))
        eager, compiled = (ours.load(file, torch.device("cpu")) for _ in range(2))
    face, hole = ours.frames(1, 256, torch.device("cpu"))
    for network in (compiled.encoder, compiled.generator):
        network.compile(dynamic=False)
    start = time.monotonic()
    ours.networks_alone(compiled, face, hole)
    print(f"| (compiled in {time.monotonic() - start:.0f} s) | | | |", flush=True)
    before, done = (partial(ours.networks_alone, pipeline, face, hole) for pipeline in (eager, compiled))
    return [("torch.compile, networks of 256 px", before, done)]


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
    for size in (256, 512):
        picture, mouth = portrait(size)
        everywhere = partial(find_faces, picture, partial(is_covered, hole=mouth))
        steps.append((f"find the face near the hole, {size} px", everywhere, partial(faces_near, picture, mouth)))
    for name, (picture, mouth) in {"two fifths": portrait(256), "three fifths": close_portrait(256)}.items():
        near: Work = partial(faces_near, picture, mouth)
        upright: Work = partial(level, picture, faces_near(picture, mouth)[0])
        steps += [
            (f"largest windows first, face {name} of the picture", partial(without, cascade, *TWO_LOOKS, near), near),
            (f"these in a picture of half the size, face {name}", partial(without, cascade, *FULL_SIZE, near), near),
            (f"a glance before levelling, face {name}", partial(without, faces, *NO_GLANCE, upright), upright),
            (f"three looks instead of five, face {name}", partial(without, faces, *FIVE_LOOKS, upright), upright),
        ]
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
