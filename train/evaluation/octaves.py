"""How much of each fineness a filled hole holds, beside the truth: blur and smooth skin as figures.

Bands are differences of Gaussians whose deviation doubles, 1 to 16 pixels of a face of 512; a picture of another size
has the same bands of the face. Energy is the root mean square of a band in the hole.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .metrics import mean_in

SIDE = 512
OCTAVES = 5  # the finest first
LEAST_BLUR = 0.5  # pixels: of a finer band a picture holds nothing


def octaves_in(pictures: Tensor, truths: Tensor, hole: Tensor) -> Tensor:
    """Energy in the hole against the truth's, by octave [B,5], the finest first; 1 is as in the truth.

    NaN for an octave that is finer than the pictures' pixels, or of which the truth has nothing.

    Args:
        pictures, truths: [B,3,S,S] in any range; the whole is the model's frame.
        hole: [B,1,S,S] or [1,1,S,S], 1 = filled.
    """
    energy, due = (_energies(faces.mean(dim=1, keepdim=True), hole) for faces in (pictures, truths))
    return torch.where(due > 0, energy / due, math.nan)


def _energies(faces: Tensor, hole: Tensor) -> Tensor:
    """Root mean squares [B,5] of the bands of grey pictures [B,1,S,S] in the hole."""
    finer, bands = faces, []
    for octave in range(OCTAVES):
        blur = 2**octave * faces.shape[-1] / SIDE
        coarser = _blurred(faces, blur)
        known = blur >= LEAST_BLUR
        band = mean_in((finer - coarser).square(), hole.expand_as(faces)).sqrt()
        bands.append(band if known else torch.full_like(band, math.nan))
        finer = coarser
    return torch.stack(bands, dim=1)


def _blurred(faces: Tensor, deviation: float) -> Tensor:
    """Grey pictures [B,1,S,S] blurred; their edges are repeated."""
    reach = math.ceil(3 * deviation)
    kernel = torch.exp(-((torch.arange(-reach, reach + 1, device=faces.device) / deviation) ** 2) / 2)
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    padded = F.pad(faces, (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel), kernel.mT)
