"""The hole over a part of the face in a picture: find the face, and lay the part over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from .batch.left_out import LeftOut, OnNote, note_in_log
from .batch.places import portrait_boxes
from .batch.shots import cuts_in_words, shots, something_else
from .batch.tracking import follow, held_still, people, steady
from .choosing import NoFaceFound, NothingToDo
from .finder.finding import find_faces
from .finder.judging import Doubt, mesh_in, no_face
from .frame import Box, Frame, frame_of_face, frame_of_image
from .masks import black
from .regions import ends_of, outline_of, region_hole
from .stitch import extent

STILL = 0.006  # of the frame's side: by how much the ends of a part may be off to be held still
WITHOUT = ("has an empty mask", "have empty masks")

Placed = tuple[Frame, Sequence[float] | None, Tensor | None]  # a face, the part's ends in it and its outline


def face_hole(
    picture: Tensor,
    part: str,
    *,
    grow: float = 0.0,
    soften: float = 0.0,
    face: str = "auto",
    box: Box | None = None,
    all_faces: bool = False,
    inside_face: bool = False,
) -> Tensor:
    """The hole [1,H,W] in 0..1 over a part of the face in a picture [3,H,W] in 0..1; see `face_holes`."""
    return face_holes(
        picture[None],
        part,
        grow=grow,
        soften=soften,
        face=face,
        boxes=[box],
        all_faces=all_faces,
        on_no_face="error",
        inside_face=inside_face,
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
    track: bool = False,
    inside_face: bool = False,
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
        track: see `Completion`: the parts are held still too.
        inside_face: leave out what is beyond a face's outline; has no effect where none can be seen, as in a box about
            a drawing.
        on_step: called as on_step(done, total) after each picture; may raise to stop.
        on_note: called with a sentence about the pictures without a face.

    Raises:
        NothingToDo: the finder sees no face, or the part lies outside the picture; the sentence says which one.
        ValueError: there is no such part.
    """
    left, problems = LeftOut(len(pictures), on_no_face, WITHOUT), {}
    boxes = boxes or [None] * len(pictures)
    seen: list[list[Box]] = []
    for i, (picture, box) in enumerate(zip(pictures, boxes, strict=True)):
        try:
            found = _faces_in(picture, face, box, all_faces or track)
            seen.append(found if all_faces or track else found[:1])
        except NoFaceFound as problem:
            problems[i] = problem
            seen.append([])
        if on_step:
            on_step(i + 1, len(pictures))
    height, width = pictures.shape[-2:]
    if track:
        with_faces = [bool(faces) for faces in seen]
        cut, others = shots(pictures, with_faces), something_else(pictures, with_faces)
        every = [faces for shot in cut for faces in _followed(seen[shot.start : shot.stop], part, all_faces)]
        every = [[] if i in others else faces for i, faces in enumerate(every)]
        if len(cut) > 1:
            on_note(cuts_in_words(cut))
    else:
        every = [[_placed(box, part) for box in faces] for faces in seen]
    for i, faces in enumerate(every):
        if face == "whole image" and boxes[i] is None:
            faces.append((frame_of_image(height, width), None, None))
        elif not faces:
            left.add(i, problems.get(i) or NoFaceFound("the face that is followed was not found in the picture"))
    holes = black((len(pictures), 1, height, width))
    for i, faces in enumerate(every):
        for frame, ends, outline in faces:
            if inside_face and outline is None:
                outline = outline_of(mesh_in(pictures[i], frame))
            hole = region_hole(frame, height, width, part, grow, soften, ends, outline if inside_face else None)
            rows, columns = extent(hole, (slice(0, height), slice(0, width)))
            of_face = holes[i, :, rows, columns]
            torch.maximum(of_face, hole[:, rows, columns], out=of_face)
        if i not in left.problems and not holes[i].any():
            where = f"the {part} of the face lies outside the picture, which is {width}×{height} pixels"
            left.add(i, NothingToDo(where, "choose another part, or correct the face box if there is one"))
    left.say(on_note)
    return holes


def _placed(box: Box, part: str) -> Placed:
    frame = frame_of_face(box)
    return frame, ends_of(part, frame, box.points), outline_of(box.points)


def _followed(seen: Sequence[Sequence[Box]], part: str, all_faces: bool) -> list[list[Placed]]:
    """Where a part of each face, or of that with most of the shot, is in its frames: held still, short gaps bridged."""
    followed: list[list[Placed]] = [[] for _ in seen]
    tracks = follow(seen)
    if not all_faces and tracks:
        whose = people(tracks)
        seen_of = [sum(box.width for box in track.values()) for track in tracks]
        first = max(whose, key=lambda person: sum(of for of, who in zip(seen_of, whose, strict=True) if who == person))
        tracks = [track for track, person in zip(tracks, whose, strict=True) if person == first]
    for track in tracks:
        times = sorted(track)
        measured = np.array([ends_of(part, frame_of_face(track[time]), track[time].points) for time in times])
        ends = held_still(times, measured, [STILL] * 4)
        for (time, box), of_part in zip(steady(track).items(), ends, strict=True):
            followed[time].append((frame_of_face(box), of_part.tolist(), outline_of(box.points)))
    return followed


def _faces_in(picture: Tensor, face: str, box: Box | None, all_faces: bool) -> list[Box]:
    """The faces of a picture, the largest first; none where it is one as a whole."""
    if box is not None or face != "auto":
        return portrait_boxes(picture, None, face, [] if box is None else [box])
    doubts: list[Doubt] = []
    if not (found := find_faces(picture, all_faces, doubts)):
        raise no_face(doubts)
    return found
