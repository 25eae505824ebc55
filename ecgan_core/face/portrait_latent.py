"""Completed faces and the pictures that they belong to: what rendering and shifting need, in memory and in a file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from ..completion import PLAIN, Completion
from ..files.latents import FaceLatent, read_latent_file
from ..files.tensors import BadFile, write_tensors
from ..words import shown
from .frame import Frame
from .light import Light
from .masks import black
from .stitch import Blend, blend_of, share_hole
from .texture import SkinTexture, visible_texture

PORTRAIT_FORMAT = "3"  # 2 knew no texture and no light, 1 one upright face in each picture
READABLE_FORMATS = ("1", "2", PORTRAIT_FORMAT)
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
KIND = "a saved EC-GAN portrait latent"
MOST_SIDES = 16  # a frame's side and place, in sides of its picture
MOST_SIDE = 2**14  # a frame's side in pixels, beyond that of its picture


@dataclass(frozen=True, eq=False)
class Place:
    """How a face goes into its picture, which is found out when somebody asks, and once for all who have the face.

    Args:
        picture, hole: [3,H,W] and [1,H,W].
        frames: of the faces in that picture.
        number: which of them this one is.
        size: the model's, in pixels.
        asked: the settings of the completion.
        skins, parts: what was found already of all faces; samples of a picture share its memory, and so these.
    """

    picture: Tensor
    hole: Tensor
    frames: Sequence[Frame]
    number: int
    size: int
    asked: Completion
    skins: dict[tuple, SkinTexture | None]
    parts: dict[tuple, list[Tensor]]

    @cached_property
    def blend(self) -> Blend:
        """Where the face is seen, and how much of it."""
        key = (self.hole.data_ptr(), *self.frames)
        if key not in self.parts:
            self.parts[key] = share_hole(self.hole, self.frames)
        return blend_of(self.parts[key][self.number], self.frames[self.number], self.asked.feather)

    @property
    def skin(self) -> SkinTexture | None:
        """The texture of the visible skin around the face; None where there is none to be given."""
        if self.asked.texture == 0:
            return None
        frame = self.frames[self.number]
        key = (self.picture.data_ptr(), self.hole.data_ptr(), frame)
        if key not in self.skins:
            self.skins[key] = visible_texture(self.picture, self.hole, frame, self.size)
        return self.skins[key]


@dataclass(frozen=True, eq=False)
class PortraitLatent:
    """A batch of pictures and the faces in them; everything that rendering and shifting need.

    Pictures and holes are counted by result, B of them; faces, frames and owners by face, F of them. The faces of a
    picture share its hole, each pixel going to one of them (`share_hole`); a picture without any stays as it is.

    Args:
        faces: the latents, F of them.
        pictures: [B,3,H,W] in 0..1, the originals.
        holes: [B,1,H,W] in 0..1, 1 = to fill; values between blend.
        frames: where in its picture each face is.
        owners: the number of the picture that each face is in; empty: there is one in each, in order.
        asked: the settings of the completion, of which rendering reads some.
        seeds: of the texture of each face; empty: all are 0.
        lights: what of the light of each face the networks do not know; empty: nothing is unusual.
    """

    faces: FaceLatent
    pictures: Tensor
    holes: Tensor
    frames: tuple[Frame, ...]
    owners: tuple[int, ...] = ()
    asked: Completion = PLAIN
    seeds: tuple[int, ...] = ()
    lights: tuple[Light, ...] = ()

    def __post_init__(self):
        count = len(self.frames)
        for name, default in (("owners", range(count)), ("seeds", [0] * count), ("lights", [Light()] * count)):
            object.__setattr__(self, name, getattr(self, name) or tuple(default))
        counts = [len(each) for each in (self.faces, self.frames, self.owners, self.seeds, self.lights)]
        if len(set(counts)) > 1:
            raise ValueError(f"there must be as many frames, owners, seeds and lights as faces, but there are {counts}")
        if not set(self.owners) <= set(range(len(self))):
            raise ValueError(f"each face must be in one of the {len(self)} pictures, but the owners are {self.owners}")

    @property
    def feather(self) -> int:
        """Pixels over which a face fades in, inside its hole."""
        return self.asked.feather

    @property
    def color_match(self) -> float:
        """How far the faces' colour follows that around the hole, 0..1 (`match_colour`)."""
        return self.asked.color_match

    def __len__(self) -> int:
        """The number of pictures."""
        return len(self.pictures)

    def __getitem__(self, index: int | slice) -> PortraitLatent:
        """Some of the pictures with their faces, always as a batch."""
        chosen = list(range(len(self)))[index]
        chosen = chosen if isinstance(chosen, list) else [chosen]
        kept = [(face, place) for place, picture in enumerate(chosen) for face in self.faces_of(picture)]
        faces = [face for face, _ in kept]
        return self._as_known(
            faces,
            faces=self.faces[faces],
            pictures=_rows(self.pictures, chosen),
            holes=_rows(self.holes, chosen),
            frames=tuple(self.frames[face] for face in faces),
            owners=tuple(place for _, place in kept),
            seeds=tuple(self.seeds[face] for face in faces),
            lights=tuple(self.lights[face] for face in faces),
        )

    def faces_of(self, picture: int) -> list[int]:
        """The numbers of the faces in a picture, the one with most of the hole first."""
        return [face for face, owner in enumerate(self.owners) if owner == picture]

    @cached_property
    def places(self) -> list[Place]:
        """How each face goes into its picture, F of them."""
        skins: dict[tuple, SkinTexture | None] = {}
        parts: dict[tuple, list[Tensor]] = {}
        of_picture: dict[int, list[Frame]] = {}
        for owner, frame in zip(self.owners, self.frames, strict=True):
            of_picture.setdefault(owner, []).append(frame)
        taken = dict.fromkeys(of_picture, -1)
        places = []
        for owner in self.owners:
            taken[owner] += 1
            picture, hole, size = self.pictures[owner], self.holes[owner], self.faces.face.shape[-1]
            places.append(Place(picture, hole, of_picture[owner], taken[owner], size, self.asked, skins, parts))
        return places

    def with_faces(self, faces: FaceLatent) -> PortraitLatent:
        """The same pictures with other latents in the same frames, which go into them in the same way."""
        return self._as_known(range(len(self.frames)), faces=faces)

    def _as_known(self, of: Sequence[int], **changes: Any) -> PortraitLatent:
        """Something else changed, but these faces go into their pictures as before: to find out how takes long."""
        other = replace(self, **changes)
        other.__dict__["places"] = [self.places[face] for face in of]  # where a cached_property has its value
        return other

    @property
    def changed(self) -> Tensor:
        """How much of each pixel is new, [B,1,H,W] in 0..1: exactly 0 where the picture is untouched."""
        changed = black(self.holes.shape, self.holes.device)
        for owner, place in zip(self.owners, self.places, strict=True):
            (rows, columns), weights = place.blend
            changed[owner, :, rows, columns] += weights  # no pixel has two faces
        return changed

    def save(self, path: str | os.PathLike) -> None:
        """Write all of it, the pictures too, as a safetensors file; 8-bit pictures stay 8-bit there."""
        tensors = {f"faces.{name}": tensor for name, tensor in self.faces.tensors().items()}
        tensors |= {"pictures": _as_bytes_if_exact(self.pictures), "holes": _as_bytes_if_exact(self.holes)}
        metadata = {
            "ecgan_portrait": PORTRAIT_FORMAT,
            "model": self.faces.model,
            "frames": json.dumps([asdict(frame) for frame in self.frames]),
            "owners": json.dumps(self.owners),
            "asked": json.dumps(asdict(self.asked)),
            "seeds": json.dumps(self.seeds),
            "lights": json.dumps([asdict(light) for light in self.lights]),
        }
        write_tensors(path, tensors, metadata)

    @classmethod
    def load(cls, path: str | os.PathLike) -> PortraitLatent:
        """Read what `save` wrote; raises `BadFile` (a ValueError) with one sentence if `path` is something else."""
        tensors, metadata = read_latent_file(path, "ecgan_portrait", KIND, READABLE_FORMATS)
        try:
            faces = {name.removeprefix("faces."): t for name, t in tensors.items() if name.startswith("faces.")}
            pictures, holes = (_as_floats(tensors[name]) for name in ("pictures", "holes"))
            latent = FaceLatent.from_tensors(faces, metadata["model"])
            _must_be_sound(latent, pictures, holes)
            frames = tuple(_frame(entry, *pictures.shape[-2:]) for entry in json.loads(metadata["frames"]))
            owners = tuple(json.loads(metadata.get("owners", "[]")))
            seeds = tuple(int(seed) for seed in json.loads(metadata.get("seeds", "[]")))
            lights = tuple(Light.from_entry(entry) for entry in json.loads(metadata.get("lights", "[]")))
            if not all(type(owner) is int for owner in owners):
                raise ValueError(f"its faces are in the pictures {owners}")
            return cls(latent, pictures.float(), holes.float(), frames, owners, _asked(metadata), seeds, lights)
        except ValueError as problem:
            raise BadFile(f"{path} is {KIND}, but a damaged one ({shown(str(problem))}); save it again") from problem
        except (KeyError, TypeError, ArithmeticError, AttributeError, RecursionError) as problem:
            raise BadFile(f"{path} is {KIND}, but a damaged one (it lacks something); save it again") from problem


