"""Faces decoded once: one memory-mapped file for a set, made again when a picture changes.

The file is a plain uint8 `.npy` [N,3,S,S] in the user's cache folder. Its name has two parts: which set it is of, and
the names, sizes and times of that set's pictures with how they are cropped and scaled. A set that changed replaces its
own old file.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ecgan_core.files.disk import CannotWrite, writing
from ecgan_core.files.replacing import replacing

from .pictures import Crop, read_face

T = TypeVar("T")

VERSION = 2  # of how pictures are decoded; another makes every file anew
FORGET_AFTER = 60 * 86400  # seconds for which nobody used a file


@dataclass(frozen=True)
class Shot:
    """What of which file is decoded."""

    file: Path
    part: tuple[int, int] | None
    crop: Crop


def decoded(shots: Sequence[Shot], size: int, name: str, folder: Path) -> Tensor:
    """All shots as uint8 [N,3,size,size], backed by a file in `folder`, which is made unless it is there.

    Args:
        name: which set this is, such as its paths and split: a newer file of the same name replaces the older one.
        folder: where the file is kept. If it cannot be, a line on stderr says so, and the faces are in memory only.

    Raises:
        DataError: a picture cannot be read; nothing is kept.
    """
    start = _short(name)
    kept = folder / f"{start}-{_short(_content(shots, size))}.npy"
    shape = (len(shots), 3, size, size)
    if (faces := _mapped(kept, shape)) is not None:
        return faces
    try:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        _make_room(folder, start)
        needed, free = 3 * size * size * len(shots), shutil.disk_usage(folder).free
        if needed > free:
            raise OSError(f"{needed / 1e6:,.0f} MB are needed and {free / 1e6:,.0f} MB are free")
        with replacing(kept) as temporary, open(temporary, "wb") as file:
            # Written, not mapped: a disk that fills up is then an error that can be told.
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for face in _decode(shots, size):
                file.write(face.tobytes())
    except OSError as error:
        reason = error.reason if isinstance(error, CannotWrite) else error
        print(
            f"cannot keep the decoded faces in {folder} ({reason}), so the next start decodes them again; "
            "make room there, or set ECGAN_CACHE to another folder",
            file=sys.stderr,
        )
        return in_memory(shots, size)
    faces = _mapped(kept, shape)
    return in_memory(shots, size) if faces is None else faces


def in_memory(shots: Sequence[Shot], size: int) -> Tensor:
    """All shots as uint8 [N,3,size,size], decoded now."""
    faces = torch.empty(len(shots), 3, size, size, dtype=torch.uint8)
    for i, face in enumerate(_decode(shots, size)):
        faces[i] = torch.from_numpy(face.copy())
    return faces


def processors() -> int:
    """How many threads can run at once here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _decode(shots: Sequence[Shot], size: int) -> Iterator[np.ndarray]:
    """In order, by threads: Pillow lets others run while it decodes."""
    with ThreadPoolExecutor(processors()) as pool:
        faces = pool.map(lambda shot: read_face(shot.file, shot.crop, size, shot.part), shots)
        yield from progress(faces, "decoding", len(shots))


def progress(pictures: Iterable[T], doing: str, total: int) -> Iterable[T]:
    """Pass the pictures on, and say on stderr how far they are if it takes longer than a second."""
    every = 0.2 if sys.stderr.isatty() else 20.0  # seconds; a log needs few lines
    return tqdm(pictures, doing, total, leave=False, unit=" pictures", delay=1, mininterval=every, dynamic_ncols=True)


def _mapped(path: Path, shape: tuple[int, ...]) -> Tensor | None:
    try:
        faces = np.load(path, mmap_mode="c", allow_pickle=False)  # "c": what is written stays in memory
        os.utime(path)  # used today
    except (OSError, ValueError, EOFError):  # missing, cut short or damaged
        return None
    return torch.from_numpy(faces) if faces.shape == shape and faces.dtype == np.uint8 else None


def _content(shots: Sequence[Shot], size: int) -> str:
    """All that the decoded faces depend on."""
    stamps: dict[str, tuple[int, int] | None] = {}
    described = []
    for shot in shots:
        file = str(shot.file)
        if file not in stamps:
            try:
                status = os.stat(file)
                stamps[file] = (status.st_size, status.st_mtime_ns)
            except OSError:  # decoding it says so
                stamps[file] = None
        described.append((file, shot.part, shot.crop, stamps[file]))
    return json.dumps([VERSION, size, described])


def _make_room(folder: Path, start: str) -> None:
    """Remove what the new file replaces, what nobody has used for long, and what was left half-written."""
    now = time.time()
    for path in [*folder.glob("*.npy"), *folder.glob(".*.npy.*.part")]:
        try:
            unused = now - path.stat().st_mtime
            limit = 86400 if path.suffix == ".part" else FORGET_AFTER
            if path.name.startswith(f"{start}-") or unused > limit:
                path.unlink()
        except OSError:  # another run is using it, on a system that minds
            continue


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
