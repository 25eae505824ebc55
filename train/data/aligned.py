"""From people's own photographs to a set that can be trained on: each face found, turned upright and cropped as the
model sees it. What is doubtful is left out, and said why.
"""

from __future__ import annotations

import csv
import io
import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ecgan_core.face.finder.finding import find_faces
from ecgan_core.face.frame import Box, Frame, frame_of_face
from ecgan_core.face.stitch import crop
from ecgan_core.files.disk import making_folder, writing
from ecgan_core.files.replacing import write_image

from ..config import Source
from ..portraits.sheet import contact_sheet
from .cache import progress
from .pictures import BROKEN, opened, read_bytes, reason, upright
from .sources.row import DataError, Row
from .sources.source import found_in

LARGEST, LEAST = 512, 96  # pixels: what a face is scaled down to, and what it must have
RIVAL = 0.7  # another face that is as large, as a share of the largest one's side, leaves open who is meant
MOST_BEYOND = 0.2  # of the frame's area may lie outside the picture, where its edge is repeated
CELL, COLUMNS, MOST_ROWS = 128, 10, 60  # of the sheet
LEFT_OUT, SHEET = "left-out.csv", "sheet.jpg"


class Doubtful(ValueError):
    """A picture that is left out; the text says why."""


@dataclass(frozen=True)
class Taken:
    """One picture of the set that was made, or why there is none of it."""

    row: Row
    face: Image.Image | None  # upright, square
    why_not: str = ""


def align_faces(source: Path, out: Path, largest: int = LARGEST, least: int = LEAST) -> str:
    """Make a set of aligned faces from photographs that are sorted by emotion.

    Args:
        source: folders `EMOTION/NAME.jpg`, or a folder with an `index.csv`; labels and identities are kept.
        out: the folder to be made: `EMOTION/NAME.jpg` with an `index.csv`, `sheet.jpg` with all faces, and
            `left-out.csv` with what was left out and why.
        largest: side of the crops; a smaller face keeps its own pixels.
        least: a face whose crop would be smaller is left out.

    Returns:
        what was done, in words.

    Raises:
        DataError: there is nothing to read, nothing is left, or `out` is there already.
    """
    if not 16 <= least <= largest:
        raise DataError(f"the least side of a face must be from 16 to the largest, but they are {least} and {largest}")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out} is there already; give a folder that is not, or take it away first")
    found = found_in(Source(str(source.resolve())), Path())
    if not found.rows:
        raise DataError(f"there are no pictures in {source}; sort them into folders that are named after emotions")
    with writing(out), making_folder(out) as unfinished:
        text = _write(_taken(found.rows, largest, least), unfinished, source.resolve(), len(found.rows))
        if out.is_dir():
            out.rmdir()
        os.replace(unfinished, out)
    more = f"; {len(found.passed_over):,} other files were passed over" if found.passed_over else ""
    return f"{text}{more}\nlook at {out / SHEET}, then: python -m train check {out}"


def _taken(rows: Sequence[Row], largest: int, least: int) -> Iterator[Taken]:
    for row in progress(rows, "finding faces", len(rows)):
        try:
            yield Taken(row, aligned(read_upright(row), largest, least))
        except Doubtful as doubt:
            yield Taken(row, None, str(doubt))


def read_upright(row: Row) -> Image.Image:
    """A picture as the camera meant it, RGB; `Doubtful` if it cannot be read."""
    data = b""
    try:
        data = read_bytes(row.file, row.part)
        with opened(data) as image:
            return upright(image)
    except BROKEN as error:
        raise Doubtful(f"cannot be read: {reason(error, data)}") from error


def aligned(picture: Image.Image, largest: int = LARGEST, least: int = LEAST) -> Image.Image:
    """The face of an RGB picture in the model's frame, upright: a square of `least` to `largest` pixels.

    Raises:
        Doubtful: there is no face, not one alone, or not enough of it.
    """
    pixels = torch.from_numpy(np.array(picture)).movedim(-1, 0).float() / 255
    frame = frame_of_face(_the_face(pixels))
    if frame.side < least:
        raise Doubtful(f"the face is too small: its crop would have {frame.side} pixels a side, not {least}")
    beyond = _beyond(frame, *pixels.shape[-2:])
    if beyond > MOST_BEYOND:
        raise Doubtful(f"the face is cut by the picture's edge: {beyond:.0%} of its crop would lie outside")
    face = crop(pixels, frame, min(frame.side, largest))
    return Image.fromarray((face.clamp(0, 1) * 255).round().byte().movedim(0, -1).numpy())


