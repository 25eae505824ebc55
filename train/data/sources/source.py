"""From a source of a recipe to its rows: names and labels only.

Pictures are decoded by `pictures`, and kept by `cache`.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from pathlib import Path

from ...config import Source
from .archives import rows_of_archives
from .folders import rows_of_folders
from .hub import HUB, fetched
from .row import DataError, Found, Row
from .table import rows_of_index


def found_in(source: Source, root: Path) -> Found:
    """The pictures of a source, in the order of its table, or of its names, and what is not taken.

    Args:
        source: of the recipe. Its `labels` rename emotions; a picture whose label becomes "" is left out.
        root: the folder that `source.path` is relative to.

    Raises:
        DataError: there is no such folder or archive, or its table or labels cannot be read.
    """
    found = _found(source, root)
    labels = {_tidy(label): _tidy(name) for label, name in source.labels.items()}
    named = ((row, _tidy(row.emotion)) for row in found.rows)
    renamed = ((row, labels.get(name, name)) for row, name in named)
    rows = [dataclasses.replace(row, emotion=name) for row, name in renamed if name]
    return dataclasses.replace(found, rows=rows)


def rows_of(source: Source, root: Path) -> list[Row]:
    """The pictures of `found_in`."""
    return found_in(source, root).rows


def _found(source: Source, root: Path) -> Found:
    on_the_hub = source.path.startswith(HUB)
    if source.path.endswith(".tar") and not on_the_hub:
        return rows_of_archives(source, root)
    folder = fetched(source) if on_the_hub else root / source.path
    if folder.is_file():
        raise DataError(f"{folder} is neither a folder nor a plain .tar archive; unpack it, and name what is in it")
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}; give the folder that holds {source.path!r} with --data")
    index = _index_of(folder)
    return rows_of_index(index, source) if index else rows_of_folders(folder, source)


def _index_of(folder: Path) -> Path | None:
    """The `index.csv`, which another system may have in capitals."""
    if (folder / "index.csv").is_file():
        return folder / "index.csv"
    return next((path for path in sorted(folder.glob("*.[cC][sS][vV]")) if path.name.lower() == "index.csv"), None)


def _tidy(name: str) -> str:
    """A name without spaces around it, and with accents as keyboards write them: macOS takes them apart in names."""
    return unicodedata.normalize("NFC", name.strip())