def _must_be_sound(faces: FaceLatent, pictures: Tensor, holes: Tensor) -> None:
    """Raise ValueError where a file says what `save` never writes: other shapes, no numbers."""
    count, height, width = (pictures.shape[0], *pictures.shape[2:]) if pictures.ndim == 4 else (0, 0, 0)
    if not pictures.numel() or pictures.shape[1] != 3 or holes.shape != (count, 1, height, width):
        raise ValueError(f"its pictures are {list(pictures.shape)} and its holes {list(holes.shape)}")
    for name, tensor in {**faces.tensors(), "pictures": pictures, "holes": holes}.items():
        some = tensor.numel() or not len(faces)
        if not tensor.ndim or tensor.dtype not in FLOATS or not some or not torch.isfinite(tensor).all():
            raise ValueError(f"not all of its {name} are numbers")
    if holes.min() < 0 or holes.max() > 1:
        raise ValueError("its holes are not in 0..1")


def _asked(metadata: Mapping[str, str]) -> Completion:
    """What was asked of the completion, as far as a file says; an older file says two things, by name."""
    asked = json.loads(metadata.get("asked", "{}"))
    if unknown := sorted(asked.keys() - {field.name for field in fields(Completion)}):
        raise ValueError(f"it has the setting {shown(unknown[0])}, which this version does not know")
    if "asked" not in metadata:
        asked = {"feather": int(metadata["feather"]), "color_match": float(metadata.get("color_match", 0))}
    return replace(PLAIN, **asked)