def _the_face(pixels: Tensor) -> Box:
    faces = find_faces(pixels)
    if not faces:
        raise Doubtful("no face is found")
    rivals = sum(face.width >= RIVAL * faces[0].width for face in faces)
    if rivals > 1:
        raise Doubtful(f"there are {rivals} faces of about the same size; crop it to the one that is meant")
    return faces[0]


def _beyond(frame: Frame, height: int, width: int) -> float:
    """The share of a frame that lies outside its picture."""
    steps = (torch.arange(32) + 0.5) / 32 * frame.side - frame.side / 2
    across, down = torch.meshgrid(steps, steps, indexing="xy")
    turn, (x, y) = math.radians(frame.roll), frame.centre
    columns = x + across * math.cos(turn) - down * math.sin(turn)
    rows = y + across * math.sin(turn) + down * math.cos(turn)
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    return 1 - inside.float().mean().item()


def _write(taken: Iterator[Taken], out: Path, source: Path, total: int) -> str:
    """Write the set as its faces come; returns what was done."""
    index, left_out, sheet = [], [], _Sheet()
    used: Counter[str] = Counter()
    for one in taken:
        row = one.row
        if one.face is None:
            left_out.append((_relative(row.file, source), one.why_not))
            continue
        stem = f"{_folder_name(row.emotion)}/{Path(row.file).stem}"
        used[stem] += 1
        name = f"{stem}-{used[stem]}.jpg" if used[stem] > 1 else f"{stem}.jpg"
        write_image(one.face, out / name, "JPEG", quality=95)
        identity = row.identity.removeprefix(f"{source}/")
        index.append((name, row.emotion, identity, _relative(row.file, source)))
        sheet.add(row.emotion, one.face)
    if not index:
        reasons = "; ".join(f"{why} ({n})" for why, n in Counter(why for _, why in left_out).most_common(3))
        raise DataError(f"none of the {total} pictures in {source} can be used: {reasons}")
    _write_table(out / "index.csv", ("file", "emotion", "identity", "from"), index)
    if left_out:
        _write_table(out / LEFT_OUT, ("file", "why"), left_out)
    write_image(sheet.drawn(), out / SHEET, "JPEG", quality=90)
    counts = ", ".join(f"{emotion} {n}" for emotion, n in sorted(Counter(entry[1] for entry in index).items()))
    text = f"{len(index):,} of {total:,} pictures: {counts}"
    if left_out:
        text += f"; {len(left_out):,} left out, {LEFT_OUT} says why"
    return text


class _Sheet:
    """Small copies of the faces, as they come."""

    def __init__(self) -> None:
        self.faces: dict[str, list[Image.Image]] = {}

    def add(self, emotion: str, face: Image.Image) -> None:
        shown = self.faces.setdefault(emotion, [])
        if len(shown) < COLUMNS * MOST_ROWS:
            shown.append(face.resize((CELL, CELL), Image.Resampling.LANCZOS))

    def drawn(self) -> Image.Image:
        """A row of up to ten faces after the other, the emotion's name before the first."""
        rows, names = [], []
        for emotion, faces in sorted(self.faces.items()):
            for start in range(0, len(faces), COLUMNS):
                rows.append(faces[start : start + COLUMNS])
                names.append(emotion if start == 0 else "")
        return contact_sheet(rows[:MOST_ROWS], [""] * COLUMNS, names[:MOST_ROWS], CELL)


def _write_table(path: Path, heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([heading, *rows])
    path.write_text(text.getvalue(), encoding="utf-8")


def _folder_name(emotion: str) -> str:
    """An emotion as a folder may be called; the index has its own name."""
    return re.sub(r"[^\w +-]", "_", emotion)


def _relative(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file)
