"""Emotion vectors as files: the folder `models/ecgan_vectors`, where one node saves what the other lists."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import folder_paths

from ecgan_core.files.disk import writing
from ecgan_core.files.replacing import NameTaken, put_new
from ecgan_core.words import shown

from .folders import model_folders
from .folders.file_names import safe_name
from .models import HostModel

if TYPE_CHECKING:
    from ecgan_core.emotions.vectors import EmotionVector

FOLDER = "ecgan_vectors"
NO_VECTOR = "(no vector: save one with Save Emotion Vector and press R)"


def register_folder() -> None:
    """Make `models/ecgan_vectors` a model folder of ComfyUI's; safe to repeat."""
    model_folders.register(FOLDER)


def vector_names() -> list[str]:
    """Names of the saved vectors, those in subfolders as "FOLDER/NAME"."""
    return sorted(model_folders.names(FOLDER), key=str.lower)


def file_stamp(name: str | None) -> str:
    """Changes when the file behind `name` does, so that ComfyUI loads it again."""
    return model_folders.stamp_of(FOLDER, name)


def load_vector(name: str, model: HostModel | None = None) -> EmotionVector:
    """The vector listed as `name`, held against `model` if there is one.

    Raises:
        ValueError: no such file (ComfyUI does not check the value of a combo), or the vector of another model.
        BadFile: the file is no emotion vector.
    """
    from ecgan_core.emotions.vectors import EmotionVector

    path = model_folders.path_of(FOLDER, name)
    if path is None:
        known = ", ".join(vector_names()) or "none yet"
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
        ValueError: no file can or may have the name (`safe_name`).
        CannotWrite: the disk is full, read-only or the like.
    """
    root = os.path.abspath(folder_paths.get_folder_paths(FOLDER)[0])
    prefix = safe_name(filename_prefix, root)
    with writing(os.path.join(root, prefix)):  # it makes the folders
        folder, name, counter, _, _ = folder_paths.get_save_image_path(prefix, root)
    while True:  # two that save at once get two files, not one
        path = Path(folder) / f"{name}_{counter:05}_.safetensors"
        try:
            vector.save(path, put_new)
            return path
        except NameTaken:
            counter += 1
