"""The discriminator D and, beside it, the emotion inference network Q.

The paper puts Q on D's trunk with a last layer of its own (`shared_trunk=True`). Measured, a trunk that must also tell
real from generated learns emotions slowly, and a weak Q makes the mutual information loss paint patterns; so by default
Q has its own normalised trunk. docs/experiments.md has both.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from .blocks import halved, maybe_spectral_norm


class EmotionTrunk(nn.Module):
    """Four convolutions with BatchNorm, each but the first halving the picture: small, and quick to read emotions."""

    def __init__(self, widths: tuple[int, ...]):
        super().__init__()
        channels = (4, *widths)
        self.convs = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, 1 if i == 0 else 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU())
            for i, (a, b) in enumerate(pairwise(channels))
        )

    def forward(self, x: Tensor) -> Tensor:
        for conv in self.convs:
            x = conv(x)
        return x


class EmotionHead(nn.Module):
    """Emotion logits from feature maps pooled to cells × cells.

    Not to a single cell, as is usual: on an aligned face a raised brow is a place, and docs/experiments.md shows what
    forgetting the place costs.
    """

    def __init__(self, channels: int, num_emotions: int, cells: int):
        super().__init__()
        self.cells = cells
        self.dropout = nn.Dropout(0.3)
        self.linear = nn.Linear(channels * cells**2, num_emotions)

    def forward(self, features: Tensor) -> Tensor:
        """features [B,C,h,w] → logits [B,m]."""
        return self.linear(self.dropout(F.adaptive_avg_pool2d(features, self.cells).flatten(1)))


class Discriminator(ModelMixin, ConfigMixin):
    """D judges patches of a picture and knows where its hole was; `emotion_logits` is Q.

    Args:
        image_size: S, for the record: both networks are convolutional.
        widths: channels of D's trunk; each level halves the picture. Three levels see patches of 38 pixels.
        emotion_widths: channels of Q's own trunk, unused when it shares D's.
        num_emotions: m.
        emotion_cells: Q's last feature maps are pooled to this many cells a side; 1 forgets where things are.
        shared_trunk: the paper's wiring, Q's last layer on D's trunk.
        spectral_norm: normalise D's weights (training); an exported checkpoint has it folded away.
        grown: how often a picture is halved before Q reads it: Q is that of the network which this one was grown from.
    """

    @register_to_config
    def __init__(
        self,
        image_size: int = 64,
        widths: tuple[int, ...] = (48, 96, 192),
        emotion_widths: tuple[int, ...] = (24, 48, 96, 128),
        num_emotions: int = 7,
        emotion_cells: int = 4,
        shared_trunk: bool = False,
        spectral_norm: bool = True,
        grown: int = 0,
    ):
        super().__init__()
        channels = (4, *widths)
        self.trunk = nn.ModuleList(
            maybe_spectral_norm(nn.Conv2d(a, b, 4, 2, 1), spectral_norm) for a, b in pairwise(channels)
        )
        self.realness = maybe_spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1), spectral_norm)
        self.emotion_trunk = None if shared_trunk else EmotionTrunk(emotion_widths)
        self.emotion_head = EmotionHead(widths[-1] if shared_trunk else emotion_widths[-1], num_emotions, emotion_cells)

    def maps(self, image: Tensor, hole: Tensor) -> list[Tensor]:
        """D's feature maps, fine to coarse, of image [B,3,S,S] in −1..1 with hole [B,1,S,S]."""
        maps = [torch.cat([image, hole], dim=1)]
        for conv in self.trunk:
            maps.append(F.leaky_relu(conv(maps[-1]), 0.2))
        return maps[1:]

    def forward(self, image: Tensor, hole: Tensor) -> Tensor:
        """Realness [B,1,s,s], unbounded, one value a patch, of image [B,3,S,S] in −1..1 with hole [B,1,S,S]."""
        return self.realness(self.maps(image, hole)[-1])

    def emotion_logits(self, image: Tensor, hole: Tensor) -> Tensor:
        """Q: emotion logits [B,m]. For the visible part alone give image · (1 − hole); for a whole face, hole 0."""
        for _ in range(self.config.grown):
            image, hole = halved(image, hole)
        if self.emotion_trunk is None:
            features = self.maps(image, hole)[-1]
        else:
            features = self.emotion_trunk(torch.cat([image, hole], dim=1))
        return self.emotion_head(features)
