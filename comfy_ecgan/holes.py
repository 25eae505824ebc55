"""Holes over a part of the face that is found, for those who do not paint."""

from __future__ import annotations

import torch

from .pictures import boxes_for, image_from_pictures, mask_from_holes, pictures_from_image
from .progress import Progress

PARTS = ["mouth", "eyes", "lower face", "upper face", "whole face"]  # of ecgan_core.face.regions, not imported
TINT = (0.95, 0.25, 0.55)  # of the hole in the picture that the node shows


def face_holes(
    image: torch.Tensor, part: str, *, grow: float, soften: int, face: str, face_box: str, all_faces: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """A MASK [B,H,W] over that part of the face in each picture of an IMAGE, and the pictures with it painted in.

    Args:
        face_box: see `boxes_from_text`.

    Raises:
        NoFaceFound: there is no face in a picture; the sentence says in which.
        ValueError: something connected or typed does not fit.
    """
    from ecgan_core.face.choosing import NoFaceFound
    from ecgan_core.face.face_hole import face_hole

    pictures, _ = pictures_from_image(image)
    boxes = boxes_for(face_box, len(pictures))
    progress = Progress(len(pictures))
    holes = []
    for number, (picture, box) in enumerate(zip(pictures, boxes, strict=True), start=1):
        try:
            hole = face_hole(picture, part, grow=grow, soften=soften, face=face, box=box, all_faces=all_faces)
        except NoFaceFound as problem:
            raise problem.of_picture(number, len(pictures)) from None
        holes.append(hole)
        progress.step()
    found = torch.stack(holes)
    return mask_from_holes(found), _painted(pictures, found)


def _painted(pictures: torch.Tensor, holes: torch.Tensor) -> torch.Tensor:
    tint = torch.tensor(TINT).view(1, 3, 1, 1)
    return image_from_pictures(pictures + 0.6 * holes * (tint - pictures), None)
