"""From a source of a recipe to its rows: names and labels only.

Pictures are decoded by `pictures`, and kept by `cache`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ...config import Source
from .archives import rows_of_archives
from .folders import rows_of_folders
from .hub import HUB, fetched
from .row import DataError, Row
from .table import rows_of_index


def rows_of(source: Source, root: Path) -> list[Row]:
    """The pictures of a source, in the order of its table, or of its names.

    Args:
        source: of the recipe. Its `labels` rename emotions; a picture whose label becomes "" is left out.
        root: the folder that `source.path` is relative to.

    Raises:
        DataError: there is no such folder or archive, or its table or labels cannot be read.
    """
    if source.path.startswith(HUB):
        folder = fetched(source)
    elif source.path.endswith(".tar"):
        return _renamed(rows_of_archives(source, root), source)
    else:
        folder = root / source.path
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}; give the folder that holds {source.path!r} with --data")
    index = folder / "index.csv"
    rows = rows_of_index(index, source) if index.is_file() else rows_of_folders(folder, source)
    return _renamed(rows, source)


def _renamed(rows: Iterable[Row], source: Source) -> list[Row]:
    if not source.labels:
        return list(rows)
    named = ((row, source.labels.get(row.emotion, row.emotion)) for row in rows)
    return [Row(row.file, emotion, row.identity, row.part) for row, emotion in named if emotion]
