"""As sharp as its picture: how far a face is out of focus, by its visible edges.

The networks draw every face as sharp as they can. In a soft picture that is sharper than what surrounds the hole.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

ONCE, TWICE = 0.6, 1.5  # pixels: standard deviations of the blurs that an edge is compared under
EDGES = 0.08  # share of the visible face that is edges: the steepest
SHARPEST = 0.25  # share of the edges that are taken to be in focus: others are soft themselves, as a cheek's are
STEEP = 0.004  # brightness from a pixel to the next, from which on it may be an edge
LEAST_EDGES = 50  # pixels
SOFTEST = 4.0  # pixels: beyond it the two blurs hardly differ on an edge


def softness(brightness: Tensor, visible: Tensor) -> float | None:
    """Standard deviation in pixels, up to `SOFTEST`, of the blur of a picture's sharpest edges.

    By being blurred more an edge loses the more of its gradient, the sharper it was (Zhuo and Sim 2011, "Defocus map
    estimation from a single image"): of one of width s, blurs of a and b leave (s² + b²) / (s² + a²) to each other, in
    squares.

    Args:
        brightness: [S,S] in 0..1.
        visible: bool [S,S], where edges count.

    Returns:
        None if there are too few edges to tell.
    """
    once, twice = (_steepness(blurred(brightness[None], deviation)[0]) for deviation in (ONCE, TWICE))
    visible = visible & (once > STEEP)
    once, twice = once[visible], twice[visible]
    if len(once) < LEAST_EDGES:
        return None
    once, steepest = once.topk(round(EDGES * len(once)))
    lost = (once / twice[steepest].clamp(min=1e-6)).square()
    most = (TWICE / ONCE) ** 2  # of an edge that has no width
    width = (TWICE**2 - lost * ONCE**2) / (lost.clamp(1 + 1e-6, most) - 1)
    return float(width.quantile(SHARPEST).clamp(0, SOFTEST**2).sqrt())


def blurred(picture: Tensor, deviation: float) -> Tensor:
    """A picture [C,H,W] blurred by a Gaussian of a standard deviation in pixels; its edges are repeated."""
    kernel = gaussian(deviation, picture)
    wide = F.pad(picture[:, None], (len(kernel) // 2,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(wide, kernel[None, None, None]), kernel[None, None, :, None])[:, 0]


def gaussian(deviation: float, like: Tensor) -> Tensor:
    """The taps [2r+1] of a Gaussian of a standard deviation in pixels, r of three; of `like`'s type and device."""
    reach = max(1, round(3 * deviation))
    steps = torch.arange(-reach, reach + 1, device=like.device, dtype=like.dtype)
    kernel = torch.exp(-((steps / deviation) ** 2) / 2)
    return kernel / kernel.sum()


def _steepness(brightness: Tensor) -> Tensor:
    """The gradient's length [S,S] in brightness a pixel."""
    down, across = torch.gradient(brightness)
    return torch.hypot(down, across)
