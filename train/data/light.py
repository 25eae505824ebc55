"""Other light on a face: what stands between two photographs of one person.

Artists bring pictures of every exposure and development, and the studio lights gently. So faces are shown under more
light than they were taken in: brighter and darker, from one side, in two colours, graded, in black and white or sepia.
Nothing is clipped: highlights run into a shoulder, as film has one. Random numbers are drawn on the CPU, see `augment`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ecgan_core.networks.blocks import coordinates

LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601
SHOULDER = 0.85  # of 0..1; what is brighter runs towards white and does not reach it

LOW_KEY = 0.12, (-1.6, -0.4)  # share of faces, and their exposure, in natural logarithms
SIDE_LIGHT = 0.4, 0.55  # share of faces, and the standard deviation of ln(gain) from the middle to the edge
CAST = 0.15, 0.22  # share of faces with a strong colour cast, and the standard deviation of ln(gain) by colour
BLACK_AND_WHITE = 0.08


def luminance(image: Tensor) -> Tensor:
    """Brightness of an RGB image [B,3,H,W] as [B,1,H,W], same range."""
    weights = torch.tensor(LUMINANCE, device=image.device, dtype=image.dtype).view(1, 3, 1, 1)
    return (image * weights).sum(1, keepdim=True)


@dataclass(frozen=True)
class Light:
    """How each face of a batch is lit anew; float32 on the CPU. `light[part]` is that of a part of it."""

    power: Tensor  # [B]: contrast, as gamma
    saturation: Tensor  # [B]: 0 is black and white
    gain: Tensor  # [B,3,3]: ln(gain) of each colour in the middle, and its slope to the right and down

    def __getitem__(self, part: slice) -> Light:
        return Light(self.power[part], self.saturation[part], self.gain[part])


def draw_light(batch: int, generator: torch.Generator) -> Light:
    """A light for each of `batch` faces."""

    def normal(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=generator).clamp(-2.5, 2.5)

    def some(share: float) -> Tensor:
        return (torch.rand(batch, generator=generator) < share).float()

    low, high = LOW_KEY[1]
    exposure = 0.2 * normal() + some(LOW_KEY[0]) * (low + (high - low) * torch.rand(batch, generator=generator))
    cast = (0.06 * some(0.5) + some(CAST[0]) * CAST[1])[:, None] * normal(3)
    side = some(SIDE_LIGHT[0])[:, None, None] * SIDE_LIGHT[1]
    slope = side * (normal(1, 2) + 0.25 * normal(3, 2)) * torch.tensor([1.0, 0.5])  # rarely from below
    saturation = (0.25 * normal()).exp() * (1 - some(BLACK_AND_WHITE))
    return Light((0.2 * normal()).exp(), saturation, torch.cat([(exposure[:, None] + cast)[..., None], slope], dim=2))


def relight(face: Tensor, light: Light) -> Tensor:
    """Faces [B,3,S,S] in −1..1, on any device, under another light."""
    power, saturation, gain = (t.to(face, non_blocking=True) for t in (light.power, light.saturation, light.gain))
    seen = ((face + 1) / 2).clamp(min=1e-4) ** power[:, None, None, None]
    grey = luminance(seen)
    seen = grey + saturation[:, None, None, None] * (seen - grey)
    y, x = coordinates(face).unsqueeze(2).unbind(1)  # [B,1,S,S] each
    middle, right, down = gain[..., None, None].unbind(2)
    seen = seen.clamp(min=0) * (middle + right * x + down * y).exp()
    return 2 * shoulder(seen) - 1


def shoulder(seen: Tensor) -> Tensor:
    """Brightness from 0 upwards → 0..1: as it is up to `SHOULDER`, and smoothly towards 1 above it."""
    room = 1 - SHOULDER
    return torch.where(seen > SHOULDER, SHOULDER + room * torch.tanh((seen - SHOULDER) / room), seen)
