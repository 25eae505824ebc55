"""One labelled picture of a data set, and the error that says why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...config import Source

PICTURES = {".jpg", ".jpeg", ".png", ".webp"}

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
