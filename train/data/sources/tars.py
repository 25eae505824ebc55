"""The files of a tar archive, also of one that was cut short or damaged: those that are whole, and what is wrong."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from .row import DataError, is_hidden

BLOCK = tarfile.BLOCKSIZE
COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}

# What `tarfile` raises for headers that make no sense; its own errors, and what numbers in them lead to.
BROKEN = (tarfile.TarError, ValueError, IndexError, KeyError, OverflowError, MemoryError, OSError)


@dataclass
class Contents:
    """The plain files of an archive that lie in it whole, and sentences on what else there should be."""

    files: list[tarfile.TarInfo] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def contents(archive: Path) -> Contents:
    """The files of an archive.

    `tarfile` by itself ends at the first header that it cannot read and says nothing: here the next one that can be is
    looked for, and whatever lies between, or is missing at the end, is told.

    Raises:
        DataError: it is no plain .tar archive, or not a single file in it is whole.
    """
    size, found = archive.stat().st_size, Contents()
    with archive.open("rb") as file:
        start = file.read(8)
        file.seek(0)
        if kind := next((kind for mark, kind in COMPRESSED.items() if start.startswith(mark)), ""):
            raise DataError(f"{archive} is compressed ({kind}); pack it again as a plain .tar archive, uncompressed")
        try:
            _walk(file, size, archive, found)
        except BROKEN as error:  # in the first header
            raise DataError(f"{archive} is no plain .tar archive ({error}); pack it again, uncompressed") from error
    if not found.files:
        raise DataError(f"{archive} is no plain .tar archive, or nothing in it is whole; get it or pack it again")
    return found


def _walk(file: BinaryIO, size: int, archive: Path, found: Contents) -> None:
    """Note the files, and what is wrong between and after them."""
    end, last = 0, "its start"
    with tarfile.TarFile(fileobj=file, ignore_zeros=True) as tar:
        while tar.offset < size:
            try:
                member = tar.next()
            except BROKEN:  # in a header that belongs to the next
                tar.offset += BLOCK
                continue
            if member is None:
                break
            if not _is_empty(file, end, member.offset):
                found.damaged.append(f"{archive} is damaged between {last} and {member.name}")
            end, last = tar.offset, member.name
            if member.offset_data + member.size > size:
                found.damaged.append(f"{archive} is cut short within {last}")
                return
            if member.isreg() and not member.issparse() and not is_hidden(last):
                found.files.append(member)
    if end >= size:
        found.damaged.append(f"{archive} has no end; what came after {last} may have been cut off")
    elif not _is_empty(file, end, size):
        found.damaged.append(f"{archive} is cut short or damaged after {last}")


def _is_empty(file: BinaryIO, start: int, stop: int) -> bool:
    """Whether nothing that could be a file lies there: zeros, or a header that is about all files that follow."""
    if start >= stop:
        return True
    file.seek(start)
    block = file.read(BLOCK)
    if block[156:157] == tarfile.XGLTYPE:
        try:
            about = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.TarError:
            return False
        return _is_empty(file, start + BLOCK + -(-about.size // BLOCK) * BLOCK, stop)
    file.seek(start)
    left = stop - start
    while left > 0 and (chunk := file.read(min(left, 2**20))):
        if chunk.strip(b"\0"):
            return False
        left -= len(chunk)
    return True
