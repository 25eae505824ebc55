"""Where in the pictures of a batch faces are to be drawn, and what of their holes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ...completion import Completion, must_be_face_choice
from ...pipeline import PARTLY_MISSING
from ..choosing import NoFaceFound, NothingToDo, choose_faces
from ..finder.finding import faces_near, find_faces, level
from ..finder.judging import Doubt, no_face
from ..frame import Box, Frame, frame_of_face, frame_of_image
from ..masks import black
from ..stitch import distance_from_middle, extent
from .inside import inside_faces
from .inverted import INVERTED, without_surroundings
from .left_out import LeftOut, OnNote, named, note_in_log
from .shots import cuts_in_words, shots, something_else
from .tracking import follow, people, steady
from .turned import TURNED, are_turned

LARGEST_BOX = 2  # longer sides of its picture: a face may reach beyond the picture, but not by more than that

Boxes = Box | Sequence[Box | Sequence[Box] | None] | None
OnStep = Callable[[int, int], None]

LEFT_ALONE = ("is left as it is", "are left as they are")


class Places(NamedTuple):
    """Where faces are drawn in B pictures.

    Args:
        frames: of the faces in each picture; none where a picture is left as it is.
        ranks: of those faces: their seeds follow from it. In a clip that is followed each person keeps theirs.
        holes: [B,1,H,W], what of the holes is filled.
    """

    frames: list[list[Frame]]
    ranks: list[list[int]]
    holes: Tensor


# The faces of a picture with their ranks, none where it is one as a whole; or why there are none.
Found = list[tuple[int, Box]] | NothingToDo


def places_of(
    pictures: Tensor,
    holes: Tensor,
    asked: Completion,
    boxes: Boxes = None,
    on_look: OnStep | None = None,
    on_note: OnNote = note_in_log,
) -> Places:
    """The faces that each hole is about, and what of the holes is to be filled.

    Args:
        pictures: [B,3,H,W] in 0..1.
        holes: [B,1,H,W] in 0..1, 1 = to fill.
        asked: how faces are looked for, and what becomes of a picture without one.
        boxes, on_look: see `complete_portraits`.
        on_note: called with a sentence where pictures are left as they are, a hole is not taken as it is, or a face is
            turned further aside than the model knows.

    Raises:
        NothingToDo: a hole is empty, there is no face in a picture, or none under its hole; see `on_no_face`.
        ValueError: the boxes do not fit.
    """
    if boxes is None or isinstance(boxes, Box):
        boxes = [boxes] * len(pictures)
    if len(boxes) != len(pictures):
        raise ValueError(f"there must be one face box for each picture, but there are {len(boxes)} for {len(pictures)}")
    left = LeftOut(len(pictures), asked.on_no_face, LEFT_ALONE)
    everyone: Iterable[Found] = _everyone(pictures, holes, asked.face, boxes, on_look)
    if asked.track:
        everyone = _followed(list(everyone), pictures, holes, on_note)
    places = Places([[] for _ in holes], [[] for _ in holes], holes)
    changed: dict[int, Tensor] = {}
    said: dict[str, list[int]] = {}
    for i, (hole, found) in enumerate(zip(holes, everyone, strict=True)):
        try:
            if isinstance(found, NothingToDo):
                raise found
            frames = [frame_of_face(box) for _, box in found] or [frame_of_image(*hole.shape[-2:])]
            part = without_surroundings(hole, frames) if found else None
            if not touches(hole, frames[0]):
                raise _beside(frames[0])
            inside = hole if part is None else part
            if asked.inside_face:
                inside = inside_faces(pictures[i], inside, frames, [box.points for _, box in found] or [None])
        except NothingToDo as problem:
            left.add(i, problem)
            continue
        places.frames[i] += frames
        places.ranks[i] += [rank for rank, _ in found] or [0]
        if part is not None:
            said.setdefault(INVERTED, []).append(i)
        if are_turned([box for _, box in found]):
            said.setdefault(TURNED, []).append(i)
        if inside is not hole:
            changed[i] = inside
    left.say(on_note)
    for words, numbers in said.items():
        on_note(words if len(pictures) == 1 else f"{named(numbers, len(pictures))}: {words}")
    if not changed:
        return places
    return places._replace(holes=with_changed(changed, holes))


def with_changed(changed: Mapping[int, Tensor], holes: Tensor) -> Tensor:
    """The holes [B,1,H,W] with some changed, which take memory only where they are not black."""
    all_of_it = (slice(0, holes.shape[-2]), slice(0, holes.shape[-1]))
    result = black(holes.shape, holes.device)
    for i, hole in enumerate(holes):
        rows, columns = extent(changed.get(i, hole), all_of_it)
        result[i, :, rows, columns] = changed.get(i, hole)[:, rows, columns]
    return result


def _everyone(
    pictures: Tensor, holes: Tensor, face: str, boxes: Sequence[Any], on_look: OnStep | None
) -> Iterator[Found]:
    """The faces of each picture, as they are looked for."""
    for i, (picture, hole, box) in enumerate(zip(pictures, holes, boxes, strict=True)):
        yield _looked_for(picture, hole, face, [box] if isinstance(box, Box) else list(box or []))
        if on_look:
            on_look(i + 1, len(pictures))


def _looked_for(picture: Tensor, hole: Tensor, face: str, boxes: Sequence[Box]) -> Found:
    if not (hole > PARTLY_MISSING).any():
        return NothingToDo("the mask is empty, so there is nothing to fill", "paint what shall change white (1)")
    try:
        return list(enumerate(portrait_boxes(picture, hole, face, boxes)))
    except NothingToDo as problem:
        return problem


def _followed(everyone: Sequence[Found], pictures: Tensor, holes: Tensor, on_note: OnNote) -> list[Found]:
    """The faces of a clip's frames, held still shot by shot; what shows something else is left as it was found."""
    seen = [not isinstance(found, NothingToDo) for found in everyone]
    cut, others = shots(pictures, seen), something_else(pictures, seen)
    if len(cut) > 1:
        on_note(cuts_in_words(cut))
    followed = [
        found
        for shot in cut
        for found in _followed_in_shot(everyone[shot.start : shot.stop], holes[shot.start : shot.stop])
    ]
    return [everyone[i] if i in others else found for i, found in enumerate(followed)]


