"""An `index.csv`: which picture shows which emotion."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from ...config import Source
from .row import DataError, Row


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


def rows_of_index(index: Path, source: Source) -> Iterator[Row]:
    """The rows of an `index.csv` that have the source's `use`."""
    for row in read_index(index):
        if row.get("use", source.use) == source.use:
            identity = row.get("identity") or row["file"]
            yield Row(index.parent / row["file"], row["emotion"], f"{source.path}/{identity}")
