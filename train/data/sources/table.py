"""An `index.csv`: which picture shows which emotion, as people and their spreadsheets write it."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ...config import Source
from .row import DataError, Found, Row, is_hidden

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
OF_ANOTHER_COMPUTER = re.compile(r"[A-Za-z]:[\\/]|\\\\")


def rows_of_index(index: Path, source: Source) -> Found:
    """The rows of an `index.csv` that have the source's `use`, and how many have another."""
    found = Found()
    for row in read_index(index):
        use = row.get("use", source.use)
        if use.casefold() != source.use.casefold():
            found.other_uses[use] += 1
        else:
            identity = row.get("identity") or row["file"]
            found.rows.append(Row(index.parent / row["file"], row["emotion"], f"{source.path}/{identity}"))
    return found


def read_index(index: Path) -> list[dict[str, str]]:
    r"""The rows of an `index.csv` with the columns file and emotion, without spaces around cells; missing ones are "".

    Columns may be written in capitals, cells separated by commas, semicolons, tabs or bars, and paths by `\`. A table
    is UTF-8, or UTF-16 that says so. Rows of empty cells are none, and those of hidden files are left out.

    Raises:
        DataError: it is no table of that kind, or a row has no file or emotion, or more cells than there are columns.
    """
    text, separator = _text(index), ","
    try:
        separator, heading = _heading(text)
        lines = list(_lines(text, separator))
    except csv.Error as error:
        raise DataError(f"{index} is no table ({error}); save it again as CSV, UTF-8") from error
    columns = [name.casefold() for name in heading]
    if not {"file", "emotion"} <= set(columns):
        missing = " and ".join(sorted({"file", "emotion"} - set(columns)))
        shown = ", ".join(map(repr, heading))
        found = f"its columns, separated by {SEPARATORS[separator]}, are {shown}" if heading else "it is empty"
        raise DataError(f"{index} lacks the column {missing}: {found}; its first line names its columns")
    if twice := sorted({name for name in columns if name and columns.count(name) > 1}):
        raise DataError(f"{index} has two columns called {twice[0]!r}; take one out")
    rows = [_row(columns, cells, separator, index, number) for number, cells in lines[1:]]
    return [row for row in rows if not is_hidden(row["file"])]


def _row(columns: list[str], cells: list[str], separator: str, index: Path, number: int) -> dict[str, str]:
    where = f"{index}, line {number}:"
    if any(cells[len(columns) :]):
        raise DataError(
            f"{where} there are {len(cells)} cells, and {len(columns)} columns in the first line; put quotation marks "
            f"around a cell that has {SEPARATORS[separator]} in it"
        )
    row = dict.fromkeys(columns, "") | dict(zip(columns, cells, strict=False))
    for column in ("file", "emotion"):
        if not row[column]:
            raise DataError(f"{where} there is no {column}; fill it in or take the row out")
    row["file"] = _relative(row["file"], index, where)
    return row


def _relative(name: str, index: Path, where: str) -> str:
    r"""A path below the table's folder, as this system writes it: one with `\` was written on Windows."""
    if os.name != "nt" and OF_ANOTHER_COMPUTER.match(name):
        raise DataError(f"{where} {name!r} is a place on another computer; write it as it is seen from {index.parent}")
    return name.replace("\\", "/") if "\\" in name and not (index.parent / name).exists() else name


def _text(index: Path) -> str:
    """The table's text, without the mark that a spreadsheet may put in front."""
    data = index.read_bytes()
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if marked else "utf-8-sig")
        if "\0" in text:
            raise ValueError("it has characters of number 0, as UTF-16 without a mark")
    except ValueError as error:
        raise DataError(f"{index} is no table in UTF-8 ({error}); save it again as CSV, UTF-8") from error
    return text


def _heading(text: str) -> tuple[str, list[str]]:
    """What separates the cells, and the names of the columns: those of the separator that makes most sense of them."""
    marked = re.match(r"sep=([,;\t|])", text, re.IGNORECASE)  # as Excel says it
    best: tuple[str, list[str]] = (",", [])
    for separator in (marked[1],) if marked else SEPARATORS:
        _, names = next(_lines(text, separator), (0, []))
        if _sense(names) > _sense(best[1]):
            best = separator, names
    return best


def _sense(names: list[str]) -> tuple[int, int]:
    return len({"file", "emotion"} & {name.casefold() for name in names}), len(names)


def _lines(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The number and the cells of each line that has some."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    for cells in reader:
        cells = [cell.strip() for cell in cells]
        if any(cells) and not (reader.line_num == 1 and cells[0].lower().startswith("sep=")):
            yield reader.line_num, cells
