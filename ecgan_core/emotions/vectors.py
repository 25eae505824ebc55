"""Emotion vectors: directions in a model's code space. Editing is linear: z' = z + α·v. They add and travel."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..files.tensors import BadFile, read_header, read_tensors, write_tensors
from ..words import shown

VECTOR_FORMAT = "1"


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
