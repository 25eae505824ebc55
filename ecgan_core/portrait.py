"""A face in its picture: find it, complete it, put it back. What the command line and the ComfyUI nodes share."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .emotions import EmotionVector
from .faces import (
    Box,
    Frame,
    NoFaceFound,
    blend_weights,
    choose_face,
    crop,
    find_faces,
    frame_of_face,
    frame_of_image,
    stitch,
)
from .files import BadFile, write_tensors
from .latent import LATENT_FORMAT, FaceLatent, read_latent_file
from .pipeline import PARTLY_MISSING, ECGANPipeline

FACES_AT_ONCE = 8  # bounds the memory that a large batch takes, and sets how often progress is reported
FACE_CHOICES = ("auto", "whole image")
KIND = "a saved EC-GAN portrait latent"

OnStep = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class PortraitLatent:
    """A batch of faces and the pictures that they belong to; everything that rendering and shifting need.

    Args:
        faces: the latents, B of them.
        pictures: [B,3,H,W] in 0..1, the originals.
        holes: [B,1,H,W] in 0..1, 1 = to fill; values between blend.
        frames: where in its picture each face is.
        feather: pixels over which a face fades in, inside its hole.
    """

    faces: FaceLatent
    pictures: Tensor
    holes: Tensor
    frames: tuple[Frame, ...]
    feather: int = 0

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int | slice) -> PortraitLatent:
        """Some of the portraits, always as a batch."""
        chosen = list(range(len(self)))[index]
        chosen = chosen if isinstance(chosen, list) else [chosen]
        frames = tuple(self.frames[i] for i in chosen)
        return replace(
            self, faces=self.faces[chosen], pictures=self.pictures[chosen], holes=self.holes[chosen], frames=frames
        )

    @property
    def changed(self) -> Tensor:
        """How much of each pixel is new, [B,1,H,W] in 0..1: exactly 0 where the picture is untouched."""
        weights = [
            blend_weights(hole, frame, self.feather) for hole, frame in zip(self.holes, self.frames, strict=True)
        ]
        return torch.stack(weights)

    def save(self, path: str | os.PathLike) -> None:
        """Write all of it, the pictures too, as a safetensors file; 8-bit pictures stay 8-bit there."""
        tensors = {f"faces.{name}": tensor for name, tensor in self.faces.tensors().items()}
        tensors |= {"pictures": _as_bytes_if_exact(self.pictures), "holes": _as_bytes_if_exact(self.holes)}
        metadata = {
            "ecgan_portrait": LATENT_FORMAT,
            "model": self.faces.model,
            "frames": json.dumps([asdict(frame) for frame in self.frames]),
            "feather": str(self.feather),
        }
        write_tensors(path, tensors, metadata)

    @classmethod
    def load(cls, path: str | os.PathLike) -> PortraitLatent:
        """Read what `save` wrote; raises `BadFile` (a ValueError) with one sentence if `path` is something else."""
        tensors, metadata = read_latent_file(path, "ecgan_portrait", KIND)
        try:
            faces = {name.removeprefix("faces."): t for name, t in tensors.items() if name.startswith("faces.")}
            pictures, holes = (_as_floats(tensors[name]) for name in ("pictures", "holes"))
            frames = tuple(Frame(**frame) for frame in json.loads(metadata["frames"]))
            latent = FaceLatent.from_tensors(faces, metadata["model"])
            return cls(latent, pictures, holes, frames, int(metadata["feather"]))
        except (KeyError, TypeError, ValueError) as problem:
            raise BadFile(f"{path} is {KIND}, but a damaged one ({problem}); save it again") from problem


def complete_portraits(
    pipeline: ECGANPipeline,
    pictures: Tensor,
    holes: Tensor,
    *,
    emotion: str | None = None,
    strength: float = 1.0,
    seeds: int | Sequence[int] = 0,
    variation: float = 1.0,
    face: str = "auto",
    boxes: Box | Sequence[Box | None] | None = None,
    samples: int = 1,
    feather: int = 8,
    on_step: OnStep | None = None,
) -> PortraitLatent:
    """Complete one face in each picture, `samples` times; the samples of the first picture come first.

    Args:
        pipeline: the model.
        pictures: [N,3,H,W] in 0..1.
        holes: [M,1,h,w] in 0..1, 1 = to fill. One hole serves all pictures and one picture all holes; a hole of another
            size but the same proportions is scaled to its picture.
        emotion, strength, variation: as in `ECGANPipeline.complete`.
        seeds: of the samples: as many as there are samples, the same ones for every picture; or one for each result. A
            single number n stands for n, n + 1, n + 2 …
        face: "auto" finds it, "whole image" takes the picture as one face.
        boxes: the faces, where the caller knows them (forehead to chin): one for all pictures, or one or None for each.
        feather: pixels over which the face fades in, inside the hole.
        on_step: called as on_step(done, total) while faces are completed; may raise to stop.

    Raises:
        NoFaceFound: there is no face, or none near the hole.
        UnknownEmotion: this model has no such emotion.
        ValueError: pictures and holes do not fit each other, or there is nothing to fill.
    """
    pictures, holes = _matched(pictures, holes)
    if emotion is not None:
        pipeline.emotion_set.index(emotion)  # complain before the search for faces, not after
    frames = _frames(pictures, holes, face, boxes)
    seeds = _seeds(seeds, len(pictures), samples)

    size = pipeline.frame_size
    crops = torch.stack([crop(picture, frame, size) for picture, frame in zip(pictures, frames, strict=True)])
    missing = torch.stack([crop(hole, frame, size) for hole, frame in zip(holes, frames, strict=True)]) > PARTLY_MISSING
    order = [i for i in range(len(pictures)) for _ in range(samples)]
    done = []
    for start in range(0, len(order), FACES_AT_ONCE):
        chosen = order[start : start + FACES_AT_ONCE]
        latent = pipeline.complete(
            2 * crops[chosen] - 1,
            missing[chosen].float(),
            emotion=emotion,
            strength=strength,
            seeds=seeds[start : start + FACES_AT_ONCE],
            variation=variation,
        )
        done.append(latent)
        if on_step:
            on_step(start + len(chosen), len(order))
    return PortraitLatent(
        FaceLatent.cat(done), pictures[order], holes[order], tuple(frames[i] for i in order), max(0, feather)
    )


def render(pipeline: ECGANPipeline, latent: PortraitLatent, on_step: OnStep | None = None) -> Tensor:
    """The pictures with their faces in place, [B,3,H,W] in 0..1: bit for bit the originals outside the holes."""
    rendered = []
    for start in range(0, len(latent), FACES_AT_ONCE):
        part = latent[start : start + FACES_AT_ONCE]
        patches = (pipeline.decode(part.faces).to(part.pictures.device) + 1) / 2
        rendered += [
            stitch(picture, patch, hole, frame, part.feather)
            for picture, patch, hole, frame in zip(part.pictures, patches, part.holes, part.frames, strict=True)
        ]
        if on_step:
            on_step(start + len(part), len(latent))
    return torch.stack(rendered)


def shift_portraits(
    pipeline: ECGANPipeline, latent: PortraitLatent, vector: EmotionVector, strength: float
) -> PortraitLatent:
    """Move the emotion of every face along `vector`; the encoder does not run again. See `ECGANPipeline.shift`."""
    return replace(latent, faces=pipeline.shift(latent.faces, vector, strength))


def portrait_frame(picture: Tensor, hole: Tensor | None, face: str = "auto", box: Box | None = None) -> Frame:
    """The frame of the face in a picture [3,H,W]: the box's, the found one's, or the whole image's.

    Raises:
        NoFaceFound: the finder sees no face.
    """
    height, width = picture.shape[-2:]
    if face not in FACE_CHOICES:
        raise ValueError(f"face must be one of {', '.join(map(repr, FACE_CHOICES))}, not {face!r}")
    if box is not None:
        return frame_of_face(box)
    if face == "whole image":
        return frame_of_image(height, width)
    pixels = (picture.detach().float().cpu() * 255).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
    if hole is None:
        hole = picture.new_zeros(1, height, width)
    return frame_of_face(choose_face(find_faces(np.ascontiguousarray(pixels)), hole))


def _frames(pictures: Tensor, holes: Tensor, face: str, boxes: Box | Sequence[Box | None] | None) -> list[Frame]:
    if boxes is None or isinstance(boxes, Box):
        boxes = [boxes] * len(pictures)
    if len(boxes) != len(pictures):
        raise ValueError(f"there must be one face box for each picture, but there are {len(boxes)} for {len(pictures)}")
    frames = []
    for i, (picture, hole, box) in enumerate(zip(pictures, holes, boxes, strict=True)):
        where = f"picture {i + 1} of {len(pictures)}: " if len(pictures) > 1 else ""
        try:
            frame = portrait_frame(picture, hole, face, box)
        except NoFaceFound as problem:
            raise NoFaceFound(f"{where}{problem}") from None
        rows, columns = frame.inside(*hole.shape[-2:])
        if not (hole[:, rows, columns] > PARTLY_MISSING).any():
            raise NoFaceFound(
                f"{where}the mask does not touch the face, which is at x {frame.x}, y {frame.y}, {frame.side} pixels "
                f"wide and high; mask a part of the face, or give a box around the face that is meant"
            )
        frames.append(frame)
    return frames


def _matched(pictures: Tensor, holes: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures [B,3,H,W] and holes [B,1,H,W], float32 and as many as each other; ValueError if they do not fit."""
    if pictures.ndim != 4 or holes.ndim != 4 or holes.shape[1] != 1:
        shapes = f"{list(pictures.shape)} and {list(holes.shape)}"
        raise ValueError(f"pictures must be [N,3,H,W] and holes [M,1,H,W], but they are {shapes}")
    if pictures.shape[1] == 4:
        raise ValueError("the picture is RGBA (it has a transparency channel); flatten it first")
    if pictures.shape[1] != 3:
        raise ValueError(f"the picture has {pictures.shape[1]} channels; give red, green and blue")
    for i, hole in enumerate(holes):
        if not (hole > PARTLY_MISSING).any():
            which = f"mask {i + 1} of {len(holes)}" if len(holes) > 1 else "the mask"
            raise ValueError(f"{which} is empty, so there is nothing to fill; paint what shall change white (1)")
    height, width = pictures.shape[-2:]
    mask_height, mask_width = holes.shape[-2:]
    if (mask_height, mask_width) != (height, width):
        # the same proportions up to rounding: each side, scaled by the other's factor, is off by less than a pixel
        if abs(mask_width * height - width * mask_height) >= max(height, width, mask_height, mask_width):
            raise ValueError(
                f"the mask is {mask_width}×{mask_height} pixels but the picture is {width}×{height}, of other "
                f"proportions; make the mask from this picture"
            )
        holes = F.interpolate(holes.float(), size=(height, width), mode="bilinear", antialias=True, align_corners=False)
    batch = max(len(pictures), len(holes))
    for what, tensor in (("pictures", pictures), ("masks", holes)):
        if len(tensor) not in (1, batch):
            raise ValueError(
                f"{len(pictures)} pictures and {len(holes)} masks do not pair up; "
                f"give as many {what} as the others, or a single one"
            )
    pictures = pictures.float().expand(batch, -1, -1, -1)
    return pictures, holes.to(pictures.device, torch.float32).clamp(0, 1).expand(batch, -1, -1, -1)


def _seeds(seeds: int | Sequence[int], pictures: int, samples: int) -> list[int]:
    """One seed for each result: picture 1's samples, picture 2's samples …"""
    if samples < 1:
        raise ValueError(f"samples must be at least 1, not {samples}")
    if isinstance(seeds, int):
        seeds = [seeds + k for k in range(samples)]
    if len(seeds) == samples:
        return list(seeds) * pictures
    if len(seeds) == pictures * samples:
        return list(seeds)
    raise ValueError(f"{samples} samples of {pictures} pictures need {samples} seeds, not {len(seeds)}")


def _as_bytes_if_exact(picture: Tensor) -> Tensor:
    """uint8 when the values are those of an 8-bit picture, as they usually are, else unchanged."""
    as_bytes = (picture * 255).round().clamp(0, 255).byte()
    return as_bytes if torch.equal(_as_floats(as_bytes), picture) else picture


def _as_floats(picture: Tensor) -> Tensor:
    return picture.float() / 255 if picture.dtype == torch.uint8 else picture
