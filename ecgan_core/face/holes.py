"""Hole generators: the ways in which a face loses a part of itself.

A hole is float [B,1,S,S], **1 = to fill**. All generators draw from a given `torch.Generator`, so that a batch of holes
is a pure function of its seed: the numbers are drawn on the CPU, the pixels are made on any `device`. Places are given
in the model's frame (see `frame`), as shares of its side.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from ..words import finite, shown

LEAST, MOST = 1e-20, 1e30  # the sum of hole frequencies, which are relative: torch draws by float32

# x0, y0, x1, y1 of each region of the face, as shares of the side
REGIONS = {
    "whole face": (0.17, 0.20, 0.83, 0.93),
    "lower face": (0.20, 0.50, 0.80, 0.93),
    "upper face": (0.17, 0.18, 0.83, 0.52),
    "eyes": (0.20, 0.25, 0.80, 0.46),
    "mouth": (0.30, 0.57, 0.70, 0.79),
}


def uniform(generator: torch.Generator, batch: int, low: float, high: float) -> Tensor:
    """`batch` numbers [B,1,1] in low..high."""
    return low + (high - low) * torch.rand(batch, 1, 1, generator=generator)


def pixel_grid(size: int, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
    """x [1,1,S] and y [1,S,1] of the pixel centres, 0..1."""
    centres = (torch.arange(size, device=device) + 0.5) / size
    return centres.view(1, 1, -1), centres.view(1, -1, 1)


def region(
    name: str,
    batch: int,
    size: int,
    generator: torch.Generator,
    jitter: float = 0.04,
    device: torch.device | str = "cpu",
) -> Tensor:
    """A region of the face, as a box or an ellipse, each of its edges moved by up to ±`jitter` of the side.

    With jitter 0 it is the plain box, the same for all: the hole that evaluation uses.
    """
    x, y = pixel_grid(size, device)
    edges = [edge + uniform(generator, batch, -jitter, jitter) for edge in REGIONS[name]]
    x0, y0, x1, y1 = moved(device, *edges)
    across, down = (2 * x - x0 - x1) / (x1 - x0), (2 * y - y0 - y1) / (y1 - y0)  # −1..1 inside the box
    inside_box = torch.maximum(across.abs(), down.abs()) <= 1
    if jitter == 0:
        return inside_box.float()[:, None]
    inside_ellipse = across**2 + down**2 <= 1.25  # a little over the box's own ellipse, to cover its corners too
    (as_box,) = moved(device, uniform(generator, batch, 0, 1) < 0.5)
    return torch.where(as_box, inside_box, inside_ellipse).float()[:, None]


def box(batch: int, size: int, generator: torch.Generator, device: torch.device | str = "cpu") -> Tensor:
    """A box anywhere, each side 20 to 55 % of the picture's."""
    x, y = pixel_grid(size, device)
    width, height = (uniform(generator, batch, 0.20, 0.55) for _ in range(2))
    x0, y0 = (uniform(generator, batch, 0, 1) * (1 - extent) for extent in (width, height))
    x0, y0, width, height = moved(device, x0, y0, width, height)
    return ((x >= x0) & (x <= x0 + width) & (y >= y0) & (y <= y0 + height)).float()[:, None]


def strokes(
    batch: int, size: int, generator: torch.Generator, segments: int = 9, device: torch.device | str = "cpu"
) -> Tensor:
    """What a brush leaves: a random walk of straight segments, 5 to 12 % of the side thick, over the face."""
    x, y = pixel_grid(size, device)
    (radius,) = moved(device, uniform(generator, batch, 0.025, 0.06))
    px, py = uniform(generator, batch, 0.25, 0.75), uniform(generator, batch, 0.25, 0.85)
    angle = uniform(generator, batch, 0, 2 * math.pi)
    hole = torch.zeros(batch, size, size, dtype=torch.bool, device=device)
    for _ in range(segments):
        angle = angle + uniform(generator, batch, -1.6, 1.6)
        length = uniform(generator, batch, 0.08, 0.3)
        dx, dy = length * torch.cos(angle), length * torch.sin(angle)
        from_x, from_y, by_x, by_y, length2 = moved(device, px, py, dx, dy, length**2)
        along = (((x - from_x) * by_x + (y - from_y) * by_y) / length2).clamp(0, 1)  # the point nearest to each pixel
        distance2 = (x - from_x - along * by_x) ** 2 + (y - from_y - along * by_y) ** 2
        hole |= distance2 <= radius**2
        px, py = (px + dx).clamp(0.12, 0.88), (py + dy).clamp(0.12, 0.95)
    return hole.float()[:, None]


def moved(device: torch.device | str, *tensors: Tensor) -> list[Tensor]:
    """Small tensors on a device, without waiting for it."""
    return [tensor.to(device, non_blocking=True) for tensor in tensors]


def hole_kind(name: str) -> Callable[..., Tensor]:
    """The generator (batch, size, generator, device="cpu") → holes: a name of `REGIONS`, "box" or "strokes"."""
    if name in REGIONS:
        return partial(region, name)
    anywhere: dict[str, Callable[..., Tensor]] = {"box": box, "strokes": strokes}
    if name in anywhere:
        return anywhere[name]
    raise ValueError(
        f"there is no hole of kind {shown(name)}; known kinds are: {', '.join([*REGIONS, 'box', 'strokes'])}"
    )


def sample_holes(
    mix: dict[str, float], batch: int, size: int, generator: torch.Generator, device: torch.device | str = "cpu"
) -> Tensor:
    """Holes [B,1,S,S] whose kinds are drawn with the relative frequencies of `mix`, as {"mouth": 1, "strokes": 2}.

    Raises:
        ValueError: a kind is unknown, or no frequency is above 0.
    """
    kinds = [hole_kind(name) for name in mix]
    shares = [finite(f"the frequency of {name!r}", share) for name, share in mix.items()]
    if min(shares, default=0) < 0 or not LEAST < sum(shares) < MOST:
        raise ValueError(f"hole frequencies must not be negative and one must be above 0, but they are {shown(mix)}")
    frequencies = torch.tensor(shares, dtype=torch.float32)
    choice = torch.multinomial(frequencies, batch, replacement=True, generator=generator)
    holes = torch.zeros(batch, 1, size, size, device=device)
    for i, kind in enumerate(kinds):
        chosen = choice == i
        if chosen.any():
            holes[chosen] = kind(int(chosen.sum()), size, generator, device=device)
    return holes