def _frame(entry: dict, height: int, width: int) -> Frame:
    """A frame out of a file; one that is far too large for its picture would take memory without end."""
    frame = Frame(**entry)
    numbers = (frame.x, frame.y, frame.side)
    longest = max(height, width)
    fits = all(type(n) is int and abs(n) <= MOST_SIDES * longest for n in numbers)
    if not fits or not 1 <= frame.side <= max(longest, MOST_SIDE) or not -180 <= frame.roll <= 180:
        raise ValueError(f"a frame at {numbers}, turned by {frame.roll}, is none of a picture of {width}×{height}")
    return frame


def _rows(tensor: Tensor, chosen: list[int]) -> Tensor:
    """Some rows; those that follow each other without copying them, because pictures are large."""
    follow = chosen and chosen == list(range(chosen[0], chosen[0] + len(chosen)))
    return tensor[chosen[0] : chosen[0] + len(chosen)] if follow else tensor[chosen]


def _as_bytes_if_exact(picture: Tensor) -> Tensor:
    """uint8 when the values are those of an 8-bit picture, as they usually are, else unchanged."""
    as_bytes = (picture * 255).round().clamp(0, 255).byte()
    return as_bytes if torch.equal(_as_floats(as_bytes), picture) else picture


def _as_floats(picture: Tensor) -> Tensor:
    return picture.float() / 255 if picture.dtype == torch.uint8 else picture
