"""A step's random numbers: drawn on the CPU for the whole batch, so that neither device nor processes change them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Chance:
    """The source of a step's random numbers, of which one of `processes` processes keeps its own share.

    Each process holds every `processes`-th item of the batch, beginning with its own number. All of them draw the same
    numbers, for the whole batch, and keep those of their own items: a face meets the same noise however many processes
    share the work, on every device.
    """

    generator: torch.Generator  # on the CPU
    process: int = 0
    processes: int = 1

    def share(self, whole: Tensor) -> Tensor:
        """This process's items of something [N·processes, …] that was drawn for the whole batch: [N, …]."""
        return whole[self.process :: self.processes]

    def normal(self, items: int, *shape: int) -> Tensor:
        """Standard normal numbers [items, *shape] on the CPU, `items` being those of this process."""
        return self.share(torch.randn(items * self.processes, *shape, generator=self.generator))

    def uniform(self, items: int, *shape: int) -> Tensor:
        """Numbers [items, *shape] in 0..1 on the CPU."""
        return self.share(torch.rand(items * self.processes, *shape, generator=self.generator))

    def normal_like(self, tensor: Tensor) -> Tensor:
        """Standard normal numbers of the shape, dtype and device of `tensor`, whose first dimension is its items."""
        return self.normal(*tensor.shape).to(tensor.device, tensor.dtype, non_blocking=True)

    def whole_numbers(self, below: int, count: int) -> list[int]:
        """`count` numbers of 0 … below − 1, the same in every process."""
        return [int(n) for n in torch.randint(below, (count,), generator=self.generator)]
