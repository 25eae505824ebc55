"""Face boxes: typed into `face_box`, or from other nodes over a BOUNDING_BOX wire, whose form each pack chooses for
itself.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecgan_core.words import kind, shown

if TYPE_CHECKING:
    from ecgan_core.face.frame import Box

logger = logging.getLogger(__name__)

SIDES = ("x", "y", "width", "height")
FORMS = "send {x, y, width, height}, four numbers in that order, a list of those, or a list of such lists"

# What a page sent that drew the wire as a widget, before it was told not to; workflows saved then still have it.
UNTOUCHED = {"x": 0, "y": 0, "width": 512, "height": 512}


def boxes_from_text(text: str) -> Box | list[Box] | None:
    """The face boxes in `text`: one Box serves every picture; None if it is blank.

    Args:
        text: "x, y, width, height" of each, one a line or with a semicolon between two, since the widget has one line.

    Raises:
        ValueError: a line is not four numbers, or its box has no size.
    """
    from ecgan_core.face.frame import Box

    boxes = []
    for box in (part for line in text.splitlines() for part in _parts(line)):
        numbers = re.split(r"[\s,;]+", box.strip(" \t,;()[]"))
        if numbers == [""]:
            continue
        try:
            x, y, width, height = map(float, numbers)
        except ValueError:
            raise ValueError(
                f"the face box {shown(box.strip())} is not four numbers; write x, y, width, height in pixels, such as "
                f"120, 80, 200, 240, or leave it empty"
            ) from None
        boxes.append(Box(x, y, width, height))
    return boxes[0] if len(boxes) == 1 else boxes or None


def _parts(line: str) -> list[str]:
    """A line's boxes; semicolons may stand between the four numbers of a single one, too."""
    parts = [part for part in line.split(";") if part.strip()]
    return [line] if any(len(re.findall(r"[^\s,()\[\]]+", part)) < 4 for part in parts) else parts


def boxes_for(text: str, count: int) -> list[Box | None]:
    """`boxes_from_text`, one for each of `count` pictures.

    Raises:
        ValueError: as there, or the boxes are neither one nor one for each picture.
    """
    boxes = boxes_from_text(text)
    if isinstance(boxes, list):
        if len(boxes) != count:
            raise ValueError(
                f"there must be one face box for each picture, but there are {len(boxes)} for {count}; write one "
                f"for each with a semicolon between two, or a single one for all"
            )
        return list(boxes)
    return [boxes] * count


def boxes_from_wire(value: Any, pictures: int) -> list[list[Box]] | None:
    """The face boxes for each of some pictures; None if nothing is connected, an empty list where none was found.

    A box is a dict with `x`, `y`, `width` and `height` (what else it has is not looked at) or four numbers in that
    order, in pixels. These are understood:

    - a box: it serves every picture;
    - a list of boxes: one for each picture if there are several pictures and as many boxes; else all of them for every
      picture, whose mask tells which are meant;
    - a list of lists of boxes: a list for each picture, or a single one for all; an empty one leaves it to the finder.

    Arrays and tensors count as the lists that they are. `UNTOUCHED` alone counts as nothing.

    Raises:
        ValueError: it is none of these, or there is not a list for each picture.
    """
    value = _plain(value)
    if value is None:
        return None
    if _is_untouched(value):
        logger.info(
            "EC-GAN: the box 0, 0, 512, 512 in 'bounding_boxes' is what newer pages send where nothing is connected: "
            "the face is looked for; if you mean that box, type it into 'face_box'"
        )
        return None
    if _is_box(value):
        return [[_box(value)]] * pictures
    if not isinstance(value, list):
        raise ValueError(f"the input 'bounding_boxes' cannot be {kind(value)}; {FORMS}")
    if all(map(_is_box, value)):
        boxes = [_box(box) for box in value]
        each = pictures > 1 and len(boxes) == pictures
        return [[box] for box in boxes] if each else [boxes] * pictures
    lists = [item if isinstance(item, list) and not _is_box(item) else None for item in value]
    if None in lists:
        odd = value[lists.index(None)]
        raise ValueError(f"the input 'bounding_boxes' has {shown(odd)} where a list of boxes is due; {FORMS}")
    if len(lists) not in (1, pictures):
        raise ValueError(
            f"the input 'bounding_boxes' has boxes for {len(lists)} pictures, but there are {pictures}; connect the "
            f"pictures that the boxes were found in"
        )
    return [[_box(box) for box in boxes or []] for boxes in lists] * (pictures if len(lists) == 1 else 1)


def _plain(value: Any) -> Any:
    """Arrays, tensors and tuples as lists, all the way down."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(item) for item in value]
    return value


def _is_untouched(value: Any) -> bool:
    return isinstance(value, dict) and all(type(side) is int for side in value.values()) and value == UNTOUCHED


def _is_box(value: Any) -> bool:
    numbers = isinstance(value, list) and bool(value) and not any(isinstance(v, list | Mapping) for v in value)
    return isinstance(value, Mapping) or numbers


def _box(value: Any) -> Box:
    from ecgan_core.face.frame import Box

    try:
        x, y, width, height = (value[side] for side in SIDES) if isinstance(value, Mapping) else value
        return Box(float(x), float(y), float(width), float(height))
    except (KeyError, TypeError, ValueError, OverflowError) as problem:
        if str(problem).startswith("a face box must"):
            raise ValueError(f"the input 'bounding_boxes' has {shown(value)}, but {problem}; {FORMS}") from None
        raise ValueError(f"the input 'bounding_boxes' has {shown(value)}, which is no box; {FORMS}") from None
