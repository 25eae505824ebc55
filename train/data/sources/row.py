"""One labelled picture of a data set, what is found beside it, and the error that says why there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...config import Source
from ..formats import SUFFIXES_OF

# What systems put into folders that they look at.
SYSTEMS = {
    "@eadir", "@recycle", "#recycle", "#snapshot", "__macosx", "$recycle.bin", "system volume information",
    "lost+found", "thumbs.db", "ehthumbs.db", "desktop.ini",
}  # fmt: skip

# Where a tar or a data set on the Hub has what we need, unless `columns` of the recipe says otherwise: first come,
# first served. A dot goes into a JSON field.
COLUMNS = {
    "picture": ("picture", "image", "img", *(name[1:] for names in SUFFIXES_OF.values() for name in names)),
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


@dataclass
class Found:
    """The pictures of a source, and what of it is not taken."""

    rows: list[Row] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)  # files, and folders with a / at the end, that are no pictures
    damaged: list[str] = field(default_factory=list)  # what is wrong with an archive of which a part is used
    other_uses: Counter[str] = field(default_factory=Counter)  # rows of index.csv that this training leaves out


def is_hidden(name: str) -> bool:
    """Whether a file, or a folder above it, begins with a dot or is a system's own."""
    parts = [part for part in name.split("/") if part not in ("", ".", "..")]
    return any(part.startswith(".") or part.lower() in SYSTEMS for part in parts)


def kinds(passed_over: Iterable[str]) -> str:
    """How many files of each kind are among those passed over, as text: ".heic 4, folders 1"."""
    counts = Counter("folders" if name.endswith("/") else Path(name).suffix or "no suffix" for name in passed_over)
    shown = counts.most_common(5)
    if others := counts.total() - sum(count for _, count in shown):
        shown.append(("others", others))
    return ", ".join(f"{kind} {count:,}" for kind, count in shown)


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
