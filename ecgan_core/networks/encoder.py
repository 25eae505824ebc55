"""The encoder E: from a face to the latent code of its content.

One trunk and two heads (PIC-Net's two paths). The *prior* reads the visible part and its hole, p(z | I_m); the
*posterior* reads the whole face, q(z | I_g), and exists for training and for building vectors from pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from .blocks import DownBlock, ResidualBlock, coordinates, group_norm, halved, joined


@dataclass
class DiagonalGaussian:
    """Independent normal distributions, `mean` and `std` of shape [B,d,h,w]."""

    mean: Tensor
    std: Tensor

    def sample(self, noise: Tensor | None = None) -> Tensor:
        """mean + std · noise, differentiable in both; standard normal noise is drawn when none is given."""
        return self.mean + self.std * (torch.randn_like(self.mean) if noise is None else noise)


@dataclass
class EncoderOutput:
    """`prior` p(z | I_m) and the trunk's `features` of the visible part, fine (S×S) to coarse (h×w)."""

    prior: DiagonalGaussian
    features: tuple[Tensor, ...]


def stem(channels: int) -> nn.Conv2d:
    """The first convolution: of red, green, blue, hole and coordinates."""
    return nn.Conv2d(3 + 1 + 2, channels, 3, padding=1)


class FineLevels(nn.Module):
    """Levels finer than those that a network was first trained at: features of the visible part for G's fine levels.

    Each of them halves what the trained network is then shown, as it always was: a cell that is missing in part is
    missing, the others are means. So a grown encoder says what it said before.
    """

    def __init__(self, widths: tuple[int, ...]):
        super().__init__()
        self.stems = nn.ModuleList(stem(width) for width in widths[:-1])

    def forward(self, visible: Tensor, hole: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
        """Features, fine to coarse, and what the trained network sees of visible [B,3,S,S] and hole [B,1,S,S]."""
        features = []
        for first in self.stems:
            features.append(first(joined(visible, hole, coordinates(visible))))
            visible, hole = halved(visible, hole)
        return features, visible, hole


class LatentHead(nn.Module):
    """Mean and standard deviation of a latent code; starts at N(0, 1) whatever the features are."""

    def __init__(self, channels: int, latent_channels: int):
        super().__init__()
        self.norm = group_norm(channels)
        self.conv = nn.Conv2d(channels, 2 * latent_channels, 3, padding=1)
        nn.init.normal_(self.conv.weight, std=1e-3)
        nn.init.zeros_(self.conv.get_parameter("bias"))

    def forward(self, x: Tensor) -> DiagonalGaussian:
        mean, log_variance = self.conv(F.silu(self.norm(x))).chunk(2, dim=1)
        return DiagonalGaussian(mean, torch.exp(0.5 * log_variance.clamp(-10, 4)))


class Encoder(ModelMixin, ConfigMixin):
    """E. `widths` are the channels at S, S/2, S/4 …; the latent code lives on the coarsest grid.

    Args:
        image_size: S, the side of the model's frame, 64 to 512 and a multiple of 2 ** (len(widths) − 1).
        widths: channels per level, fine to coarse.
        latent_channels: d.
        noise_rank: K, the number of faces whose deviations shape the noise of samples; 0 for independent noise.
        grown: how many of the finest levels were grown onto a trained network, see `FineLevels`.
        deeper: how many residual blocks more the coarsest grid has, where a face is understood as a whole.
    """

    # [K,d,h,w]: of K faces, how far the posterior's mean is from the prior's, in standard deviations of the prior
    deviations: Tensor | None

    @register_to_config
    def __init__(
        self,
        image_size: int = 64,
        widths: tuple[int, ...] = (32, 64, 128, 256),
        latent_channels: int = 64,
        noise_rank: int = 0,
        grown: int = 0,
        deeper: int = 0,
    ):
        super().__init__()
        if image_size % 2 ** (len(widths) - 1):
            raise ValueError(
                f"image_size {image_size} cannot be halved {len(widths) - 1} times, once for each width after the "
                f"first; use a multiple of {2 ** (len(widths) - 1)}"
            )
        if noise_rank < 0 or noise_rank == 1:
            raise ValueError(f"noise_rank {noise_rank} is no number of faces that differ; use 0, or 2 and more")
        self.fine = FineLevels(widths[: grown + 1]) if grown else None
        self.stem = stem(widths[grown])
        self.down = nn.ModuleList(DownBlock(a, b) for a, b in pairwise(widths[grown:]))
        self.middle = ResidualBlock(widths[-1], widths[-1])
        self.deep = nn.ModuleList(ResidualBlock(widths[-1], widths[-1]) for _ in range(deeper))
        self.prior_head = LatentHead(widths[-1], latent_channels)
        self.posterior_head = LatentHead(widths[-1], latent_channels)
        self.register_buffer("deviations", torch.zeros(noise_rank, *self.latent_shape) if noise_rank else None)

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """(d, h, w) of a latent code."""
        side = self.config.image_size // 2 ** (len(self.config.widths) - 1)
        return self.config.latent_channels, side, side

    def trunk(self, visible: Tensor, hole: Tensor) -> tuple[Tensor, ...]:
        """One tensor a level, fine to coarse, of visible [B,3,S,S] in −1..1 and hole [B,1,S,S] (1 = missing)."""
        if self.fine is None:
            return self.coarse(visible, hole)
        fine, visible, hole = self.fine(visible, hole)
        return (*fine, *self.coarse(visible, hole))

    def coarse(self, visible: Tensor, hole: Tensor) -> tuple[Tensor, ...]:
        """The trunk without its grown levels, of visible and hole as those give them on."""
        features = [self.stem(joined(visible, hole, coordinates(visible)))]
        for down in self.down:
            features.append(down(features[-1]))
        for block in (self.middle, *self.deep):
            features[-1] = block(features[-1])
        return tuple(features)

    def forward(self, visible: Tensor, hole: Tensor) -> EncoderOutput:
        """The prior p(z | I_m) and features of the visible part; visible = face · (1 − hole)."""
        features = self.trunk(visible, hole)
        return EncoderOutput(self.prior_head(features[-1]), features)

    def posterior(self, face: Tensor) -> DiagonalGaussian:
        """q(z | I_g) of a whole face [B,3,S,S] in −1..1: the content z_c of METHOD's image content path."""
        return self.posterior_head(self.trunk(face, torch.zeros_like(face[:, :1]))[-1])

    def both(self, face: Tensor, hole: Tensor, visible: Tensor | None = None) -> tuple[EncoderOutput, DiagonalGaussian]:
        """`forward` and `posterior` in one pass over the trunk, as training needs them.

        `visible` is face · (1 − hole) unless it was taken otherwise, with grain for example.
        """
        visible = face * (1 - hole) if visible is None else visible
        features = self.trunk(torch.cat([visible, face]), torch.cat([hole, torch.zeros_like(hole)]))
        of_visible, of_whole = zip(*(feature.chunk(2) for feature in features), strict=True)
        return EncoderOutput(self.prior_head(of_visible[-1]), of_visible), self.posterior_head(of_whole[-1])

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """How many standard normal numbers `noise` takes for a face."""
        return self.latent_shape if self.deviations is None else (len(self.deviations),)

    def noise(self, numbers: Tensor) -> Tensor:
        """Noise [B,d,h,w], float32, for `DiagonalGaussian.sample`, made of standard normal numbers [B,*noise_shape].

        Its covariance is that of the `deviations` δ: n = Σ_k (a_k − ā) δ_k / √(K − 1). Of all directions that z has,
        real faces deviate from their priors in few, and G heeds those: independent noise hardly touches them, and its
        samples look alike. (To look at the latents of a trained model for a distribution to draw from is ex-post
        density estimation, Ghosh et al. 2020.)

        Each face's noise is the same, bit for bit, in any batch: a product of matrices rounds by how many rows it has.
        """
        if self.deviations is None:
            return numbers
        deviations = self.deviations.float()
        centred = [row - row.mean(dim=1, keepdim=True) for row in numbers.split(1)]
        rows = [torch.einsum("bk,kdhw->bdhw", row, deviations) for row in centred]
        return torch.cat(rows) / (len(deviations) - 1) ** 0.5
