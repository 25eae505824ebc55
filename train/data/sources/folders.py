"""Folders of pictures, named after their emotions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ...config import Source
from ..pictures import SUFFIXES
from .row import Row


def rows_of_folders(folder: Path, source: Source) -> Iterator[Row]:
    """`EMOTION/IDENTITY.jpg`."""
    for emotion in sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()):
        if emotion.startswith("."):
            continue
        place = folder / emotion
        for name in sorted(os.listdir(place)):
            identity, suffix = os.path.splitext(name)
            if suffix.lower() in SUFFIXES:
                yield Row(place / name, emotion, f"{source.path}/{identity}")
