"""How much of each fineness a filled hole holds, beside the truth: blur and smooth skin as figures.

Bands are differences of Gaussians whose deviation doubles, 1 to 16 pixels of a face of 512; a picture of another size
has the same bands of the face. Energy is the root mean square of a band in the hole.
"""

from __future__ import annotations

import math

import torch
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
    side, reach = faces.shape[-1], math.ceil(3 * deviation)
    steps = torch.arange(-reach, reach + 1, device=faces.device)
    kernel = torch.exp(-((steps / deviation) ** 2) / 2)
    reached = (torch.arange(side, device=faces.device)[:, None] + steps).clamp(0, side - 1)
    # As a product of matrices: a convolution of a single channel takes five times as long.
    rows = torch.zeros(side, side, device=faces.device).scatter_add_(
        1, reached, (kernel / kernel.sum()).expand(side, -1)
    )
    return rows @ faces @ rows.mT
