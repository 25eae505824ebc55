"""Files in ComfyUI's model folders, `models/ecgan` and the like: what is there, and where it lies."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

import folder_paths


def register(kind: str, *behind: str) -> None:
    """Make `models/KIND` a folder of ComfyUI's for safetensors files, and those `behind` it; safe to repeat.

    A folder that the user has given the kind in extra_model_paths.yaml stays the first, which is where files are saved.
    """
    for folder in (os.path.join(folder_paths.models_dir, kind), *behind):
        folder_paths.add_model_folder_path(kind, folder)
    # ComfyUI registers a new folder with no extension at all, and would list every file in it.
    folders, extensions = folder_paths.folder_names_and_paths[kind]
    folder_paths.folder_names_and_paths[kind] = (folders, set(extensions) | {".safetensors"})


def names(kind: str) -> list[str]:
    """The files of a kind that can be opened, as ComfyUI lists them: it lists links that lead nowhere, too."""
    folders = folder_paths.get_folder_paths(kind)
    return [
        name
        for name in folder_paths.get_filename_list(kind)
        if any(os.path.isfile(os.path.join(folder, name)) for folder in folders)
    ]


def path_of(kind: str, name: object) -> Path | None:
    """Where the file listed as `name` lies; None if none is. (ComfyUI may ask with a value of any type.)

    Windows lists files in subfolders with '\\', others with '/': a workflow may come from either.
    """
    if not isinstance(name, str):
        return None
    listed = names(kind)
    found = name if name in listed else next((other for other in listed if _slashed(other) == _slashed(name)), None)
    path = folder_paths.get_full_path(kind, found) if found else None
    return Path(path) if path else None


def _slashed(name: str) -> str:
    return name.replace("\\", "/")


def stamp_of(kind: str, name: str | None) -> str:
    """A digest of what is in the file listed as `name` among files of a `kind`, or "absent".

    ComfyUI writes it into every picture that it saves: so no path, no user's name and no time of this machine, and the
    same workflow saves the same file everywhere.
    """
    path = path_of(kind, name)
    return "absent" if path is None else _digest(path, version(path))


def version(path: Path) -> str:
    """Changes when a file is written or replaced."""
    stat = os.stat(path)
    return f"{stat.st_mtime_ns}:{stat.st_size}:{stat.st_ino}"


@lru_cache(maxsize=256)
def _digest(path: Path, version: str) -> str:
    """The SHA-256 of one version of a file: 20 ms for a model of 7 MB, and ComfyUI asks with every prompt."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
