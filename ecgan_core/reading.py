"""Read the emotion of faces in pictures, from as much of them as may be seen."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from .face.batch.left_out import LeftOut, OnNote, note_in_log
from .face.batch.places import matched, portrait_frame
from .face.choosing import NoFaceFound
from .face.frame import Box
from .face.stitch import crop, crop_hole
from .pipeline import PARTLY_MISSING, ECGANPipeline


def read_emotions(
    pipeline: ECGANPipeline,
    pictures: Tensor,
    hidden: Tensor | None = None,
    face: str = "auto",
    on_no_face: str = "error",
    on_note: OnNote = note_in_log,
    box: Box | None = None,
) -> Iterator[Tensor | None]:
    """The probability of each of the model's emotions, picture by picture: [m] in 0..1, on the CPU.

    Args:
        pipeline: the model.
        pictures: [B,3,H,W] in 0..1.
        hidden: [B or 1,1,h,w] in 0..1, 1 = may not be seen; scaled as holes are. None or all 0 hides nothing.
        face: "auto" finds it, "whole image" takes the picture as one face.
        on_no_face: as in `Completion`: where a picture without a face is left out, None comes for it.
        on_note: called, after the last picture, with a sentence about those that are left out.
        box: where the face is, in each picture.

    Raises:
        NoFaceFound: there is no face in a picture; the sentence says in which.
        ValueError: what is hidden does not fit the pictures.
    """
    if hidden is not None and len(hidden) not in (1, len(pictures)):
        raise ValueError(
            f"{len(pictures)} pictures and {len(hidden)} masks do not pair up; give as many masks as pictures, or one"
        )
    left = LeftOut(len(pictures), on_no_face, ("is not read", "are not read"))
    for i, picture in enumerate(pictures):
        hole = picture.new_zeros(1, *picture.shape[-2:])
        mask = None if hidden is None else hidden[i if len(hidden) > 1 else 0]
        if mask is not None and (mask > PARTLY_MISSING).any():
            hole = matched(picture[None], mask[None])[1][0]
        try:
            frame = portrait_frame(picture, hole if hole.any() else None, face, box)
        except NoFaceFound as problem:
            left.add(i, problem)
            yield None
            continue
        seen = crop(picture, frame, pipeline.frame_size).clamp(0, 1)
        missing = crop_hole(hole, frame, pipeline.frame_size) > PARTLY_MISSING
        yield pipeline.infer_emotion(2 * seen[None] - 1, missing[None].float())[0].cpu()
    left.say(on_note)
