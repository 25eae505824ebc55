"""The hole over a part of the face in a picture: find the face, and lay the part over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from .batch.left_out import LeftOut, OnNote, note_in_log
from .batch.places import portrait_boxes
from .choosing import NoFaceFound
from .finder.finding import find_faces
from .frame import Box, frame_of_face, frame_of_image
from .regions import region_hole

WITHOUT = ("has an empty mask", "have empty masks")


def face_hole(
    picture: Tensor,
    part: str,
    *,
    grow: float = 0.0,
    soften: float = 0.0,
    face: str = "auto",
    box: Box | None = None,
    all_faces: bool = False,
) -> Tensor:
    """The hole [1,H,W] in 0..1 over a part of the face in a picture [3,H,W] in 0..1; see `face_holes`."""
    return face_holes(
        picture[None], part, grow=grow, soften=soften, face=face, boxes=[box], all_faces=all_faces, on_no_face="error"
    )[0]


def face_holes(
    pictures: Tensor,
    part: str,
    *,
    grow: float = 0.0,
    soften: float = 0.0,
    face: str = "auto",
    boxes: Sequence[Box | None] | None = None,
    all_faces: bool = False,
    on_no_face: str = "auto",
    on_step: Callable[[int, int], None] | None = None,
    on_note: OnNote = note_in_log,
) -> Tensor:
    """The holes [B,1,H,W] in 0..1 over a part of the face in each of some pictures [B,3,H,W] in 0..1.

    Args:
        part, grow, soften: see `region_hole`.
        face: see `Completion`.
        boxes: the face of each picture, where it is known.
        all_faces: over every face that is found, where neither a box nor "whole image" says where it is.
        on_no_face: as in `Completion`: a picture without a face that is left out has an empty hole.
        on_step: called as on_step(done, total) after each picture; may raise to stop.
        on_note: called with a sentence about the pictures without a face.

    Raises:
        NoFaceFound: the finder sees no face; the sentence says in which picture.
        ValueError: there is no such part, or it lies outside the picture.
    """
    left = LeftOut(len(pictures), on_no_face, WITHOUT)
    seen: list[list[Box]] = []  # none of a picture that is left out
    for i, (picture, box) in enumerate(zip(pictures, boxes or [None] * len(pictures), strict=True)):
        try:
            seen.append(_faces_in(picture, face, box, all_faces))
        except NoFaceFound as problem:
            left.add(i, problem)
            seen.append([])
        if on_step:
            on_step(i + 1, len(pictures))
    left.say(on_note)
    height, width = pictures.shape[-2:]
    holes = torch.zeros(len(pictures), 1, height, width)
    for i, faces in enumerate(seen):
        places = [(frame_of_face(one), one.points) for one in faces]
        if face == "whole image" and not faces:
            places = [(frame_of_image(height, width), None)]
        for frame, points in places:
            torch.maximum(holes[i], region_hole(frame, height, width, part, grow, soften, points), out=holes[i])
        if i not in left.problems and not holes[i].any():
            raise ValueError(
                f"the {part} of the face lies outside the picture, which is {width}×{height} pixels; correct the face "
                f"box"
            )
    return holes


def _faces_in(picture: Tensor, face: str, box: Box | None, all_faces: bool) -> list[Box]:
    """The faces of a picture; none where it is one as a whole."""
    if box is not None or face != "auto":
        return portrait_boxes(picture, None, face, [] if box is None else [box])
    if not (found := find_faces(picture, all_faces)):
        raise NoFaceFound
    return found if all_faces else found[:1]
