"""What pictures are compared by: PSNR, SSIM and L1 in the hole, spread of samples, and the Fréchet distance.

Pictures are float [B,3,S,S] in −1..1 and holes [B,1,S,S], 1 = filled. Differences are told in 0..255.
"""

from __future__ import annotations

from itertools import combinations

import torch
import torch.nn.functional as F
from torch import Tensor

PEAK = 255.0
WINDOW, SIGMA = 11, 1.5  # of SSIM, as in its paper


def mean_in(values: Tensor, hole: Tensor) -> Tensor:
    """The mean [B] of `values` [B,C,S,S] over the pixels of the hole and all channels; 0 where a hole is empty."""
    weight = hole.to(values.dtype).expand_as(values)
    return (values * weight).sum(dim=(1, 2, 3)) / weight.sum(dim=(1, 2, 3)).clamp(min=1)


def l1_in(a: Tensor, b: Tensor, hole: Tensor) -> Tensor:
    """Mean absolute difference [B] in the hole, 0..255."""
    return mean_in((a - b).abs(), hole) * PEAK / 2


def psnr_in(a: Tensor, b: Tensor, hole: Tensor) -> Tensor:
    """Peak signal-to-noise ratio [B] in the hole, dB; infinite where the two are equal."""
    return 10 * torch.log10(4 / mean_in((a - b).square(), hole))


def ssim_in(a: Tensor, b: Tensor, hole: Tensor) -> Tensor:
    """Structural similarity [B] (Wang et al. 2004), averaged over the windows whose centre lies in the hole."""
    return mean_in(ssim_map(a, b), hole)


def ssim_map(a: Tensor, b: Tensor) -> Tensor:
    """SSIM [B,3,S,S] of the Gaussian window around each pixel; pictures are reflected at their edges."""
    channels = a.shape[1]
    x = torch.arange(WINDOW, dtype=a.dtype, device=a.device) - WINDOW // 2
    bell = torch.exp(-x.square() / (2 * SIGMA**2))
    bell = bell / bell.sum()
    kernel = (bell[:, None] * bell[None]).expand(channels, 1, -1, -1)

    def local_mean(values: Tensor) -> Tensor:
        return F.conv2d(F.pad(values, [WINDOW // 2] * 4, mode="reflect"), kernel, groups=channels)

    mean_a, mean_b = local_mean(a), local_mean(b)
    variance_a, variance_b = local_mean(a * a) - mean_a**2, local_mean(b * b) - mean_b**2
    covariance = local_mean(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2  # the range of −1..1 is 2
    likeness = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return likeness / ((mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2))


def spread_in(samples: list[Tensor], hole: Tensor) -> Tensor:
    """How much several completions of each face differ, [B]: the mean of `l1_in` over all pairs of them, 0..255."""
    return torch.stack([l1_in(a, b, hole) for a, b in combinations(samples, 2)]).mean(dim=0)


def frechet_distance(x: Tensor, y: Tensor) -> float:
    """Fréchet distance (Dowson and Landau 1982) of the normal distributions fitted to features [N,d] and [M,d].

    The value depends on the network and on N and M: compare it with a baseline of as many real pictures.
    """
    x, y = x.double(), y.double()
    cov_x, cov_y = torch.cov(x.T), torch.cov(y.T)
    # The eigenvalues of a product of two covariances are real and not negative but for rounding.
    roots = torch.linalg.eigvals(cov_x @ cov_y).real.clamp(min=0).sqrt().sum()
    distance = (x.mean(0) - y.mean(0)).square().sum() + cov_x.trace() + cov_y.trace() - 2 * roots
    return max(0.0, distance.item())
