"""Emotions as data: the set of a model's emotions, their codes, and directions between them.

A model's emotions have names, an order and a neutral one; nothing here knows how many there are. A label c of m entries
becomes the code z_e = f(c) of d entries by replication (EC-GAN, section 3.2). An `EmotionVector` is a direction in code
space, and editing is linear: z' = z + α·v.
"""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..files.tensors import BadFile, read_header, read_tensors, write_tensors
from ..words import shown

VECTOR_FORMAT = "1"


def replicate(c: Tensor, channels: int) -> Tensor:
    """z_e = f(c): the label c [..., m] repeated until it fills [..., channels]; entry k is c[..., k mod m]."""
    index = torch.arange(channels, device=c.device) % c.shape[-1]
    return c[..., index]


class UnknownEmotion(ValueError):
    """An emotion that the model does not have; the text lists those it has."""

    def __init__(self, name: str, known: tuple[str, ...]):
        near = difflib.get_close_matches(str(name)[:80].lower(), known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        super().__init__(f"this model has no emotion {shown(name)}; it knows {', '.join(known)}{hint}")
        self.name, self.known = name, known


@dataclass(frozen=True)
class EmotionSet:
    """The emotions of a model: `names` in the order of its labels, and which of them is `neutral`, the origin.

    Raises:
        ValueError: no names, a name twice or empty, or a neutral that is not among them.
    """

    names: tuple[str, ...]
    neutral: str

    def __post_init__(self):
        object.__setattr__(self, "names", tuple(self.names))
        if not self.names or any(not isinstance(name, str) or not name.strip() for name in self.names):
            raise ValueError(f"an emotion set needs at least one name and no empty ones, but it is {list(self.names)}")
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"each emotion may be named only once, but the set is {', '.join(self.names)}")
        if self.neutral not in self.names:
            raise ValueError(f"the neutral emotion {self.neutral!r} is not one of {', '.join(self.names)}")

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """The place of `name` in a label; raises `UnknownEmotion`, which lists the known names."""
        if name not in self.names:
            raise UnknownEmotion(name, self.names)
        return self.names.index(name)


@dataclass(frozen=True, eq=False)
class EmotionVector:
    """A direction in a model's code space, from neutral towards an emotion.

    Vectors of one model add, subtract and scale: `0.6 * happy + 0.4 * surprised` is a blend. A vector means nothing to
    another model, so mixing vectors of two models raises ValueError.

    Args:
        name: what artists see.
        direction: [d] float32 on the CPU (converted if it is not).
        model: the fingerprint of the model it belongs to (`ECGANPipeline.fingerprint`).
    """

    name: str
    direction: Tensor
    model: str

    def __post_init__(self):
        if not isinstance(self.name, str) or (
            not self.name.isascii() and any("\ud800" <= c <= "\udfff" for c in self.name)
        ):
            raise ValueError(f"an emotion cannot be called {shown(self.name)}; give it a name of letters")
        direction = self.direction.detach().to("cpu", torch.float32)
        if direction.ndim != 1 or not torch.isfinite(direction).all():
            raise ValueError(f"the emotion vector {shown(self.name)} must be one row of finite numbers")
        object.__setattr__(self, "direction", direction)

    def __add__(self, other: EmotionVector) -> EmotionVector:
        if not isinstance(other, EmotionVector):
            return NotImplemented
        return self._combined(f"{self.name} + {other.name}", other, 1)

    def __sub__(self, other: EmotionVector) -> EmotionVector:
        if not isinstance(other, EmotionVector):
            return NotImplemented
        return self._combined(f"{self.name} - {other._as_factor()}", other, -1)

    def __mul__(self, strength: float) -> EmotionVector:
        if not isinstance(strength, (int, float)):
            return NotImplemented
        return EmotionVector(f"{strength:g} {self._as_factor()}", self.direction * strength, self.model)

    __rmul__ = __mul__

    def __neg__(self) -> EmotionVector:
        return EmotionVector(f"-{self._as_factor()}", -self.direction, self.model)

    def _as_factor(self) -> str:
        """The name, in brackets if it is that of a sum: -(happy + sad)."""
        return f"({self.name})" if " + " in self.name or " - " in self.name else self.name

    def _combined(self, name: str, other: EmotionVector, sign: int) -> EmotionVector:
        if self.model != other.model:
            raise ValueError(
                f"the emotion vectors {self.name!r} and {other.name!r} belong to two different models "
                f"({self.model} and {other.model}) and cannot be mixed; make both with the same model"
            )
        return EmotionVector(name, self.direction + sign * other.direction, self.model)

    def save(self, path: str | os.PathLike, put: Callable[[str, str], None] = os.replace) -> None:
        """Write the vector as a safetensors file to share; `put` is as in `files.replacing`."""
        metadata = {"ecgan_vector": VECTOR_FORMAT, "name": self.name, "model": self.model}
        write_tensors(path, {"direction": self.direction}, metadata, put)

    @classmethod
    def load(cls, path: str | os.PathLike) -> EmotionVector:
        """Read a vector that `save` wrote; raises `BadFile` (a ValueError) with one sentence if it is none."""
        kind = "an emotion vector"
        header = read_header(path, kind)
        version = header.metadata.get("ecgan_vector")
        if version is None or "direction" not in header.shapes:
            raise BadFile(f"{path} is not {kind}: it is a safetensors file of something else")
        if version != VECTOR_FORMAT:
            raise BadFile(f"{path} has emotion vector format {version}, newer than this version reads; update the pack")
        direction = read_tensors(path, kind, header=header)["direction"]
        try:
            return cls(header.metadata.get("name", "unnamed"), direction, header.metadata.get("model", ""))
        except (ValueError, RuntimeError) as problem:
            raise BadFile(f"{path} is {kind}, but a damaged one: {problem}; save or download it again") from problem


def mix(start: EmotionVector, parts: Iterable[tuple[float, EmotionVector]]) -> EmotionVector:
    """start + Σ weight · vector, named after what is in it: "0.6 happy + 0.4 sad".

    Weights of 0 leave their vector out, and so does a start of length 0, such as the vector of neutral, unless nothing
    else is there.

    Raises:
        ValueError: the vectors belong to different models.
    """
    mixed = start
    for weight, vector in parts:
        if weight == 0:
            continue
        part = vector if abs(weight) == 1 else abs(weight) * vector
        if not mixed.direction.any():
            mixed = part if weight > 0 else -part
        else:
            mixed = mixed + part if weight > 0 else mixed - part
    return mixed


@dataclass(frozen=True)
class SeparationReport:
    """How far faces of an emotion lie from neutral ones along a direction, 0 = the neutral mean, 1 = the vector's tip.

    `d_prime` is the distance of the means in standard deviations (nan when there is no spread to measure it by),
    `accuracy` the share of faces on their own side of the midpoint, both groups counting alike.
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
        against = f"{self.neutral_count} neutral ones" if self.neutral_count > 1 else "the model's own neutral"
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
