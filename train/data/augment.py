"""Small changes to faces, and to their holes alike: drawn on the CPU, made wherever the pixels are.

The random numbers come from a CPU generator, so that a batch is the same on every device and for any number of
processes; there are a dozen a face. The pixels are moved and coloured on the face's own device.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from .light import Light, draw_light, relight


@dataclass(frozen=True)
class Change:
    """What is done to each face of a batch; float32 on the CPU. `change[part]` is what is done to that part of it."""

    place: Tensor  # [B,2,3]: mirrored, turned, zoomed, moved, as `affine_grid` takes it
    gain: Tensor  # [B,3]: of light, by colour
    offset: Tensor  # [B]: of light
    light: Light | None = None  # another light altogether

    def __getitem__(self, part: slice) -> Change:
        light = None if self.light is None else self.light[part]
        return Change(self.place[part], self.gain[part], self.offset[part], light)


def draw_change(
    batch: int, generator: torch.Generator, strength: float = 1.0, mirror: bool = True, light: bool = False
) -> Change:
    """A change for each of `batch` faces.

    Small on purpose: holes and the latent's coordinates count on aligned faces.

    Args:
        strength: 1 turns by 2.3° and moves by 1.5 % of the side (standard deviations, cut off at twice that); a small
            data set may take 2.
        mirror: mirror half of the faces, at any strength.
        light: light them anew as well, see `light`.
    """

    def normal(scale: float) -> Tensor:
        return strength * scale * torch.randn(batch, generator=generator).clamp(-2, 2)

    side = torch.where((torch.rand(batch, generator=generator) < 0.5) & mirror, -1.0, 1.0)
    angle, zoom = normal(0.04), 1 + normal(0.03)
    cos, sin = zoom * torch.cos(angle), zoom * torch.sin(angle)
    place = torch.stack([side * cos, -sin, normal(0.03), side * sin, cos, normal(0.03)], dim=1)
    gain = 1 + normal(0.08)[:, None] + strength * 0.04 * torch.randn(batch, 3, 1, 1, generator=generator)[..., 0, 0]
    change = Change(place.view(batch, 2, 3), gain, normal(0.06))
    return replace(change, light=draw_light(batch, generator)) if light else change


def change_faces(face: Tensor, change: Change) -> Tensor:
    """The changed faces; [B,3,S,S] in −1..1 on any device, differentiable."""
    device = face.device
    face = F.grid_sample(face, _grid(face, change), mode="bicubic", padding_mode="reflection", align_corners=False)
    gain = change.gain.to(device, face.dtype, non_blocking=True)[:, :, None, None]
    offset = change.offset.to(device, face.dtype, non_blocking=True)[:, None, None, None]
    face = ((face + 1) * gain + offset - 1).clamp(-1, 1)
    return face if change.light is None else relight(face, change.light)


def change_holes(hole: Tensor, change: Change) -> Tensor:
    """Holes [B,1,S,S] moved with their faces; 0 and 1 stay 0 and 1."""
    return F.grid_sample(hole, _grid(hole, change), mode="nearest", padding_mode="border", align_corners=False)


def augment(face: Tensor, generator: torch.Generator, mirror: bool = True, light: bool = False) -> Tensor:
    """Mirror, move, zoom and turn a little, and change light and colour; face [B,3,S,S] in −1..1, on any device.

    Args:
        generator: on the CPU.
        mirror: mirror half of the faces.
        light: light them anew as well.
    """
    return change_faces(face, draw_change(len(face), generator, mirror=mirror, light=light))


def _grid(picture: Tensor, change: Change) -> Tensor:
    place = change.place.to(picture.device, picture.dtype, non_blocking=True)
    return F.affine_grid(place, list(picture.shape), align_corners=False)
