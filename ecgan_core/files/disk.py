"""What disks do to files: one that cannot be written to, told in a sentence, and what killed processes left on it."""

from __future__ import annotations

import errno
import functools
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DAY = 86400.0
UNFINISHED = re.compile(r"\..+\.[0-9a-z_]{8}\.part")

ELSEWHERE = "write to another place"
REASONS = {
    errno.ENOSPC: ("the disk is full", "make room there"),
    errno.EFBIG: ("it is larger than a file may be there", "raise the limit (ulimit -f)"),
    errno.EROFS: ("that disk is read-only", ""),
    errno.EACCES: ("you may not write there", "change the folder's permissions"),
    errno.ENOTDIR: ("a part of its path is a file, and no folder", ""),
    errno.EISDIR: ("there is a folder of that name", "move it away"),
}  # why, and what can be done about it
REASONS[errno.EPERM] = REASONS[errno.EACCES]
REASONS[errno.EEXIST] = REASONS[errno.ENOTDIR]  # as making a folder says it
if hasattr(errno, "EDQUOT"):  # not on Windows
    REASONS[errno.EDQUOT] = ("your share of the disk is used up", "make room there")


class CannotWrite(OSError):
    """A file cannot be written; the text is one sentence that says which, why, and what to do.

    `reason` is the middle of it, such as "the disk is full".
    """

    reason = ""


def cannot_write(path: str | os.PathLike, problem: OSError, elsewhere: str = ELSEWHERE) -> CannotWrite:
    """The sentence about `path` that fits what the system said; `elsewhere` is how to choose another place."""
    reason, remedy = REASONS.get(problem.errno or 0, (problem.strerror or str(problem), ""))
    told = CannotWrite(f"{path} cannot be written: {reason}; {f'{remedy}, or ' if remedy else ''}{elsewhere}")
    told.reason = reason
    return told


def in_words(problem: Exception) -> str:
    """An error's text for whoever gave a command. A full disk of no certain file is the one that its output goes to."""
    if isinstance(problem, OSError) and problem.errno in REASONS and problem.filename is None:
        return str(cannot_write("what the command says", problem))
    return without_addresses(str(problem))


def without_addresses(text: str) -> str:
    """A text of some library without what Python calls an object that has no name: `<_io.BytesIO object at 0x7f…>`."""
    return re.sub(r"\s*<[^<>]* at 0x[0-9a-fA-F]+>", "", text).strip()


@contextmanager
def writing(path: str | os.PathLike, elsewhere: str = ELSEWHERE) -> Iterator[None]:
    """Inside, what the system says of `path`, of a folder above it or of nothing by name becomes `CannotWrite`."""
    path = Path(path)
    try:
        yield
    except OSError as problem:
        named = None if problem.filename is None else Path(str(problem.filename))
        beside = named is not None and named.parent == path.parent and named.name.startswith(f".{path.name}.")
        if problem.errno is None or not (named in (None, path, *path.parents) or beside):
            raise
        raise cannot_write(path, problem, elsewhere) from problem


def unfinished_name(path: Path) -> Path:
    """Where a file or folder is made that shall become `path`: beside it, hidden, and known by `sweep`."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


@contextmanager
def making_folder(path: Path) -> Iterator[Path]:
    """A new folder beside `path`, to fill and to move; what is left of it when the block ends is removed."""
    made = unfinished_name(path)
    made.parent.mkdir(parents=True, exist_ok=True)
    sweep_once(path.parent)
    made.mkdir()
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def to_disk(path: str | os.PathLike) -> None:
    """Wait until a file's content is on the disk."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def sweep(folder: Path, unused_for: float = 0.0) -> None:
    """Remove what killed processes had begun to write into `folder`, unless somebody wrote to it in the last seconds.

    Args:
        unused_for: that many seconds; 0 only where nobody else writes into the folder.
    """
    try:
        names = [name for name in os.listdir(folder) if UNFINISHED.fullmatch(name)]
    except OSError:  # it is not there, or not for us to look into
        return
    for path in (folder / name for name in names):
        with suppress(OSError):  # somebody else was faster, or it is not for us to remove
            if time.time() - path.lstat().st_mtime < unused_for:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


@functools.lru_cache(maxsize=1000)
def sweep_once(folder: Path) -> None:
    """`sweep` what nobody has touched for a day, the first time that this process writes into `folder`."""
    sweep(folder, DAY)
