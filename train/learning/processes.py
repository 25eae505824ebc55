"""What several processes have to do together, so that they train as one would: all of it does nothing in one."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


class _Sum(torch.autograd.Function):
    """The sum of a tensor over all processes, differentiable: its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        total = tensor.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradient: Tensor) -> Tensor:
        total = gradient[0].clone()
        dist.all_reduce(total)
        return total


class SharedBatchNorm(nn.BatchNorm2d):
    """BatchNorm whose mean and variance are those of the whole batch, not of one process's share of it.

    `torch.nn.SyncBatchNorm` does the same, but only on graphics cards.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        x, axes = input.float(), (0, 2, 3)
        count = x.numel() / x.shape[1] * dist.get_world_size()
        mean = _Sum.apply(x.sum(axes)) / count
        centred = x - mean[:, None, None]
        variance = _Sum.apply(centred.square().sum(axes)) / count
        with torch.no_grad():
            assert self.running_mean is not None
            assert self.running_var is not None
            assert self.num_batches_tracked is not None
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum or 0.0)
            self.running_var.lerp_(variance * count / max(1, count - 1), self.momentum or 0.0)
        scaled = centred * (variance + self.eps).rsqrt()[:, None, None]
        return (scaled * self.weight[:, None, None] + self.bias[:, None, None]).to(input.dtype)


def share_batch_norm(network: nn.Module) -> None:
    """Let every BatchNorm in `network` see the whole batch from now on; parameters and buffers stay the same."""
    if in_several():
        for module in network.modules():
            if type(module) is nn.BatchNorm2d:
                module.__class__ = SharedBatchNorm


def equalise(networks: Iterable[nn.Module]) -> None:
    """Give every process the first one's weights and buffers."""
    if in_several():
        for network in networks:
            for tensor in network.state_dict().values():
                sent = tensor.contiguous()
                dist.broadcast(sent, 0)
                tensor.copy_(sent)


def gather(tensor: Tensor) -> Tensor:
    """A tensor [N, …] of every process, one after the other: [N·processes, …]."""
    if not in_several():
        return tensor
    parts = [torch.empty_like(tensor) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, tensor.contiguous())
    return torch.cat(parts)


def weight_share(weight: Tensor) -> Tensor | float:
    """How much this process's share of a weighted mean counts, 1 on average over the processes.

    A mean weighted by `weight` that each process takes of its own items, times this, averages to that of all items.
    """
    if not in_several():
        return 1.0
    return weight.sum() / gather(weight.sum()[None]).mean().clamp(min=1e-12)  # there may be no item that counts


def settle(seconds: float = 0.5) -> None:
    """Call before the process group is let go, or it may wait for ever for its own threads.

    A thread of gloo that has done its work still has to drop the tensors, for which it needs the interpreter; the
    group's destructor keeps the interpreter while it waits for the thread. Asleep, this thread lends it out. A barrier
    is not enough: it returns before the threads have dropped what came before.
    """
    if in_several():
        time.sleep(seconds)


def in_several() -> bool:
    """Whether there is more than one process."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
