"""The inputs that several nodes have, described once."""

from __future__ import annotations

from comfy_api.latest import io

from comfy_ecgan import models, portraits
from comfy_ecgan.sockets import VectorSocket

CATEGORY = "ECGAN"


def own_emotions() -> list[str]:
    """The emotions to move along: those of the installed models, without the neutral ones where they start."""
    return models.installed_emotions(neutral=False) or [portraits.NO_EMOTION]


def direction_input() -> io.Input:
    return VectorSocket.Input(
        "vector",
        optional=True,
        tooltip="The emotion to move along, from Mix Emotions, Build or Load Emotion Vector. Not connected: the "
        "'emotion' below.",
    )


def face_input() -> io.Combo.Input:
    return io.Combo.Input(
        "face",
        options=portraits.FACES,
        default=portraits.FACES[0],
        tooltip="Where the face is. auto: find it in the picture. whole image: the picture already is a face crop, "
        "upright and centred.",
    )


def on_no_face_input(what: str, which: str = "in which no face is found") -> io.Combo.Input:
    """`what` is said of a picture of a batch in which nothing can be done, `which` of that it is such a one."""
    return io.Combo.Input(
        "on_no_face",
        options=portraits.NO_FACE,
        default=portraits.NO_FACE[0],
        optional=True,
        tooltip=f"What becomes of a picture {which}. auto: an error if it is the only picture; of a batch it {what} "
        f"names it. error: always an error. leave: never one.",
    )


def inside_face_input(default: bool, besides: str) -> io.Boolean.Input:
    return io.Boolean.Input(
        "inside_face",
        default=default,
        optional=True,
        tooltip=f"End the mask where the face ends, so that hair and background stay as they are. {besides}",
    )


def track_input() -> io.Boolean.Input:
    return io.Boolean.Input(
        "track",
        default=False,
        optional=True,
        tooltip="The pictures are the frames of a clip: follow each face from frame to frame, shot by shot, hold it "
        "still, and bridge up to half a second in which it is not found. Leave it off for pictures that are no clip.",
    )


def face_box_input() -> io.String.Input:
    return io.String.Input(
        "face_box",
        default="",
        optional=True,
        placeholder="x, y, width, height",
        tooltip="Your own box around the face, in pixels: x, y, width, height. One for all pictures, or one for each, "
        "with a semicolon between two. It wins over 'face'; leave it empty otherwise.",
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
