"""The inputs that several nodes have, described once."""

from __future__ import annotations

from comfy_api.latest import io

from comfy_ecgan import models, portraits

CATEGORY = "ECGAN"


def own_emotions() -> list[str]:
    """The emotions to move along: those of the installed models, without the neutral ones where they start."""
    return models.installed_emotions(neutral=False) or [portraits.NO_EMOTION]


def face_input() -> io.Combo.Input:
    return io.Combo.Input(
        "face",
        options=portraits.FACES,
        default=portraits.FACES[0],
        tooltip="Where the face is. auto: find it in the picture. whole image: the picture already is a face crop, "
        "upright and centred.",
    )


def on_no_face_input(what: str) -> io.Combo.Input:
    """`what` is said of a picture without a face."""
    return io.Combo.Input(
        "on_no_face",
        options=portraits.NO_FACE,
        default=portraits.NO_FACE[0],
        optional=True,
        tooltip=f"What becomes of a picture in which no face is found. auto: it is an error for a single picture; in a "
        f"batch such a picture {what}, and a note under the node names it. error: always an error. leave: never one.",
    )


def face_box_input() -> io.String.Input:
    return io.String.Input(
        "face_box",
        default="",
        optional=True,
        placeholder="x, y, width, height",
        tooltip="Your own box around the face, in pixels: x, y, width, height. One line for each picture, or one for "
        "all. It wins over 'face'; leave it empty otherwise.",
    )


def slider(id: str, low: float, high: float, default: float, tooltip: str, optional: bool = False) -> io.Float.Input:
    return io.Float.Input(
        id,
        default=default,
        min=low,
        max=high,
        step=0.05,
        display_mode=io.NumberDisplay.slider,
        optional=optional,
        tooltip=tooltip,
    )
