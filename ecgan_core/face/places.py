"""Where in the pictures of a batch faces are to be drawn, and what of their holes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..completion import Completion, must_be_face_choice
from ..pipeline import PARTLY_MISSING
from .choosing import NoFaceFound, choose_faces
from .finder.finding import faces_near, find_faces, level
from .frame import Box, Frame, frame_of_face, frame_of_image
from .inverted import NOTE, without_surroundings
from .stitch import distance_from_middle

LARGEST_BOX = 2  # longer sides of its picture: a face may reach beyond the picture, but not by more than that

Boxes = Box | Sequence[Box | Sequence[Box] | None] | None

OnNote = Callable[[str], None]
note_in_log: OnNote = logging.getLogger(__name__).warning


def places_of(
    pictures: Tensor, holes: Tensor, asked: Completion, boxes: Boxes = None, on_note: OnNote = note_in_log
) -> tuple[list[list[Frame]], Tensor]:
    """The frames of the faces that each hole is about, and what of the holes [B,1,H,W] is to be filled.

    Args:
        pictures: [B,3,H,W] in 0..1.
        holes: [B,1,H,W] in 0..1, 1 = to fill.
        asked: how faces are looked for.
        boxes: see `complete_portraits`.
        on_note: called with a sentence where a hole was not taken as it is.

    Raises:
        NoFaceFound: there is no face in a picture, or none under its hole.
        ValueError: the boxes do not fit.
    """
    if boxes is None or isinstance(boxes, Box):
        boxes = [boxes] * len(pictures)
    if len(boxes) != len(pictures):
        raise ValueError(f"there must be one face box for each picture, but there are {len(boxes)} for {len(pictures)}")
    frames: list[list[Frame]] = []
    restricted: dict[int, Tensor] = {}
    for i, (picture, hole, box) in enumerate(zip(pictures, holes, boxes, strict=True)):
        given = [box] if isinstance(box, Box) else list(box or [])
        try:
            frames.append(portrait_frames(picture, hole, asked.face, given))
            on_faces = without_surroundings(hole, frames[i]) if given or asked.face == "auto" else None
            if on_faces is not None:
                restricted[i] = on_faces
            _must_touch(hole, frames[i][0])
        except NoFaceFound as problem:
            raise problem.of_picture(i + 1, len(pictures)) from None
    if restricted:
        on_note(NOTE if len(pictures) == 1 else f"{_named(restricted, len(pictures))}: {NOTE}")
        holes = torch.stack([restricted.get(i, hole) for i, hole in enumerate(holes)])
    return frames, holes


def _named(numbers: Iterable[int], count: int) -> str:
    """Which of `count` pictures, for a sentence: "3 of 12 pictures (1, 4–5)"; the numbers count from 0."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1]:
            runs[-1][-1] += 1
        else:
            runs.append([number, number + 1])
    which = ", ".join(str(start + 1) if stop == start + 1 else f"{start + 1}–{stop}" for start, stop in runs)
    return f"{sum(stop - start for start, stop in runs)} of {count} pictures ({which})"


def _must_touch(hole: Tensor, frame: Frame) -> None:
    """Raise `NoFaceFound` unless some of a hole [1,H,W] lies in a frame."""
    rows, columns = region = frame.inside(*hole.shape[-2:])
    within = distance_from_middle(frame, region, hole.device) <= 1
    if not ((hole[0, rows, columns] > PARTLY_MISSING) & within).any():
        raise NoFaceFound(
            f"the mask does not touch the face, which is at x {frame.x}, y {frame.y}, {frame.side} pixels wide and "
            f"high",
            "mask a part of the face, or give a box around the face that is meant",
        )


def portrait_frame(picture: Tensor, hole: Tensor | None, face: str = "auto", box: Box | None = None) -> Frame:
    """The frame of the face in a picture [3,H,W]: the box's, the found one's, or the whole image's.

    Raises:
        NoFaceFound: the finder sees no face.
    """
    return portrait_frames(picture, hole, face, [] if box is None else [box])[0]


def portrait_frames(picture: Tensor, hole: Tensor | None, face: str = "auto", boxes: Sequence[Box] = ()) -> list[Frame]:
    """The frames of the faces in a picture [3,H,W] that a hole [1,H,W] is about, the one with most of it first.

    Without a hole it is the largest face. See `Completion` for `face`, `complete_portraits` for `boxes`.

    Raises:
        NoFaceFound: there are no boxes and the finder sees no face.
    """
    height, width = picture.shape[-2:]
    must_be_face_choice(face)
    for box in boxes:
        _must_lie_in(box, height, width)
    if face == "whole image":
        if len(boxes) > 1 and hole is not None:
            boxes = choose_faces(boxes, hole)
        return [frame_of_face(box) for box in boxes] or [frame_of_image(height, width)]
    if not boxes:
        boxes = find_faces(picture) if hole is None else faces_near(picture, hole)
    if hole is None:
        hole = picture.new_zeros(1, height, width)
    return [frame_of_face(level(picture, box)) for box in choose_faces(boxes, hole)]


def _must_lie_in(box: Box, height: int, width: int) -> None:
    """Raise ValueError unless a given box can be a face of a picture: of its size, in it, and in pixels."""
    size = f"the picture is {width}×{height} pixels"
    if max(box.width, box.height) > LARGEST_BOX * max(height, width) or min(box.width, box.height) < 1:
        raise ValueError(
            f"the face box is {box.width:g}×{box.height:g} pixels, but {size}; give the face's own width and height, "
            f"in pixels of this picture"
        )
    if not (-box.width < box.x < width and -box.height < box.y < height):
        raise ValueError(f"the face box at x {box.x:g}, y {box.y:g} lies outside the picture: {size}; correct the box")


def matched(pictures: Tensor, holes: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures [B,3,H,W] and holes [B,1,H,W], float32 and as many as each other; ValueError if they do not fit."""
    if pictures.ndim != 4 or holes.ndim != 4 or holes.shape[1] != 1:
        shapes = f"{list(pictures.shape)} and {list(holes.shape)}"
        raise ValueError(f"pictures must be [N,3,H,W] and holes [M,1,H,W], but they are {shapes}")
    if pictures.shape[1] == 4:
        raise ValueError("the picture is RGBA (it has a transparency channel); flatten it first")
    if pictures.shape[1] != 3:
        raise ValueError(f"the picture has {pictures.shape[1]} channels; give red, green and blue")
    for what, tensor in (("picture", pictures), ("mask", holes)):
        if not tensor.numel() or not _all_finite(tensor):
            raise ValueError(f"the {what} has no values, or some that are no numbers (NaN or infinity); make it again")
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


def _all_finite(tensor: Tensor) -> bool:
    """A sum is one pass, and finite only if everything is; if it is not, numbers may just be large."""
    return bool(torch.isfinite(tensor.sum())) or bool(torch.isfinite(tensor).all())
