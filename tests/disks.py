"""Disks that are full and disks that are read-only: real ones where this system lets us mount them, and what is nearest
to them everywhere.
"""

from __future__ import annotations

import functools
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MEGABYTE = 2**20


def _mount(folder: Path, *options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", folder], check=True, capture_output=True)


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", folder], check=True)


@functools.cache
def can_mount() -> bool:
    """Whether we may mount file systems: as root, and not in every container."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            _mount(Path(folder), "size=1m")
        except (OSError, subprocess.CalledProcessError):
            return False
        _unmount(Path(folder))
        return True


def full_disks() -> list[str]:
    """What `disk` can be full as: "limited" is RLIMIT_FSIZE, which no file may grow beyond."""
    return ["limited", *["mounted"] * can_mount()]


def unwritable_places() -> list[str]:
    """What `unwritable` can be: "a file" where a folder is needed, or a read-only disk."""
    return ["a file", *["read-only"] * can_mount()]


@pytest.fixture(params=full_disks())
def disk(request, tmp_path) -> Iterator[Path]:
    """A folder on a disk that `filled` can fill."""
    folder = tmp_path / request.param
    folder.mkdir()
    if request.param == "mounted":
        _mount(folder, "size=64m")
    yield folder
    if request.param == "mounted":
        _unmount(folder)


@pytest.fixture(params=unwritable_places())
def unwritable(request, tmp_path) -> Iterator[Path]:
    """A path below which nothing can be written."""
    place = tmp_path / request.param
    if request.param == "a file":
        place.touch()
        yield place
    else:
        place.mkdir()
        with read_only(place):
            yield place


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Inside, `folder` shows what it has, on a disk that cannot be written to; only where `can_mount`."""
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
    try:
        yield
    finally:
        _unmount(folder)


def why(disk: Path) -> str:
    """What is said of a full `disk`."""
    return "the disk is full; make room there" if os.path.ismount(disk) else "it is larger than a file may be there"


@contextmanager
def filled(disk: Path, room: int = 0) -> Iterator[None]:
    """Inside, there is room for `room` bytes: on a mounted disk in all, else in each file."""
    if os.path.ismount(disk):
        filler = disk / "filler"
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize - room)
        try:
            yield
        finally:
            filler.unlink()
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
