"""A discriminator that looks through a network which has seen a million pictures (Sauer et al. 2021, Projected GANs).

The patch discriminator sees skin and edges, 38 pixels at a time, and has to learn even those from a few thousand faces.
This one is given features of ImageNet's at four sizes, from a lip's edge to the whole face, and learns heads alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ecgan_core.networks.blocks import maybe_spectral_norm

from .imagenet import WIDTHS

MIXED = 64  # channels that each head reads, a fixed mixture of those that are there


class Head(nn.Module):
    """Realness of every place of one feature map.

    The map's channels are mixed by a fixed random projection first: D cannot then hold on to the few that differ most.
    """

    mixture: Tensor

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("mixture", torch.randn(MIXED, channels, 1, 1) / channels**0.5)
        self.convs = nn.ModuleList(
            maybe_spectral_norm(conv, True)
            for conv in (nn.Conv2d(MIXED + 1, MIXED, 4, 2, 1), nn.Conv2d(MIXED, MIXED, 3, padding=1))
        )
        self.realness = maybe_spectral_norm(nn.Conv2d(MIXED, 1, 3, padding=1), True)

    def forward(self, features: Tensor, hole: Tensor) -> Tensor:
        share = F.adaptive_avg_pool2d(hole, features.shape[-1])
        # as large as a standard normal on natural pictures, whatever the layer
        mixed = F.conv2d(features, self.mixture.to(features.dtype))
        mixed = mixed / mixed.float().std(dim=(1, 2, 3), keepdim=True).clamp(min=1e-6).to(mixed.dtype)
        x = torch.cat([mixed, share.to(mixed.dtype)], dim=1)
        for conv in self.convs:
            x = F.leaky_relu(conv(x), 0.2)
        return self.realness(x)


class ProjectedDiscriminator(nn.Module):
    """Realness at four sizes, from the feature maps of `ImageNetFeatures`."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList(Head(channels) for channels in WIDTHS)

    def forward(self, maps: Sequence[Tensor], hole: Tensor) -> list[Tensor]:
        """Unbounded [B,1,s,s] each, of maps that belong to faces with hole [B,1,S,S]."""
        return [head(features, hole) for head, features in zip(self.heads, maps, strict=True)]
