"""What a run says while it trains: one dry line with the speed, the time left and the losses."""

from __future__ import annotations

import time
from collections.abc import Mapping

import torch
from torch import Tensor

FIRST_WORD = 20.0  # seconds after which the first line comes, however far away the next one is
SHOWN = {
    "appearance": "appearance",
    "perceptual": "perceptual",
    "mutual_information": "information",
    "diversity": "diversity",
    "kl": "KL",
    "adversarial": "G",
    "discriminator": "D",
    "emotion": "Q",
}  # term → its name in the status line


class Tally:
    """Sums of loss terms since the last line, kept on the device: reading a number makes a graphics card wait."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin again with nothing."""
        self.names: list[str] = []
        self.total: Tensor | None = None
        self.steps = 0
        self.started = time.monotonic()

    def add(self, terms: Mapping[str, Tensor]) -> None:
        """Add one step's terms; a term that comes and goes counts in the steps that have it."""
        if self.names != list(terms):
            if self.total is not None:  # the weights changed, and another loss with them
                self.total, self.steps, self.started = None, 0, time.monotonic()
            self.names = list(terms)
        values = torch.stack([value.detach().float() for value in terms.values()])
        self.total = values if self.total is None else self.total + values
        self.steps += 1

    def means(self) -> Tensor:
        """Mean of every term, in the order of `names`, on the device."""
        assert self.total is not None, "nothing was added yet"
        return self.total / self.steps

    def rate(self, batch: int) -> float:
        """Images a second, saving and drawing included."""
        return self.steps * batch / max(1e-9, time.monotonic() - self.started)


def status_line(images: int, total: int, values: Mapping[str, float]) -> str:
    """`values` are the terms' means and `images_per_second`."""
    rate = values["images_per_second"]
    losses = "  ".join(f"{short} {values[name]:.3f}" for name, short in SHOWN.items() if name in values)
    return f"{images:>9,} of {total:,} images  {rate:.1f}/s  {duration((total - images) / rate)} left  {losses}"


def duration(seconds: float) -> str:
    """2 h 05 min, 12 min, or 40 s."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"
