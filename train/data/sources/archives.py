"""WebDataset archives: plain .tar files, read in place."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from ...config import Source
from ..formats import SUFFIXES
from ..pictures import read_bytes
from .row import DataError, Found, Row, is_hidden, value_of
from .tars import Contents, contents

LABELS = ("cls", "txt", "json")  # what may stand beside a picture


def rows_of_archives(source: Source, root: Path) -> Found:
    """WebDataset: the files of one picture stand together and share a name up to its first dot.

    Raises:
        DataError: there is no such archive, no archive can be read, or a whole one has a picture without a label.
    """
    pattern, beside = Path(source.path), root
    if pattern.is_absolute():  # which no folder can be asked for but the topmost
        pattern, beside = pattern.relative_to(pattern.anchor), Path(pattern.anchor)
    archives = [path for path in sorted(beside.glob(str(pattern))) if not is_hidden(path.name)]
    if not archives:
        raise DataError(f"there is no archive {root / source.path}; give the folder that holds it with --data")
    found, refused = Found(), []
    for archive in archives:
        try:
            inside = contents(archive)
        except DataError as error:
            refused.append(error)
        else:
            _take(archive, inside, source, found)
    if len(refused) == len(archives):
        raise refused[0]
    found.damaged += map(str, refused)
    return found


def _take(archive: Path, inside: Contents, source: Source, found: Found) -> None:
    """Note the pictures of an archive; a sample may have lost its label where a damaged one was cut."""
    rows, refused = [], []
    for key, group in groupby(inside.files, key=_key):
        members = list(group)
        try:
            row = _row_of_sample(archive, key, members, source)
        except DataError as error:
            if not inside.damaged:
                raise
            refused.append(error)
            continue
        if row is not None:
            rows.append(row)
        else:
            found.passed_over += [f"{archive}: {member.name}" for member in members]
    if refused and not rows:
        raise refused[0]
    found.rows += rows
    found.damaged += [*inside.damaged, *map(str, refused)]


def _row_of_sample(archive: Path, key: str, members: Sequence[tarfile.TarInfo], source: Source) -> Row | None:
    """The row of some files, or None where they are no picture with something beside it."""
    sample: dict[str, Any] = {}
    for member in members:
        field = member.name[len(key) + 1 :].lower()
        part = (member.offset_data, member.size)
        if f".{field}" in SUFFIXES:
            sample[field] = part
        elif field in LABELS:
            sample[field] = _parsed(read_bytes(archive, part), field, f"{archive}: {member.name}")
    _, picture = value_of(sample, "picture", source)
    if not isinstance(picture, tuple):
        return None
    _, emotion = value_of(sample, "emotion", source)
    if emotion is None:
        raise DataError(
            f"{archive}: the picture {key} has no label; put a .cls, .txt or .json beside it, or say in the recipe "
            "where the label is, as in columns: {emotion: json.expression}"
        )
    _, identity = value_of(sample, "identity", source)
    return Row(archive, str(emotion), f"{source.path}/{key if identity is None else identity}", picture)


def _key(member: tarfile.TarInfo) -> str:
    folder, slash, name = member.name.rpartition("/")
    return folder + slash + name.partition(".")[0]


def _parsed(data: bytes, field: str, where: str) -> Any:
    try:
        text = data.decode("utf-8").strip()
        return json.loads(text) if field == "json" else text
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} cannot be read ({error}); mend it or take it out of the archive") from error
