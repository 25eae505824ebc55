"""Pictures in any of the forms that diffusers takes, as tensors of numbers in 0..1."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.image_processor import VaeImageProcessor
from torch import Tensor

BARELY = 0.05  # pictures that were resized overshoot by as much


def unit_tensor(picture, side: int, **conversion: bool) -> Tensor:
    """Pictures as float32 [B,C,side,side] in 0..1.

    Args:
        picture: PIL images, arrays [H,W,C] or tensors [B,C,H,W], one or a list; in 0..1, or numbers of 8 bits.
        conversion: of PIL images, as `VaeImageProcessor` takes it.

    Raises:
        ValueError: there are numbers beyond 0..1; they would be drawn as nonsense.
    """
    picture = [_without_bytes(one) for one in picture] if isinstance(picture, list | tuple) else _without_bytes(picture)
    tensor = VaeImageProcessor(do_resize=False, do_normalize=False, **conversion).preprocess(picture).float()
    low, high = (float(end) for end in tensor.aminmax())
    if low < -BARELY or high > 1 + BARELY:
        raise ValueError(f"pictures and masks must be in 0..1, but there are values from {low:g} to {high:g}")
    return F.interpolate(tensor, size=(side, side), mode="bilinear", antialias=True, align_corners=False)


def _without_bytes(picture):
    """A picture of 8 bits in 0..1; others as they are."""
    if isinstance(picture, np.ndarray) and picture.dtype == np.uint8:
        return picture.astype(np.float32) / 255
    return picture.float() / 255 if isinstance(picture, Tensor) and picture.dtype == torch.uint8 else picture
