"""Emotion vectors as files: the folder `models/ecgan_vectors`, where one node saves what the other lists."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import folder_paths

from ecgan_core.disk import writing
from ecgan_core.words import shown

from .models import HostModel, register_model_folder, stamp_of

if TYPE_CHECKING:
    from ecgan_core.emotions import EmotionVector

FOLDER = "ecgan_vectors"
LONGEST_NAME = 200  # bytes; file systems take 255, and a number and an ending are added
LONGEST_PATH = 1000  # characters
NO_VECTOR = "(no vector: save one with Save Emotion Vector and press R)"


def register_folder() -> None:
    """Make `models/ecgan_vectors` a model folder of ComfyUI's; safe to repeat."""
    register_model_folder(FOLDER, os.path.join(folder_paths.models_dir, FOLDER))


def vector_names() -> list[str]:
    """Names of the saved vectors, those in subfolders as "FOLDER/NAME"."""
    return sorted(folder_paths.get_filename_list(FOLDER), key=str.lower)


def file_stamp(name: str | None) -> str:
    """Changes when the file behind `name` does, so that ComfyUI loads it again."""
    return stamp_of(FOLDER, name)


def load_vector(name: str, model: HostModel | None = None) -> EmotionVector:
    """The vector listed as `name`, held against `model` if there is one.

    Raises:
        ValueError: no such file (ComfyUI does not check the value of a combo), or the vector of another model.
        BadFile: the file is no emotion vector.
    """
    from ecgan_core.emotions import EmotionVector

    names = vector_names()
    path = folder_paths.get_full_path(FOLDER, name) if name in names else None
    if path is None:
        known = ", ".join(names) if names else "none yet"
        raise ValueError(
            f"there is no emotion vector {shown(name)} (saved: {known}); put the .safetensors file into "
            f"{folder_paths.get_folder_paths(FOLDER)[0]} and press R, or choose another"
        )
    vector = EmotionVector.load(path)
    if model is not None:
        model.pipeline.must_fit(vector)
    return vector


def save_vector(vector: EmotionVector, filename_prefix: str) -> Path:
    """Write a vector into the folder under the next free number; returns where.

    Args:
        filename_prefix: its name, with the folders in front of it; %year% and the like become today's.

    Raises:
        ValueError: the name is empty or leads out of the folder.
        CannotWrite: the disk is full, read-only or the like.
    """
    root = os.path.abspath(folder_paths.get_folder_paths(FOLDER)[0])
    prefix = filename_prefix.strip().replace("\\", "/")
    if not os.path.basename(prefix):
        raise ValueError("the emotion vector has no file name; type one into 'filename_prefix', such as my-emotion")
    if (
        len(prefix) > LONGEST_PATH
        or not prefix.isprintable()
        or max(len(part.encode("utf-8")) for part in prefix.split("/")) > LONGEST_NAME
    ):
        raise ValueError(
            f"{shown(filename_prefix)} cannot be the name of a file; use up to {LONGEST_NAME // 4} characters that can "
            f"be seen, such as my-emotions/smirk"
        )
    if not Path(os.path.abspath(os.path.join(root, prefix))).is_relative_to(root):
        raise ValueError(
            f"the file name {shown(filename_prefix)} leads out of the folder {root}; type one without '..' and "
            f"without a '/' in front, such as my-emotions/smirk"
        )
    with writing(os.path.join(root, prefix)):  # it makes the folders
        folder, name, counter, _, _ = folder_paths.get_save_image_path(prefix, root)
    path = _reserved(Path(folder), name, counter)
    try:
        vector.save(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _reserved(folder: Path, name: str, counter: int) -> Path:
    """An empty file of our own under the first free number: two that save at once get two files, not one."""
    while True:
        path = folder / f"{name}_{counter:05}_.safetensors"
        try:
            path.touch(exist_ok=False)
            return path
        except FileExistsError:
            counter += 1
