"""What the generator needs to draw a face again: the latent that completing returns and that shifts move."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from .tensors import BadFile, must_be_finite, read_header, read_tensors, write_tensors

LATENT_FORMAT = "1"


@dataclass(frozen=True, eq=False)
class FaceLatent:
    """A batch of faces in latent form. Nothing changes one in place: hosts keep them in caches.

    Args:
        z: latent code of the content [B,d,h,w].
        code: emotion code z_e [B,d], float32 whatever the model's precision, so that many small shifts add up exactly.
        features: the encoder's, of the visible part, fine to coarse.
        face: the crop [B,3,S,S] float32 in −1..1.
        hole: [B,1,S,S] float32, 0 or 1, 1 = to fill.
        model: fingerprint of the model that made it; "" if unknown.
    """

    z: Tensor
    code: Tensor
    features: tuple[Tensor, ...]
    face: Tensor
    hole: Tensor
    model: str = ""

    def __len__(self) -> int:
        return self.z.shape[0]

    def __getitem__(self, index: int | slice | Sequence[int]) -> FaceLatent:
        """Some of the faces, always as a batch: `latent[2]` has one face."""
        if isinstance(index, int):
            index = [range(len(self))[index]]  # negative counts from the end, beyond the end raises IndexError
        if not isinstance(index, slice):
            index = _as_slice(list(index), len(self))
        return self._map(lambda tensor: tensor[index])

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> FaceLatent:
        """Move to a device; `dtype` casts what the networks read, never the crop, whose pixels have to stay exact."""
        moved = self._map(lambda tensor: tensor.to(device))
        return replace(moved, z=moved.z.to(dtype), features=tuple(f.to(dtype) for f in moved.features))

    @classmethod
    def cat(cls, latents: Sequence[FaceLatent]) -> FaceLatent:
        """One batch out of several."""
        first = latents[0]
        if len(latents) == 1:
            return first
        levels = zip(*(latent.features for latent in latents), strict=True)
        joined = {f.name: torch.cat([getattr(latent, f.name) for latent in latents]) for f in first._tensor_fields()}
        return cls(**joined, features=tuple(torch.cat(level) for level in levels), model=first.model)

    @classmethod
    def gathered(
        cls, parts: Iterable[tuple[Sequence[int], FaceLatent]], count: int, device: torch.device | str
    ) -> FaceLatent:
        """One batch of `count` faces on a device, out of some that come with their numbers in it, each face once.

        Never are there more in memory than the batch and the part that came last; `cat` would have all of them twice.
        """
        whole: FaceLatent | None = None
        for numbers, part in parts:
            part = part.to(device)
            if list(numbers) == list(range(count)):
                whole = part
                continue
            if whole is None:  # `cat` keeps the order of values in memory, by which a network rounds
                whole = part._map(lambda tensor: torch.cat([tensor[:1]] * count))
            for tensor, of_part in zip(whole.tensors().values(), part.tensors().values(), strict=True):
                tensor[list(numbers)] = of_part
        assert whole is not None, "there is at least one part"
        return whole

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by the names that they have in a file."""
        named = {f.name: getattr(self, f.name) for f in self._tensor_fields()}
        return named | {f"features.{i}": feature for i, feature in enumerate(self.features)}

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor], model: str) -> FaceLatent:
        """The inverse of `tensors`; raises KeyError if one is missing, and ValueError if they do not fit together."""
        count = sum(name.startswith("features.") for name in tensors)
        features = tuple(tensors[f"features.{i}"] for i in range(count))
        latent = cls(tensors["z"], tensors["code"], features, tensors["face"], tensors["hole"], model)
        latent._must_fit_together()
        return latent

    def save(self, path: str | os.PathLike) -> None:
        """Write the latent as a safetensors file; the crop of the picture is in it."""
        write_tensors(path, self.tensors(), {"ecgan_latent": LATENT_FORMAT, "model": self.model})

    @classmethod
    def load(cls, path: str | os.PathLike) -> FaceLatent:
        """Read a latent that `save` wrote; raises `BadFile` (a ValueError) with one sentence if it is none."""
        tensors, metadata = read_latent_file(path, "ecgan_latent", "a saved EC-GAN latent")
        try:
            return cls.from_tensors(tensors, metadata.get("model", ""))
        except KeyError as missing:
            raise BadFile(f"{path} is not a saved EC-GAN latent: it has no tensor {missing}") from None
        except ValueError as problem:
            raise BadFile(f"{path} is a saved EC-GAN latent, but a damaged one ({problem}); save it again") from None

    def _must_fit_together(self) -> None:
        """Raise ValueError unless all tensors are of as many faces, and of the dimensions that they should have."""
        for name, tensor in self.tensors().items():
            dimensions = 2 if name == "code" else 4
            if tensor.ndim != dimensions or len(tensor) != len(self.face) or not tensor.is_floating_point():
                raise ValueError(f"its tensor {name} is {list(tensor.shape)}, which does not fit the others")
        side = self.face.shape[-1]
        if self.face.shape[1:] != (3, side, side) or self.hole.shape[1:] != (1, side, side):
            raise ValueError(f"face and hole are {list(self.face.shape)} and {list(self.hole.shape)}")
        if self.code.shape[1] != self.z.shape[1] or not self.features:
            raise ValueError("its code, latent and features are not of one model")

    def _map(self, change) -> FaceLatent:
        changed = {f.name: change(getattr(self, f.name)) for f in self._tensor_fields()}
        return replace(self, **changed, features=tuple(change(feature) for feature in self.features))

    @classmethod
    def _tensor_fields(cls):
        return [f for f in fields(cls) if f.name not in ("features", "model")]


def _as_slice(index: list[int], count: int) -> slice | list[int]:
    """Of `count` faces those that follow each other, as a slice, for which nothing is copied; others as they are."""
    if index and index == list(range(count))[index[0] : index[0] + len(index)]:
        return slice(index[0], index[0] + len(index))
    return index


def read_latent_file(
    path: str | os.PathLike, key: str, kind: str, formats: Sequence[str] = (LATENT_FORMAT,)
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a file whose metadata must have one of the formats under `key`; raises `BadFile`."""
    header = read_header(path, kind)
    version = header.metadata.get(key)
    if version is None:
        raise BadFile(f"{path} is not {kind}: it is a safetensors file of something else")
    if version not in formats:
        raise BadFile(f"{path} has latent format {version}, newer than this version reads; update the pack")
    tensors = read_tensors(path, kind, header=header)
    must_be_finite(tensors, path, kind)
    return tensors, header.metadata
