"""Variants side by side, as the paper shows its editing: a row for each emotion, α from below 0 to above 1."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ecgan_core.face.holes import region
from ecgan_core.files.checkpoint import load_checkpoint
from ecgan_core.files.replacing import write_image
from ecgan_core.pipeline import ECGANPipeline

from ..data.cache import Shot, in_memory
from ..data.faces import to_float
from ..portraits.sheet import contact_sheet
from ..runs.run_folder import model_path
from .editing import along_vector
from .recipe import Ablations

ALPHAS = (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5)
HOLE = "whole face"
CELL = 72  # pixels of a picture on the sheet
QUALITY = 85


def write_comparison(plan: Ablations, data: Path, out: Path) -> None:
    """`ablations.jpg`: for each face and emotion the first run of each pictured variant, at every α; nothing without
    variants and faces.

    Raises:
        ValueError: a picture cannot be read.
    """
    files = [model_path(out / plan.variant(name).folder(plan.seeds[0])) for name in plan.pictured]
    if not files or not plan.faces:
        return
    frame = (0.0, 0.0, 1.0, 1.0)
    faces = to_float(in_memory([Shot(data / name, None, frame) for name in plan.faces], plan.base.networks.image_size))
    models = [load_checkpoint(file) for file in files]
    emotions = [name for name in plan.base.emotions if name != plan.base.neutral]
    rows, names = [], []
    for face in faces:
        hole = region(HOLE, 1, face.shape[-1], torch.Generator(), jitter=0)
        columns = [shifted_row(model, face[None], hole, emotions) for model in models]
        for i, emotion in enumerate(emotions):
            rows.append([as_image(face), *(as_image(picture) for column in columns for picture in column[i])])
            names.append(emotion)
    numbers = [f"{alpha:g}".replace("-", "−") for alpha in ALPHAS]
    heads = [
        "input",
        *(f"{name if j == 0 else ''} α {number}" for name in plan.pictured for j, number in enumerate(numbers)),
    ]
    write_image(contact_sheet(rows, heads, names, CELL), out / "ablations.jpg", "JPEG", quality=QUALITY)


@torch.no_grad()
def shifted_row(pipeline: ECGANPipeline, face: Tensor, hole: Tensor, emotions: list[str]) -> Tensor:
    """The face [1,3,S,S], completed as neutral with its likeliest z and shifted, [emotions, alphas, 3, S, S]."""
    latent = pipeline.complete(face, hole, emotion=pipeline.emotion_set.neutral, seeds=[0], variation=0.0)
    move = along_vector(pipeline)
    shown = [pipeline.decode(move(latent, emotion, alpha)) for emotion in emotions for alpha in ALPHAS]
    return torch.cat(shown).unflatten(0, (len(emotions), len(ALPHAS)))


def as_image(picture: Tensor) -> Image.Image:
    """A picture [3,S,S] in −1..1, as Pillow has it."""
    return Image.fromarray(((picture.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy())
