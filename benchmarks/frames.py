"""How well a masked face is found and framed: `python -m benchmarks.frames --photos DIR [DIR …]` prints a row for each
kind of picture: found, missed, wrong, how far its frame is off, and CPU-milliseconds.

DIR has an `index.csv` (file, use) of photographs that are the model's frame; those for evaluating are pasted into
pictures of other sizes, turned and masked. A frame is wrong if it is off by more than a third in size, a quarter of its
side in place or 20° in turn. The known frames come from another finder's pupils, and carry its own noise.
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from ecgan_core.face.choosing import choose_faces
from ecgan_core.face.finder.finding import faces_near
from ecgan_core.face.frame import Frame, frame_of_face
from ecgan_core.face.holes import REGIONS

from .faces import without_faces
from .measuring.drawings import drawings

UPRIGHT, ALL_TURNS = (0.0,), tuple(float(turn) for turn in range(0, 360, 23))
REGIONS_AND_SPOT = REGIONS | {"spot": (0.60, 0.50, 0.66, 0.56)}  # of a frame: left, top, right, bottom
TOO_LARGE, TOO_FAR, TOO_TURNED = 1 / 3, 1 / 4, 20.0


@dataclass(frozen=True)
class Scene:
    """A kind of picture: its size, the sides of the frame in it, its turns, what is masked, and how it looks."""

    name: str
    size: tuple[int, int]
    sides: tuple[float, float]
    turns: Sequence[float] = UPRIGHT
    part: str = "mouth"
    change: Callable[[Image.Image], Image.Image] = lambda picture: picture
    share: float = 1.0  # of the photographs that are used
    cut: bool = False  # by an edge of the picture, a fifth of the frame


SCENES = (
    Scene("512 px, mouth", (512, 512), (200, 340)),
    Scene("512 px, whole face", (512, 512), (200, 340), part="whole face"),
    Scene("512 px, a spot", (512, 512), (200, 340), part="spot"),
    Scene("512 px, every turn, mouth", (512, 512), (180, 260), ALL_TURNS),
    Scene("512 px, every turn, eyes", (512, 512), (180, 260), ALL_TURNS, "eyes"),
    Scene("faces of 24 to 48 px, mouth", (1000, 800), (30, 60)),
    Scene("faces of 24 to 48 px, every turn", (1000, 800), (30, 60), ALL_TURNS, "whole face"),
    Scene("faces of 48 to 100 px, every turn", (1000, 800), (60, 130), ALL_TURNS),
    Scene("faces of 60 to 120 px in 4000×3000", (4000, 3000), (76, 152), share=0.3),
    Scene("faces of 2000 px in 6000×4000", (6000, 4000), (2540, 2540), share=0.1),
    Scene("cut by the edge", (512, 512), (200, 260), part="whole face", cut=True),
    Scene(
        "black and white, every turn",
        (512, 512),
        (180, 260),
        ALL_TURNS,
        change=lambda p: ImageOps.grayscale(p).convert("RGB"),
    ),
    Scene("dark, every turn", (512, 512), (180, 260), ALL_TURNS, change=lambda p: p.point(lambda v: v // 8)),
)


def photographs(folders: Sequence[Path], count: int) -> list[Image.Image]:
    """Of all that are for evaluating, `count` at random, the same every time."""
    files = []
    for folder in folders:
        with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
            files += [folder / row["file"] for row in csv.DictReader(file) if row["use"] == "evaluate"]
    chosen = np.random.default_rng(11).permutation(len(files))[:count]
    return [Image.open(files[i]).convert("RGB") for i in sorted(chosen)]


def cases(scene: Scene, photos: Sequence[Image.Image]) -> Iterator[tuple[torch.Tensor, torch.Tensor, Frame]]:
    """Pictures [3,H,W], the holes [1,H,W] in them, and the frames that are to be found."""
    random, (width, height) = np.random.default_rng(0), scene.size
    colours = random.integers(60, 190, (9, 12, 3)).astype(np.uint8)
    background = Image.fromarray(colours).resize(scene.size, Image.Resampling.BICUBIC)
    for i, photo in enumerate(photos[: math.ceil(scene.share * len(photos))]):
        side, turn = float(random.uniform(*scene.sides)), scene.turns[i % len(scene.turns)]
        x, y = (float(random.uniform(0.6 * side, length - 0.6 * side)) for length in scene.size)
        if scene.cut:
            x, y = ((0.3 * side, y), (width - 0.3 * side, y), (x, 0.3 * side), (x, height - 0.3 * side))[i % 4]
        picture = background.copy()
        paste(picture, photo, side, turn, x, y)
        frame = Frame(round(x - side / 2), round(y - side / 2), round(side), turn)
        pixels = np.asarray(scene.change(picture))
        yield torch.from_numpy(pixels.copy()).movedim(-1, 0) / 255, hole(scene, frame), frame


def paste(picture: Image.Image, photo: Image.Image, side: float, turn: float, x: float, y: float) -> None:
    """Put a photograph into a picture as the frame at x, y; around it its edge goes on."""
    size, margin = round(side), round(side / 4)
    pixels = np.asarray(photo.resize((size, size), Image.Resampling.LANCZOS))
    wide = Image.fromarray(np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), mode="edge")).convert("RGBA")
    turned = wide.rotate(-turn, Image.Resampling.BICUBIC, expand=True)
    picture.paste(turned, (round(x - turned.width / 2), round(y - turned.height / 2)), turned)


def hole(scene: Scene, frame: Frame) -> torch.Tensor:
    """The upright box around a part of the turned face, [1,H,W]."""
    left, top, right, bottom = ((share - 0.5) * frame.side for share in REGIONS_AND_SPOT[scene.part])
    turn, (x, y) = math.radians(frame.roll), frame.centre
    corners = [(a, b) for a in (left, right) for b in (top, bottom)]
    xs = [x + a * math.cos(turn) - b * math.sin(turn) for a, b in corners]
    ys = [y + a * math.sin(turn) + b * math.cos(turn) for a, b in corners]
    filled = torch.zeros(1, *scene.size[::-1])
    filled[:, max(0, round(min(ys))) : max(0, round(max(ys))), max(0, round(min(xs))) : max(0, round(max(xs)))] = 1
    return filled


def off(found: Frame, frame: Frame) -> tuple[float, float, float]:
    """How far a frame is off: in size and place, in sides of the true one, and in degrees."""
    away = math.dist(found.centre, frame.centre) / frame.side
    return abs(found.side / frame.side - 1), away, abs((found.roll - frame.roll + 180) % 360 - 180)


def measure(scene: Scene, photos: Sequence[Image.Image]) -> tuple[object, ...]:
    """A row of the table."""
    errors, times, missed, wrong = [], [], 0, 0
    for picture, filled, frame in cases(scene, photos):
        start = time.process_time()
        found = faces_near(picture, filled)
        times.append(1000 * (time.process_time() - start))
        error = off(frame_of_face(choose_faces(found, filled)[0]), frame) if found else None
        missed += error is None
        if error is not None:
            is_wrong = error[0] > TOO_LARGE or error[1] > TOO_FAR or error[2] > TOO_TURNED
            wrong += is_wrong
            errors += [] if is_wrong else [error]
    size, place, turn = np.percentile(np.array(errors), 90, axis=0)
    shown = f"{100 * size:.1f} %, {100 * place:.1f} %, {turn:.1f}°"
    return scene.name, f"{len(errors)} of {len(times)}", missed, wrong, shown, f"{np.median(times):.0f}"


def refusals() -> tuple[object, ...]:
    """The row of pictures that nobody is in, with masks anywhere."""
    random, times, wrong = np.random.default_rng(0), [], 0
    for pixels, _ in without_faces():
        height, width = pixels.shape[:2]
        for _ in range(5):
            side = int(random.integers(20, max(30, min(height, width) // 3)))
            x, y = int(random.integers(0, width - side)), int(random.integers(0, height - side))
            filled = torch.zeros(1, height, width)
            filled[:, y : y + side, x : x + side] = 1
            picture = torch.from_numpy(pixels.copy()).movedim(-1, 0) / 255
            start = time.process_time()
            wrong += bool(faces_near(picture, filled))
            times.append(1000 * (time.process_time() - start))
    return f"nobody in it ({len(times)} masks)", "–", "–", wrong, "–", f"{np.median(times):.0f}"


def drawn() -> tuple[object, ...]:
    """The row of drawn faces, their mouths masked."""
    times, wrong = [], 0
    for pixels, side in drawings():
        middle, below = pixels.shape[0] // 2, round(0.22 * side)
        filled = torch.zeros(1, *pixels.shape[:2])
        rows = slice(middle + below - side // 8 - 1, middle + below + side // 8 + 1)
        filled[:, rows, middle - side // 5 : middle + side // 5] = 1
        picture = torch.from_numpy(pixels.copy()).movedim(-1, 0) / 255
        start = time.process_time()
        wrong += bool(faces_near(picture, filled))
        times.append(1000 * (time.process_time() - start))
    return f"drawn faces ({len(times)})", "–", "–", wrong, "–", f"{np.median(times):.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.frames", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, nargs="+", metavar="DIR", help="aligned photographs")
    parser.add_argument("--count", type=int, default=100, help="how many of them (default 100)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    photos = photographs(arguments.photos, arguments.count)
    print("| pictures | found | missed | wrong | nine in ten are off by at most: size, place, turn | median ms |")
    print("|---|---|---|---|---|---|")
    for scene in SCENES:
        print(f"| {' | '.join(map(str, measure(scene, photos)))} |", flush=True)
    for row in (refusals(), drawn()):
        print(f"| {' | '.join(map(str, row))} |", flush=True)


if __name__ == "__main__":
    main()
