"""The parts that the networks are made of: residual, down, up and attention blocks.

Every block is plain convolution, GroupNorm and SiLU. Second convolutions start at zero, so that each residual block
begins as its shortcut and an untrained network is stable: with Kaiming-initialised shortcuts the first KL was 264.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


def zeroed(module: nn.Module) -> nn.Module:
    """Set all parameters of `module` to zero: its branch adds nothing until training wants it to."""
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


def pointwise(in_channels: int, out_channels: int) -> nn.Conv2d:
    """A 1×1 convolution with gain 1 (variance-preserving), for shortcuts and projections."""
    conv = nn.Conv2d(in_channels, out_channels, 1)
    nn.init.normal_(conv.weight, std=in_channels**-0.5)
    nn.init.zeros_(conv.get_parameter("bias"))
    return conv


def group_norm(channels: int) -> nn.GroupNorm:
    """GroupNorm of about 16 channels a group; independent of the batch, so a face is the same in any batch."""
    return nn.GroupNorm(max(1, channels // 16), channels)


def coordinates(image: Tensor) -> Tensor:
    """Pixel coordinates of `image` [B,C,H,W] as two channels [B,2,H,W] in −1..1: in aligned faces place is content."""
    batch, _, height, width = image.shape
    y = torch.linspace(-1, 1, height, device=image.device, dtype=image.dtype)
    x = torch.linspace(-1, 1, width, device=image.device, dtype=image.dtype)
    return torch.stack(torch.meshgrid(y, x, indexing="ij")).expand(batch, -1, -1, -1)


def missing_shares(hole: Tensor, levels: int) -> list[Tensor]:
    """The missing share of each cell when `hole` [B,1,S,S] is seen at S, S/2, S/4 …, one tensor a level.

    Halves of halves are exact in float32, and each level costs a quarter of the one before it.
    """
    shares = [hole.float()]
    while len(shares) < levels:
        shares.append(F.avg_pool2d(shares[-1], 2))
    return [share.to(hole.dtype) for share in shares]


def halved(visible: Tensor, hole: Tensor) -> tuple[Tensor, Tensor]:
    """visible [B,3,S,S] and hole [B,1,S,S] at half the size, for a network that knows whole holes only: what is missing
    in part is missing.
    """
    hole = F.max_pool2d(hole, 2)
    return F.avg_pool2d(visible, 2) * (1 - hole), hole


def joined(*tensors: Tensor) -> Tensor:
    """Tensors [B,C,H,W] as one, channel after channel, in the memory format of the first.

    A single channel is in every memory format, and torch.cat then falls back to the plain one, which costs the
    convolution after it more than its own work.
    """
    if not tensors[0].is_contiguous(memory_format=torch.channels_last):
        return torch.cat(tensors, dim=1)
    return torch.cat([tensor.movedim(1, -1) for tensor in tensors], dim=-1).movedim(-1, 1)


def scaled(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """scale · x + shift, x [B,C,H,W], scale and shift [B,C].

    With channels last they are repeated over a row first: a loop over 16 channels is too short for a vector unit.
    """
    scale, shift = scale[:, :, None, None], shift[:, :, None, None]
    if x.is_contiguous(memory_format=torch.channels_last):
        row = (-1, -1, -1, x.shape[-1])
        scale, shift = (t.expand(row).contiguous(memory_format=torch.channels_last) for t in (scale, shift))
    return torch.addcmul(shift, x, scale)


class ResidualBlock(nn.Module):
    """x + conv(act(norm(conv(act(norm(x)))))), the second norm scaled and shifted by a style vector if there is one.

    Args:
        style_channels: length of the style vector; 0 for a block without style.
        normalize: False leaves out GroupNorm, which at full resolution would wash out the picture's own contrast.
    """

    def __init__(self, in_channels: int, out_channels: int, style_channels: int = 0, normalize: bool = True):
        super().__init__()
        self.norm1 = group_norm(in_channels) if normalize else nn.Identity()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.norm2 = group_norm(out_channels) if normalize else nn.Identity()
        self.conv2 = zeroed(nn.Conv2d(out_channels, out_channels, 3, padding=1))
        self.style = zeroed(nn.Linear(style_channels, 2 * out_channels)) if style_channels else None
        self.shortcut = pointwise(in_channels, out_channels) if in_channels != out_channels else nn.Identity()

    def forward(self, x: Tensor, style: Tensor | None = None) -> Tensor:
        """x [B,C_in,H,W], style [B,style_channels] → [B,C_out,H,W]."""
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.norm2(h)
        if self.style is not None:
            scale, shift = self.style(style).chunk(2, dim=1)
            h = scaled(h, 1 + scale, shift)
        return self.shortcut(x) + self.conv2(F.silu(h))


class DownBlock(nn.Module):
    """Halve the resolution, then one residual block."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.block = ResidualBlock(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.block(F.avg_pool2d(x, 2))


