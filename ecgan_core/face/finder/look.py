"""A look at a part of a picture: a square of it, turned and scaled to what a network takes, and the way back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Look:
    """A square of a picture, in its pixels.

    Args:
        x, y: its middle.
        side: of the square.
        turn: degrees, clockwise; a head tilted by as much is upright in the look.
    """

    x: float
    y: float
    side: float
    turn: float = 0.0

    def at(self, picture: Tensor, size: int) -> Tensor:
        """What is seen of a picture [3,H,W], [3,size,size] in 0..1; beyond the picture its edge goes on.

        Of a square much larger than `size` only some pixels are read: a look costs as much in any picture.
        """
        height, width = picture.shape[-2:]
        reach = self.side / 2 * (abs(self._cos) + abs(self._sin)) + 1
        step = max(1, int(self.side / (2 * size)))  # then up to 4 pixels of what is read for each that is seen
        rows, columns = (_reached(c, reach, n, step) for c, n in ((self.y, height), (self.x, width)))
        part = picture[None, :, rows, columns].float().contiguous()  # frames of a clip may have their channels last
        pooled = min(max(1, int(self.side / (step * size))), *part.shape[-2:])
        if pooled > 1:
            part = F.avg_pool2d(part, pooled)
        each = step * pooled
        # `affine_grid` counts both pictures from −1 to 1.
        half_height, half_width = (n * each / 2 for n in part.shape[-2:])
        across = (self.x - columns.start + (step - 1) / 2) / half_width - 1
        down = (self.y - rows.start + (step - 1) / 2) / half_height - 1
        cos, sin, half = self._cos, self._sin, self.side / 2
        theta = torch.tensor(
            [
                [half * cos / half_width, -half * sin / half_width, across],
                [half * sin / half_height, half * cos / half_height, down],
            ]
        )
        grid = F.affine_grid(theta[None].to(part), [1, 3, size, size], align_corners=False)
        return F.grid_sample(part, grid, mode="bilinear", padding_mode="border", align_corners=False)[0].clamp_(0, 1)

    def in_picture(self, points: Tensor, size: int) -> Tensor:
        """Where points [...,2] of what is seen at `size` (across, down) are in the picture."""
        across, down = (points * (self.side / size) - self.side / 2).unbind(-1)
        x = self.x + across * self._cos - down * self._sin
        y = self.y + across * self._sin + down * self._cos
        return torch.stack([x, y], dim=-1)

    @property
    def _cos(self) -> float:
        return math.cos(math.radians(self.turn))

    @property
    def _sin(self) -> float:
        return math.sin(math.radians(self.turn))


def seen(picture: Tensor, looks: Sequence[Look], size: int) -> Tensor:
    """What several looks see of a picture [3,H,W], [B,3,size,size] in 0..1, on the CPU."""
    return torch.stack([look.at(picture, size).cpu() for look in looks]).contiguous(memory_format=torch.channels_last)


def turned(look: Look) -> list[Look]:
    """The same look from the three other sides."""
    return [replace(look, turn=look.turn + turn) for turn in (90.0, 180.0, 270.0)]


def _reached(centre: float, reach: float, end: int, step: int) -> slice:
    """Every `step`-th pixel of one axis that a look reaches; at least one, the nearest, where it reaches none."""
    start = min(max(math.floor(centre - reach), 0), end - 1)
    stop = min(max(math.ceil(centre + reach), start + 1), end)
    return slice(start, stop, step)
