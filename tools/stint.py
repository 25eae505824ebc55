"""A stint of training on a machine that is there for minutes only, and whose way back takes small files.

    python -m tools.stint go RECIPE --data DATA --run RUN --minutes 8 --out OUT    there: go on, and pack up
    python -m tools.stint take OUT RUN                                             here: put the pieces together

`go` takes the run up where RUN has it, renders what the recipe lacks on all cores, trains for the given minutes, and
leaves in OUT every stage's newest state, model, grid, figures and config, in pieces of at most 15 MiB. `take` holds
them against their digests and lays them into RUN, from which the same command goes on, there or here.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from ecgan_core.files.replacing import replacing

PIECE = 15 * 2**20
INDEX = "pieces.json"
KEPT = ("config.yaml", "metrics.jsonl", "losses.png", "*.safetensors", "grid-*.jpg")
NEWEST_ONLY = ("state-*.safetensors", "grid-*.jpg")


def go(recipe: Path, data: Path, run: Path, minutes: float, out: Path) -> int:
    """Train, and pack up whatever came of it; the exit code is the training's."""
    command = [sys.executable, "-m", "train", "make", str(recipe), "--data", str(data), "--out", str(run)]
    done = subprocess.run([*command, "--minutes", str(minutes), "--workers", str(os.cpu_count() or 1)])
    pack(run, out)
    return done.returncode


def pack(run: Path, out: Path) -> None:
    """What a run needs to go on, and what shows how it went, as pieces in `out` with an index of them."""
    out.mkdir(parents=True, exist_ok=True)
    index = []
    for number, file in enumerate(wanted(run)):
        content = file.read_bytes()
        pieces = [content[start : start + PIECE] for start in range(0, len(content), PIECE)] or [b""]
        names = [f"{number:03}-{piece:02}.part" for piece in range(len(pieces))]
        for name, piece in zip(names, pieces, strict=True):
            (out / name).write_bytes(piece)
        digest = hashlib.sha256(content).hexdigest()
        index.append({"file": file.relative_to(run).as_posix(), "sha256": digest, "pieces": names})
    (out / INDEX).write_text(json.dumps(index, indent=1), encoding="utf-8")


def wanted(run: Path) -> list[Path]:
    """The files of a run's stages that are worth their way: of states and grids the newest alone."""
    found = {file for pattern in KEPT for file in run.rglob(pattern)}
    for pattern in NEWEST_ONLY:
        for folder in {file.parent for file in run.rglob(pattern)}:
            found -= set(sorted(folder.glob(pattern))[:-1])
    return sorted(found)


def take(out: Path, run: Path) -> None:
    """Lay packed files into `run`; raises ValueError before anything is written if a piece is missing or damaged."""
    files: dict[Path, bytes] = {}
    for entry in json.loads((out / INDEX).read_text(encoding="utf-8")):
        content = b"".join((out / name).read_bytes() for name in entry["pieces"])
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise ValueError(f"the pieces of {entry['file']} in {out} are not what was packed; fetch them again")
        target = (run / entry["file"]).resolve()
        if not target.is_relative_to(run.resolve()):
            raise ValueError(f"{out / INDEX} names {entry['file']}, which is outside the run; it is not ours")
        files[target] = content
    for target, content in files.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as temporary:
            Path(temporary).write_bytes(content)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.stint", description="Training where there are minutes only.")
    commands = parser.add_subparsers(required=True, dest="command")
    there = commands.add_parser("go", help="train for some minutes, and pack up")
    there.add_argument("recipe", type=Path)
    there.add_argument("--minutes", type=float, required=True)
    for name in ("--data", "--run", "--out"):
        there.add_argument(name, type=Path, required=True)
    here = commands.add_parser("take", help="put the pieces together")
    here.add_argument("out", type=Path)
    here.add_argument("run", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "go":
        return go(arguments.recipe, arguments.data, arguments.run, arguments.minutes, arguments.out)
    try:
        take(arguments.out, arguments.run)
    except (OSError, ValueError) as problem:
        print(f"stint: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
