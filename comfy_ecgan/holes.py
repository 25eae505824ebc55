"""Holes over a part of the face that is found, for those who do not paint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from .boxes import boxes_for
from .pictures import image_from_pictures, mask_from_holes, pictures_from_image
from .progress import Progress

if TYPE_CHECKING:
    from ecgan_core.face.batch.left_out import OnNote

PARTS = ["mouth", "eyes", "lower face", "upper face", "whole face"]  # of ecgan_core.face.regions, not imported
TINT = (0.95, 0.25, 0.55)  # of the hole in the picture that the node shows


def face_holes(
    image: torch.Tensor, part: str, *, face_box: str, on_note: OnNote, **settings: Any
) -> tuple[torch.Tensor, Iterator[torch.Tensor]]:
    """A MASK [B,H,W] over that part of the face in each picture of an IMAGE, and each picture with it painted in.

    Args:
        face_box: see `boxes_from_text`.
        on_note: called with a sentence about pictures that are left without a mask.
        settings: those of the core's `face_holes`, by name.

    Raises:
        NoFaceFound: there is no face in a picture; the sentence says in which.
        ValueError: something connected or typed does not fit.
    """
    from ecgan_core.face.face_hole import face_holes as holes_of

    pictures, _ = pictures_from_image(image)
    boxes = boxes_for(face_box, len(pictures))
    progress = Progress(len(pictures))
    found = holes_of(pictures, part, boxes=boxes, on_step=lambda *_: progress.step(), on_note=on_note, **settings)
    return mask_from_holes(found), _painted(pictures, found)


def _painted(pictures: torch.Tensor, holes: torch.Tensor) -> Iterator[torch.Tensor]:
    """The pictures one by one, each as an IMAGE: they are only looked at, and a clip's would take as much again."""
    tint = torch.tensor(TINT).view(3, 1, 1)
    for picture, hole in zip(pictures, holes, strict=True):
        picture = picture.to(hole.device)
        yield image_from_pictures((picture + 0.6 * hole * (tint - picture))[None], None)
