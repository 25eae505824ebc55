"""A stint of training on a machine that is there for minutes only, and whose ways there and back take small files.

    python -m tools.stint bring RECIPE --data DATA --out FILE.zip    here: its pictures, no larger than it is trained
    python -m tools.stint go RECIPE --data DATA --run RUN --minutes 8 --out OUT    there: go on, and pack up
    python -m tools.stint take OUT RUN                               here: put the pieces together

`bring` makes a data folder of the recipe's sources in one file; there, `python -m zipfile -e FILE.zip DATA` unpacks it.
`go` takes the run up where RUN has it, renders what the recipe lacks on all cores, trains for the given minutes, and
leaves in OUT every stage's newest model, grid, figures and config, and the newest states for which there is room, in
pieces of at most 15 MiB. `take` holds them against their digest and lays them into RUN, from which the same command
goes on, there or here.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from ecgan_core.files.replacing import replacing
from train.config import LARGEST_SIDE, Source
from train.data.pictures import read_face
from train.data.sources.row import DataError
from train.data.sources.source import found_in
from train.stages import Plan, load_plan

WHOLE = (0.0, 0.0, 1.0, 1.0)
QUALITY = 90  # of WebP: a photograph of 256 pixels is about 14 KB

PIECE = 15 * 2**20
ROOM = 60 * 2**20  # of all pieces together
INDEX = "pieces.json"
FIRST = ("config.yaml", "metrics.jsonl", "losses.png", "grid-*.jpg", "*.safetensors")
NEWEST_ONLY = ("state-*.safetensors", "grid-*.jpg")


def bring(plan: Plan, data: Path, out: Path, largest: int = LARGEST_SIDE) -> None:
    """Write `out`, a zip of the pictures that the plan's stages train on: folders with an index.csv, as in `data`.

    Args:
        largest: the largest side that is wanted of a picture.

    Raises:
        DataError: a source or a picture cannot be read, or a source is no folder.
    """
    with replacing(out) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for source, side in sources_of(plan):
            if not (data / source.path).is_dir():
                raise DataError(f"there is no folder {data / source.path}; archives can go as they are")
            size = min(side, largest)
            rows = found_in(source, data).rows
            index = io.StringIO()
            table = csv.writer(index)
            table.writerow(["file", "emotion", "identity", "use"])
            for number, row in enumerate(rows):
                name = f"{number:06}.webp"
                picture, content = read_face(row.file, WHOLE, size, row.part), io.BytesIO()
                Image.fromarray(picture.transpose(1, 2, 0)).save(content, "WEBP", quality=QUALITY)
                archive.writestr(f"{source.path}/{name}", content.getvalue())
                table.writerow([name, row.emotion, row.identity.removeprefix(f"{source.path}/"), source.use])
            archive.writestr(f"{source.path}/index.csv", index.getvalue())


def sources_of(plan: Plan) -> list[tuple[Source, int]]:
    """The sources of all stages, each once, with the largest side that any stage sees of it."""
    found: dict[str, tuple[Source, int]] = {}
    for stage in plan.stages:
        for source in stage.config.data:
            _, before = found.get(source.path, (source, 0))
            found[source.path] = source, max(before, stage.config.networks.image_size)
    return list(found.values())


def go(recipe: Path, data: Path, run: Path, minutes: float, out: Path) -> int:
    """Train, and pack up whatever came of it; the exit code is the training's."""
    command = [sys.executable, "-m", "train", "make", str(recipe), "--data", str(data), "--out", str(run)]
    done = subprocess.run([*command, "--minutes", str(minutes), "--workers", str(os.cpu_count() or 1)])
    left = pack(run, out)
    if left:
        print(f"stint: no room was left for {', '.join(left)}; a model can be gone on from with `fit --from`")
    return done.returncode


def pack(run: Path, out: Path, room: int = ROOM) -> list[str]:
    """What shows how a run went, its models, and what it needs to go on, as pieces of one archive in `out`.

    Returns the names of what there was no room for.
    """
    out.mkdir(parents=True, exist_ok=True)
    content, left = io.BytesIO(), []
    with tarfile.open(fileobj=content, mode="w") as archive:
        for file in wanted(run):
            name = file.relative_to(run).as_posix()
            if content.tell() + file.stat().st_size > room:
                left.append(name)
            else:
                archive.add(file, name)
    whole = content.getvalue()
    pieces = {f"{start // PIECE:02}.part": whole[start : start + PIECE] for start in range(0, len(whole), PIECE)}
    for name, piece in pieces.items():
        (out / name).write_bytes(piece)
    index = {"sha256": hashlib.sha256(whole).hexdigest(), "pieces": list(pieces)}
    (out / INDEX).write_text(json.dumps(index, indent=1), encoding="utf-8")
    return left


def wanted(run: Path) -> list[Path]:
    """The files of a run's stages that are worth their way, states last: of states and grids the newest alone."""
    found = {file for pattern in FIRST for file in run.rglob(pattern)}
    for pattern in NEWEST_ONLY:
        for folder in {file.parent for file in run.rglob(pattern)}:
            found -= set(sorted(folder.glob(pattern))[:-1])
    return sorted(found, key=lambda file: (file.name.startswith("state-"), file))


def take(out: Path, run: Path) -> None:
    """Lay packed files into `run`; raises ValueError before anything is written if a piece is missing or damaged."""
    index = json.loads((out / INDEX).read_text(encoding="utf-8"))
    whole = b"".join((out / name).read_bytes() for name in index["pieces"])
    if hashlib.sha256(whole).hexdigest() != index["sha256"]:
        raise ValueError(f"the pieces in {out} are not what was packed; fetch them again")
    files = dict(_files(whole, run))
    for target, content in files.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as temporary:
            Path(temporary).write_bytes(content)


def _files(whole: bytes, run: Path) -> Iterator[tuple[Path, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        for member in archive:
            target, content = (run / member.name).resolve(), archive.extractfile(member)
            if content is None or not target.is_relative_to(run.resolve()):
                raise ValueError(f"the archive names {member.name}, which is no file of a run; it is not ours")
            yield target, content.read()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.stint", description="Training where there are minutes only.")
    commands = parser.add_subparsers(required=True, dest="command")
    before = commands.add_parser("bring", help="the recipe's pictures in one small file")
    there = commands.add_parser("go", help="train for some minutes, and pack up")
    for command in (before, there):
        command.add_argument("recipe", type=Path)
        command.add_argument("--data", type=Path, required=True)
        command.add_argument("--out", type=Path, required=True)
    before.add_argument(
        "--largest", type=int, default=LARGEST_SIDE, help="the largest side that is wanted of a picture"
    )
    there.add_argument("--run", type=Path, required=True)
    there.add_argument("--minutes", type=float, required=True)
    here = commands.add_parser("take", help="put the pieces together")
    here.add_argument("out", type=Path)
    here.add_argument("run", type=Path)
    given = parser.parse_args(arguments)
    if given.command == "go":
        return go(given.recipe, given.data, given.run, given.minutes, given.out)
    try:
        if given.command == "bring":
            bring(load_plan(given.recipe), given.data, given.out, given.largest)
        else:
            take(given.out, given.run)
    except (OSError, ValueError) as problem:
        print(f"stint: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
