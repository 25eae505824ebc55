"""ComfyUI's progress bar, preview and interrupt."""

from __future__ import annotations

import comfy.model_management
import comfy.utils
import torch
from PIL import Image

PREVIEW_SIZE = 512  # longest side in pixels


class Progress:
    """A node's progress bar over `total` steps.

    `step` raises ComfyUI's InterruptProcessingException when the user has pressed Cancel; ComfyUI expects it.
    """

    def __init__(self, total: int):
        self.done, self.total = 0, total
        self.bar = comfy.utils.ProgressBar(total)
        self.step(0)

    def step(self, count: int = 1, picture: torch.Tensor | None = None) -> None:
        """Move the bar by `count` steps and show `picture` [3,H,W] in 0..1, the one just finished."""
        self.reach(self.done + count, picture)

    def reach(self, done: int, picture: torch.Tensor | None = None) -> None:
        """As `step`, to where `done` steps are behind."""
        comfy.model_management.throw_exception_if_processing_interrupted()
        self.done = done
        preview = None if picture is None else ("JPEG", _as_pil(picture), PREVIEW_SIZE)
        self.bar.update_absolute(self.done, self.total, preview)


def _as_pil(picture: torch.Tensor) -> Image.Image:
    pixels = picture.float().clamp(0, 1).mul(255).round().byte().permute(1, 2, 0)
    return Image.fromarray(pixels.cpu().numpy())
