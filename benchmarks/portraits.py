"""What a rendered portrait costs: `python -m benchmarks.portraits` prints CPU-seconds, memory, and what workers bring.

Run it on a machine with nothing else to do. The first run compiles the renderer and is slower.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "recipes" / "emotions" / "basic7.yaml"
WARM_UP = 2  # people


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.portraits", description=__doc__)
    parser.add_argument("--people", type=int, default=43, help="each wears seven emotions (default 43: 301 pictures)")
    parser.add_argument("--size", type=int, default=256, help="side of the pictures (default 256)")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="numbers of workers to compare")
    arguments = parser.parse_args()

    pictures, seconds, memory = one_core(arguments.people, arguments.size)
    print(f"{pictures} pictures at {arguments.size} px, {platform.processor() or platform.machine()}, Python", end=" ")
    print(f"{platform.python_version()}")
    print(f"  one core, warm: {seconds / pictures:.3f} CPU-seconds a picture, {memory:.0f} MB at most")
    alone = None
    for workers in arguments.workers:
        wall = whole_command(arguments.people, arguments.size, workers)
        alone = alone or wall
        print(f"  the command with {workers} worker(s): {wall:.1f} s, {alone / wall:.2f} times as fast")


def one_core(people: int, size: int) -> tuple[int, float, float]:
    """(pictures, CPU-seconds after the warm-up, peak memory in MB) in this process with one thread."""
    from train.portraits.workers import single_threaded

    single_threaded()
    from train.portraits.head.mesh import load_head
    from train.portraits.portrait import photograph
    from train.portraits.recipe import load_recipe

    head, recipe = load_head(), load_recipe(RECIPE)
    for seed in range(WARM_UP):
        list(photograph(head, recipe, seed, size))
    start = time.process_time()
    pictures = sum(len(list(photograph(head, recipe, WARM_UP + seed, size))) for seed in range(people))
    seconds = time.process_time() - start
    return pictures, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def whole_command(people: int, size: int, workers: int) -> float:
    """Seconds that `python -m train portraits` takes from its start to its end."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "train", "portraits", str(RECIPE), "--out", f"{folder}/set"]
        command += ["--count", str(people), "--size", str(size), "--workers", str(workers)]
        start = time.perf_counter()
        subprocess.run(command, cwd=ROOT, env=os.environ, check=True, capture_output=True)
        return time.perf_counter() - start


if __name__ == "__main__":
    main()
