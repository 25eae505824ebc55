"""Codes: a label c of m entries becomes z_e = f(c) of d entries by replication (EC-GAN, section 3.2).

And how well a direction in the space of codes tells two groups of faces apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


def replicate(c: Tensor, channels: int) -> Tensor:
    """z_e = f(c): the label c [..., m] repeated until it fills [..., channels]; entry k is c[..., k mod m]."""
    index = torch.arange(channels, device=c.device) % c.shape[-1]
    return c[..., index]


@dataclass(frozen=True)
class SeparationReport:
    """How far faces of an emotion lie from neutral ones along a direction, 0 = the neutral mean, 1 = the vector's tip.

    `d_prime` is the distance of the means in standard deviations (nan when there is no spread to measure it by),
    `accuracy` the share of faces on their own side of the midpoint, both groups counting alike. A `neutral_count` of 0
    is the model's own neutral.
    """

    mean: float
    std: float
    count: int
    neutral_mean: float
    neutral_std: float
    neutral_count: int
    d_prime: float
    accuracy: float

    def __str__(self) -> str:
        against = f"{self.neutral_count} neutral one{'s' * (self.neutral_count > 1)}"
        against = against if self.neutral_count else "the model's own neutral"
        faces = f"{self.count} faces" if self.count != 1 else "1 face"
        text = f"{faces} against {against}: {self.accuracy:.0%} lie on their own side of the midpoint"
        if math.isnan(self.d_prime):
            return f"{text}. Give several different pictures to learn how reliable that is."
        if self.d_prime >= 2 and self.accuracy >= 0.9:
            verdict = "The vector separates the emotion well."
        elif self.d_prime >= 1 and self.accuracy >= 0.7:
            verdict = "The vector separates the emotion, but the two groups overlap; clearer pictures would help."
        else:
            verdict = "The model hardly tells these faces from neutral ones; use clearer pictures, or more of them."
        return f"{text}, {self.d_prime:.1f} standard deviations apart. {verdict}"


def separation(codes: Tensor, neutral_codes: Tensor, direction: Tensor) -> SeparationReport:
    """Project codes [N,d] and neutral codes [M,d] onto `direction` [d] and say how well it tells them apart."""
    codes, neutral_codes, direction = (t.detach().to("cpu", torch.float64) for t in (codes, neutral_codes, direction))
    axis = direction / direction.square().sum().clamp(min=1e-12)
    origin = neutral_codes.mean(dim=0)
    emotion, neutral = (codes - origin) @ axis, (neutral_codes - origin) @ axis
    middle = (emotion.mean() + neutral.mean()) / 2

    spreads = [group.var() for group in (emotion, neutral) if len(group) > 1]
    pooled = torch.stack(spreads).mean().sqrt() if spreads else torch.tensor(float("nan"))
    gap = emotion.mean() - neutral.mean()
    accuracy = ((emotion > middle).double().mean() + (neutral <= middle).double().mean()) / 2
    return SeparationReport(
        mean=emotion.mean().item(),
        std=emotion.std(unbiased=False).item(),
        count=len(emotion),
        neutral_mean=neutral.mean().item(),
        neutral_std=neutral.std(unbiased=False).item(),
        neutral_count=len(neutral),
        d_prime=(gap / pooled.clamp(min=1e-9)).item(),
        accuracy=accuracy.item(),
    )