class UpBlock(nn.Module):
    """Double the resolution, add the encoder's skip, then one styled block.

    `upsampling` is "nearest" or "bilinear" (pixel shuffle left checkerboards). On photographs nearest left a lattice:
    what attention copies, light and colour above all, came in squares of one cell.

    The skip comes with the hole's share of each cell: the generator has to know which features are of real pixels.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        style_channels: int,
        normalize: bool = True,
        upsampling: str = "nearest",
    ):
        super().__init__()
        self.upsampling = upsampling
        self.reduce = pointwise(in_channels, out_channels)
        self.skip = pointwise(out_channels + 1, out_channels)
        self.block = ResidualBlock(out_channels, out_channels, style_channels, normalize)

    def forward(self, x: Tensor, feature: Tensor, missing: Tensor, style: Tensor) -> Tensor:
        """x [B,C_in,H,W], feature [B,C_out,2H,2W], missing [B,1,2H,2W], style [B,style_channels] → [B,C_out,2H,2W]."""
        x = F.interpolate(self.reduce(x), scale_factor=2, mode=self.upsampling)
        x = x + self.skip(joined(feature, missing))
        return self.block(x, style)


class VisibleAttention(nn.Module):
    """One attention layer that copies from the visible to the missing region (PIC-Net's short + long term attention).

    Queries are the generator's; keys and values are the encoder's features of the visible part. A cell that is missing
    for a share s gets the logit bias log(1 − s): nothing is copied out of a hole, and a half-seen cell counts half.
    """

    def __init__(self, channels: int, heads: int = 4):
        super().__init__()
        self.heads = heads
        self.norm_query = group_norm(channels)
        self.norm_source = group_norm(channels)
        self.query = pointwise(channels, channels)
        self.key_value = pointwise(channels, 2 * channels)
        self.out = zeroed(nn.Conv2d(channels, channels, 1))

    def forward(self, x: Tensor, source: Tensor, missing: Tensor) -> Tensor:
        """x and source [B,C,H,W], missing [B,1,H,W] → [B,C,H,W]; where nothing is missing, x comes back unchanged."""
        batch, channels, height, width = x.shape
        split = (batch, self.heads, channels // self.heads, height * width)
        query = self.query(self.norm_query(x)).reshape(split).transpose(2, 3)
        key, value = self.key_value(self.norm_source(source)).chunk(2, dim=1)
        key, value = key.reshape(split).transpose(2, 3), value.reshape(split).transpose(2, 3)
        bias = torch.log1p(-missing.float().clamp(max=0.999))  # float: bfloat16 rounds .999 to 1, and log 0 is −inf
        bias = bias.reshape(batch, 1, 1, -1).to(query.dtype)
        copied = F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        copied = copied.transpose(2, 3).reshape(batch, channels, height, width)
        return x + missing * self.out(copied)


def maybe_spectral_norm(module: nn.Module, use: bool) -> nn.Module:
    """Spectral norm (Miyato et al. 2018) around `module`'s weight if `use`."""
    return spectral_norm(module) if use else module
