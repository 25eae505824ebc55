"""WebDataset archives: plain .tar files, read in place."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from ...config import Source
from .row import PICTURES, DataError, Row, value_of


def rows_of_archives(source: Source, root: Path) -> Iterator[Row]:
    """WebDataset: the files of one picture stand together and share a name up to its first dot."""
    archives = sorted(root.glob(source.path))
    if not archives:
        raise DataError(f"there is no archive {root / source.path}; give the folder that holds it with --data")
    for archive in archives:
        try:
            with tarfile.open(archive, "r:") as tar:
                members = [member for member in tar if member.isreg() and not member.issparse()]
                for key, group in groupby(members, key=_key):
                    yield from _row_of_sample(archive, tar, key, list(group), source)
        except tarfile.TarError as error:
            raise DataError(f"{archive} is no plain .tar archive ({error}); pack it again, uncompressed") from error


def _row_of_sample(
    archive: Path, tar: tarfile.TarFile, key: str, members: Sequence[tarfile.TarInfo], source: Source
) -> Iterator[Row]:
    """One row, or none where the files are no picture with something beside it."""
    sample: dict[str, Any] = {}
    for member in members:
        field = member.name[len(key) + 1 :].lower()
        if f".{field}" in PICTURES:
            sample[field] = (member.offset_data, member.size)
        elif field in ("cls", "txt", "json") and (data := tar.extractfile(member)) is not None:
            sample[field] = _parsed(data.read(), field, f"{archive}: {member.name}")
    _, part = value_of(sample, "picture", source)
    if not isinstance(part, tuple):
        return
    _, emotion = value_of(sample, "emotion", source)
    if emotion is None:
        raise DataError(
            f"{archive}: the picture {key} has no label; put a .cls, .txt or .json beside it, or say in the recipe "
            "where the label is, as in columns: {emotion: json.expression}"
        )
    _, identity = value_of(sample, "identity", source)
    yield Row(archive, str(emotion), f"{source.path}/{key if identity is None else identity}", part)


def _key(member: tarfile.TarInfo) -> str:
    folder, slash, name = member.name.rpartition("/")
    return folder + slash + name.partition(".")[0]


def _parsed(data: bytes, field: str, where: str) -> Any:
    try:
        text = data.decode("utf-8").strip()
        return json.loads(text) if field == "json" else text
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} cannot be read ({error}); mend it or take it out of the archive") from error
