"""A rendered clip, read: its frames, and what each of them shows."""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from ecgan_core.emotions.keyframes import Weights, parse_keyframes
from ecgan_core.files.replacing import PICTURE_FORMATS

INDEX = "index.csv"  # as `train.portraits.clip` writes it


class BadClip(ValueError):
    """A folder is no clip, or not one for this model; the text says which, and what to do."""


@dataclass(frozen=True)
class Clip:
    """Frames [N,3,H,W] in 0..1, and of each, how far it goes towards each emotion."""

    source: str
    frames: Tensor
    weights: list[Weights]


def load_clip(folder: Path, emotions: Collection[str], neutral: str) -> Clip:
    """Read a clip that `python -m train clip` rendered.

    Args:
        emotions, neutral: of the model that is to complete it; the clip may show no others.

    Raises:
        BadClip: there is none, a frame cannot be read or is of another size, or it shows another emotion.
    """
    try:
        with (folder / INDEX).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        shown = [row["weights"] for row in rows]
        files = [folder / row["file"] for row in rows]
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise BadClip(
            f"{folder} is no clip: it needs an {INDEX} with the columns file and weights; render one with "
            f"`python -m train clip`"
        ) from error
    if len(rows) < 2:
        raise BadClip(f"{folder} has {len(rows)} frames; two are needed to see how steady they are")
    text = "\n".join(f"{number}: {weights or neutral}" for number, weights in enumerate(shown))
    try:
        weights = [keyframe.weights for keyframe in parse_keyframes(text, emotions, neutral)]
    except ValueError as error:
        raise BadClip(f"{folder / INDEX} shows what the model does not know: {error}") from error
    frames = [_read(file) for file in files]
    if len({frame.shape for frame in frames}) > 1:
        raise BadClip(f"the frames of {folder} are of several sizes; render the clip anew")
    return Clip(folder.name, torch.stack(frames), weights)


def _read(file: Path) -> Tensor:
    try:
        with Image.open(file, formats=PICTURE_FORMATS) as image:
            return torch.from_numpy(np.array(image.convert("RGB"))).movedim(-1, 0).float() / 255
    except (OSError, UnidentifiedImageError) as error:
        raise BadClip(f"the frame {file} cannot be read; render the clip anew") from error
