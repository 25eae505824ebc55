"""The generator G: from a latent code, an emotion code and the visible part to a face, coarse to fine.

z' = z + z_e (METHOD, Emotion control) is the only thing that carries emotion: it enters the coarsest grid as it is, and
its spatial mean styles every block, so that a step along an emotion vector reaches the brows and the mouth alike.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from ..emotions.codes import replicate
from .blocks import ResidualBlock, UpBlock, VisibleAttention, missing_shares, pointwise, zeroed

OUTPUT_SCALES = 3  # images at S/4, S/2 and S, as PIC-Net's appearance loss wants them


# 1 − sin⁶(πf) at f patterns a pixel: .88 of those of four pixels and nothing of those of two.
DETAIL_FILTER = (1 / 64, -6 / 64, 15 / 64, 44 / 64, 15 / 64, -6 / 64, 1 / 64)


class DetailBlock(nn.Module):
    """A level grown onto a trained generator: the picture at twice the size, and what is finer than its pixels.

    The detail starts at zero, so that a grown generator draws the old picture, enlarged, until training adds to it.
    It is filtered, since a pattern as fine as its pixels tells of their grid and not of a face: where an edge was asked
    for, beads were drawn along it (Karras et al. 2021, Alias-free GANs, filter every layer; here the last one does).
    """

    def __init__(self, in_channels: int, out_channels: int, style_channels: int):
        super().__init__()
        self.up = UpBlock(in_channels, out_channels, style_channels, normalize=False, upsampling="bilinear")
        self.to_rgb = zeroed(nn.Conv2d(out_channels, 3, 3, padding=1))

    def forward(
        self, x: Tensor, image: Tensor, feature: Tensor, missing: Tensor, style: Tensor
    ) -> tuple[Tensor, Tensor]:
        """x [B,C_in,s,s], image [B,3,s,s] and the encoder's feature [B,C_out,2s,2s] → x and image at 2s × 2s."""
        x = self.up(x, feature, missing, style)
        enlarged = F.interpolate(image, scale_factor=2, mode="bilinear")
        return x, (enlarged + _filtered(self.to_rgb(F.silu(x)))).clamp(-1, 1)


def _filtered(detail: Tensor) -> Tensor:
    """`DETAIL_FILTER` along both sides."""
    taps = torch.tensor(DETAIL_FILTER, device=detail.device, dtype=detail.dtype)
    kernel = torch.outer(taps, taps).expand(detail.shape[1], 1, -1, -1)
    return F.conv2d(F.pad(detail, (3,) * 4, mode="replicate"), kernel, groups=detail.shape[1])


class Generator(ModelMixin, ConfigMixin):
    """G. Its `image_size`, `widths`, `latent_channels` and `deeper` are those of its encoder.

    Args:
        num_emotions: m, the length of an emotion label.
        upsampling: "nearest" or "bilinear", see `UpBlock`.
        grown: how many of the finest levels were grown onto a trained network, see `DetailBlock`.

    The buffer `emotion_codes` [m,d] holds the recorded code of every emotion, the mean of z_e over training.
    """

    emotion_codes: Tensor

    @register_to_config
    def __init__(
        self,
        image_size: int = 64,
        widths: tuple[int, ...] = (32, 64, 128, 256),
        latent_channels: int = 64,
        num_emotions: int = 7,
        upsampling: str = "nearest",
        grown: int = 0,
        deeper: int = 0,
    ):
        super().__init__()
        if latent_channels < num_emotions:
            raise ValueError(
                f"latent_channels {latent_channels} cannot hold a code of {num_emotions} emotions; "
                f"give at least {num_emotions} latent channels"
            )
        self.register_buffer("emotion_codes", replicate(torch.eye(num_emotions), latent_channels))
        self.latent_in = pointwise(latent_channels, widths[-1])
        self.feature_in = pointwise(widths[-1], widths[-1])
        self.middle = ResidualBlock(widths[-1], widths[-1], latent_channels)
        self.deep = nn.ModuleList(ResidualBlock(widths[-1], widths[-1], latent_channels) for _ in range(deeper))
        steps = list(pairwise(widths[grown:][::-1]))  # (256, 128), (128, 64) …: channels in and out of each up block
        self.up = nn.ModuleList(
            UpBlock(a, b, latent_channels, i < len(steps) - 1, upsampling) for i, (a, b) in enumerate(steps)
        )
        self.attention = VisibleAttention(widths[-2])
        self.to_rgb = nn.ModuleList(nn.Conv2d(b, 3, 3, padding=1) for _, b in steps[-OUTPUT_SCALES:])
        finer = pairwise(widths[: grown + 1][::-1])
        self.detail = nn.ModuleList(DetailBlock(a, b, latent_channels) for a, b in finer)

    def forward(
        self,
        z: Tensor,
        code: Tensor,
        features: tuple[Tensor, ...],
        visible: Tensor,
        hole: Tensor,
        scales: int = OUTPUT_SCALES,
    ) -> tuple[Tensor, ...]:
        """Images [B,3,s,s] in −1..1 for s = …, S/2, S; the last is the generated face I_gen, not yet composited.

        Args:
            z: latent code [B,d,h,w].
            code: emotion code z_e [B,d].
            features: the encoder's, of the visible part, fine to coarse.
            visible: face · (1 − hole), [B,3,S,S].
            hole: [B,1,S,S], 1 = to fill.
            scales: how many of the images are wanted, the largest ones.
        """
        grown, coarse = len(self.detail), hole
        for _ in range(grown):
            coarse = F.max_pool2d(coarse, 2)
        h, images, style = self.draw(z, code, features[grown:], coarse, max(1, scales - grown))
        missing = missing_shares(hole, grown)
        for i, detail in enumerate(self.detail):
            level = grown - 1 - i
            h, image = detail(h, images[-1], features[level], missing[level], style)
            images.append(image)
        return tuple(images[-scales:])

    def draw(
        self, z: Tensor, code: Tensor, features: tuple[Tensor, ...], hole: Tensor, scales: int = OUTPUT_SCALES
    ) -> tuple[Tensor, list[Tensor], Tensor]:
        """What the generator is without its grown levels: its last features, its images, and the style for finer ones.

        Arguments as in `forward`, of the side that this part draws.
        """
        z = z + code[:, :, None, None]
        style = z.mean(dim=(2, 3))
        h = self.latent_in(z) + self.feature_in(features[-1])
        for block in (self.middle, *self.deep):
            h = block(h, style)
        images = []
        missing = missing_shares(hole, len(features))
        for i, up in enumerate(self.up):
            feature, share = features[-2 - i], missing[-2 - i]
            h = up(h, feature, share, style)
            if i == 0:  # the second coarsest grid: 16×16 at every image size whose latent grid is 8×8
                h = self.attention(h, feature, share)
            scale = i - (len(self.up) - len(self.to_rgb))
            if scale >= len(self.to_rgb) - scales:
                images.append(torch.tanh(self.to_rgb[scale](F.silu(h))))
        return h, images, style


def composite(face: Tensor, generated: Tensor, hole: Tensor) -> Tensor:
    """I_com = (1 − hole) ⊙ I_g + hole ⊙ I_gen; where the hole is exactly 0 the result is exactly `face`."""
    return torch.where(hole > 0, face + hole * (generated - face), face)
