"""What half precision changes: `python -m benchmarks.precision` completes the pack's pictures in bfloat16 and float32.

Same model, emotion and seed; differences of the 8-bit pictures inside the hole, as a table.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ecgan_core import DEFAULT_CHECKPOINT
from ecgan_core.face.face_hole import face_hole
from ecgan_core.face.portrait import complete_portraits, render
from ecgan_core.pipeline import ECGANPipeline

from .measuring import ours

PARTS = ("whole face", "lower face", "mouth")


def pictures() -> list[Tensor]:
    """The faces that the examples open, [3,H,W] in 0..1."""
    images = [Image.open(file).convert("RGB") for file in (ours.PORTRAIT, *ours.FACES)]
    return [torch.from_numpy(np.asarray(image).copy()).movedim(-1, 0).float() / 255 for image in images]


def differences(half: ECGANPipeline, full: ECGANPipeline, picture: Tensor, part: str) -> Tensor:
    """By how many steps of 255 the two differ, one number for each value that changed."""
    hole = face_hole(picture, part)[None]
    drawn = []
    for pipeline in (half, full):
        latent = complete_portraits(pipeline, picture[None], hole, emotion="happy", seeds=0, variation=0.5)
        drawn.append((255 * render(pipeline, latent)[0]).round())
    return (drawn[0] - drawn[1]).abs()[:, hole[0, 0] > 0]


def main() -> None:
    half, full = (ours.load(DEFAULT_CHECKPOINT, torch.device("cpu"), kind) for kind in (torch.bfloat16, torch.float32))
    faces = pictures()
    print(f"{DEFAULT_CHECKPOINT.name}, {len(faces)} pictures\n")
    print("| hole | 99th percentile | largest | share above 1/255 |\n|---|---|---|---|")
    for part in PARTS:
        found = torch.cat([differences(half, full, face, part).flatten() for face in faces]).numpy()
        shown = f"{np.percentile(found, 99):.0f}/255 | {found.max():.0f}/255 | {(found > 1).mean():.2%}"
        print(f"| {part} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
