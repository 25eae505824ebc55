"""Masks of many pictures, which are black but for a face: in a clip they would take as much memory as a third of it."""

from __future__ import annotations

import mmap
from math import prod

import torch
from torch import Tensor


def black(shape: tuple[int, ...] | torch.Size, device: torch.device | str = "cpu") -> Tensor:
    """Zeros float32 [shape], as `torch.zeros` makes them, that take main memory only where something is written.

    `torch.zeros` writes its zeros. Pages of memory that nobody wrote to are zero as well and take none.
    """
    size = prod(shape) * torch.float32.itemsize
    if not size or torch.device(device).type != "cpu":
        return torch.zeros(shape, device=device)
    # By default the pages are shared with child processes, and shared ones take memory as soon as they are read.
    private = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
    return torch.frombuffer(mmap.mmap(-1, size, **private), dtype=torch.float32).reshape(shape)
