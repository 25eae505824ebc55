"""Folders of pictures, named after their emotions."""

from __future__ import annotations

import os
from pathlib import Path

from ...config import Source
from ..formats import SUFFIXES
from .row import Found, Row, is_hidden


def rows_of_folders(folder: Path, source: Source) -> Found:
    """`EMOTION/IDENTITY.jpg`; what else lies there, but for what systems hide, is passed over."""
    found = Found()
    for entry in _entries(folder):
        if entry.is_dir():
            _take(entry, source, found)
        elif _is_named_as_picture(entry):
            found.passed_over.append(entry.path)  # nothing says which emotion it shows
    return found


def _take(emotion: os.DirEntry, source: Source, found: Found) -> None:
    """Note the pictures in the folder of an emotion."""
    for entry in _entries(Path(emotion.path)):
        if entry.is_dir():
            found.passed_over.append(f"{entry.path}/")
        elif _is_named_as_picture(entry):
            identity = os.path.splitext(entry.name)[0]
            found.rows.append(Row(Path(entry.path), emotion.name, f"{source.path}/{identity}"))
        else:
            found.passed_over.append(entry.path)


def _entries(folder: Path) -> list[os.DirEntry]:
    return sorted((entry for entry in os.scandir(folder) if not is_hidden(entry.name)), key=lambda entry: entry.name)


def _is_named_as_picture(entry: os.DirEntry) -> bool:
    return os.path.splitext(entry.name)[1].lower() in SUFFIXES