def _followed_in_shot(everyone: Sequence[Found], holes: Tensor) -> list[Found]:
    """The faces of a shot, held still; each person has a rank of their own, and is there in short gaps too."""
    seen = [[] if isinstance(found, NothingToDo) else [box for _, box in found] for found in everyone]
    tracks = follow(seen)
    of_people = list(zip(people(tracks), map(steady, tracks), strict=True))
    followed: list[Found] = []
    for i, (found, hole) in enumerate(zip(everyone, holes, strict=True)):
        there = [(person, track[i]) for person, track in of_people if i in track]
        masked = [(person, box) for person, box in there if touches(hole, frame_of_face(box))]
        followed.append(masked or (found if isinstance(found, NothingToDo) else there))
    return followed


def touches(hole: Tensor, frame: Frame) -> bool:
    """Whether some of a hole [1,H,W] lies in a frame."""
    rows, columns = region = frame.inside(*hole.shape[-2:])
    within = distance_from_middle(frame, region, hole.device) <= 1
    return bool(((hole[0, rows, columns] > PARTLY_MISSING) & within).any())


def _beside(frame: Frame) -> NoFaceFound:
    return NoFaceFound(
        "the mask does not touch the face",
        "mask a part of the face, or give a box around the face that is meant",
        f", which is at x {frame.x}, y {frame.y}, {frame.side} pixels wide and high",
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
    found = portrait_boxes(picture, hole, face, boxes)
    return [frame_of_face(box) for box in found] or [frame_of_image(*picture.shape[-2:])]


def portrait_boxes(picture: Tensor, hole: Tensor | None, face: str = "auto", boxes: Sequence[Box] = ()) -> list[Box]:
    """The faces of `portrait_frames`, as boxes; none where the picture is one as a whole."""
    height, width = picture.shape[-2:]
    must_be_face_choice(face)
    for box in boxes:
        _must_lie_in(box, height, width)
    if face == "whole image":
        return choose_faces(boxes, hole) if len(boxes) > 1 and hole is not None else list(boxes)
    if not boxes:
        doubts: list[Doubt] = []
        boxes = find_faces(picture, doubts=doubts) if hole is None else faces_near(picture, hole, doubts)
        if not boxes:
            raise no_face(doubts)
    if hole is None:
        hole = picture.new_zeros(1, height, width)
    return [level(picture, box) for box in choose_faces(boxes, hole)]


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
    height, width = pictures.shape[-2:]
    mask_height, mask_width = holes.shape[-2:]
    if not holes.any():  # what Load Image hands out where there is no mask has 64×64 pixels
        holes, mask_height, mask_width = holes.new_zeros(len(holes), 1, height, width), height, width
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
    pictures, holes = pictures.float(), holes.to(pictures.device, torch.float32)
    lowest, highest = torch.aminmax(holes)
    if lowest < 0 or highest > 1:  # else the masks of a clip are not copied
        holes = holes.clamp(0, 1)
    return pictures.expand(batch, -1, -1, -1), holes.expand(batch, -1, -1, -1)


def _all_finite(tensor: Tensor) -> bool:
    """A sum is one pass, and finite only if everything is; if it is not, numbers may just be large."""
    return bool(torch.isfinite(tensor.sum())) or bool(torch.isfinite(tensor).all())
