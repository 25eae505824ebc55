"""Where labelled pictures come from: folders, tables, WebDataset archives, and copies of data sets on the Hub.

Everything here reads names and labels only. Pictures are decoded by `pictures`, and kept by `cache`.
"""

from __future__ import annotations

import csv
import json
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from ..config import Source

PICTURES = {".jpg", ".jpeg", ".png", ".webp"}
HUB = "hub:"

# Where a tar or a data set on the Hub has what we need, unless `columns` of the recipe says otherwise: first come,
# first served. A dot goes into a JSON field.
COLUMNS = {
    "picture": ("picture", "image", "img", "jpg", "jpeg", "png", "webp"),
    "emotion": ("emotion", "label", "labels", "cls", "json.emotion", "json.label", "txt"),
    "identity": ("identity", "subject", "person", "json.identity"),
}


class DataError(ValueError):
    """A data set that cannot be trained on; the text names the folder or file and what to do."""


@dataclass(frozen=True)
class Row:
    """One labelled picture of a data set."""

    file: Path  # the picture, or the archive that holds it
    emotion: str
    identity: str  # unique over sources: SOURCE/IDENTITY
    part: tuple[int, int] | None = None  # first byte and number of bytes inside an archive

    @property
    def place(self) -> str:
        """Where the picture is, for people."""
        return str(self.file) if self.part is None else f"{self.file} (at byte {self.part[0]:,})"


def rows_of(source: Source, root: Path) -> list[Row]:
    """The pictures of a source, in the order of its table, or of its names.

    Args:
        source: of the recipe. Its `labels` rename emotions; a picture whose label becomes "" is left out.
        root: the folder that `source.path` is relative to.

    Raises:
        DataError: there is no such folder or archive, or its table or labels cannot be read.
    """
    if source.path.startswith(HUB):
        from .hub import fetched

        folder = fetched(source)
    elif source.path.endswith(".tar"):
        return _renamed(_rows_of_archives(source, root), source)
    else:
        folder = root / source.path
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}; give the folder that holds {source.path!r} with --data")
    index = folder / "index.csv"
    rows = _rows_of_index(index, source) if index.is_file() else _rows_of_folders(folder, source)
    return _renamed(rows, source)


def read_index(index: Path) -> list[dict[str, str]]:
    """The rows of an `index.csv` with the columns file and emotion; missing cells are "".

    Raises:
        DataError: it is no UTF-8 table of that kind, or a row has no file or emotion.
    """
    try:
        with index.open(newline="", encoding="utf-8-sig") as file:  # a spreadsheet may put a mark in front
            table = csv.DictReader(file, restval="")
            columns = table.fieldnames or []
            rows = list(table)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{index} is no table in UTF-8 ({error}); save it again as CSV, UTF-8") from error
    if missing := {"file", "emotion"} - set(columns):
        found = f"; its columns are {', '.join(columns)}" if columns else "; it is empty"
        raise DataError(f"{index} lacks the column {' and '.join(sorted(missing))}{found}, separated by commas")
    for number, row in enumerate(rows, start=1):
        for column in ("file", "emotion"):
            if not row[column]:
                raise DataError(f"{index}: row {number} has no {column}; fill it in or take the row out")
    return rows


def value_of(sample: Mapping[str, Any], role: str, source: Source) -> tuple[str, Any]:
    """(column, value) of a sample's picture, emotion or identity; ("", None) where it has none."""
    wanted = source.columns.get(role)
    for column in (wanted,) if wanted else COLUMNS[role]:
        value: Any = sample
        for step in (column,) if column in sample else tuple(column.split(".")):
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is not None:
            return column, value
    return "", None


def _rows_of_folders(folder: Path, source: Source) -> Iterator[Row]:
    """`EMOTION/IDENTITY.jpg`."""
    for emotion in sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()):
        if emotion.startswith("."):
            continue
        place = folder / emotion
        for name in sorted(os.listdir(place)):
            identity, suffix = os.path.splitext(name)
            if suffix.lower() in PICTURES:
                yield Row(place / name, emotion, f"{source.path}/{identity}")


def _rows_of_index(index: Path, source: Source) -> Iterator[Row]:
    for row in read_index(index):
        if row.get("use", source.use) == source.use:
            identity = row.get("identity") or row["file"]
            yield Row(index.parent / row["file"], row["emotion"], f"{source.path}/{identity}")


def _rows_of_archives(source: Source, root: Path) -> Iterator[Row]:
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


def _renamed(rows: Iterator[Row], source: Source) -> list[Row]:
    if not source.labels:
        return list(rows)
    named = ((row, source.labels.get(row.emotion, row.emotion)) for row in rows)
    return [Row(row.file, emotion, row.identity, row.part) for row, emotion in named if emotion]
