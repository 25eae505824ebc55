"""From a picture's file to the model's frame."""

from __future__ import annotations

import io
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ecgan_core.files.disk import without_addresses

from .depth import is_deep, of_8_bits
from .formats import FORMATS, INSTEAD, learn_heif
from .sources.row import DataError

Crop = tuple[float, float, float, float]  # x0, y0, x1, y1, as shares of the picture's sides

BEHIND = (127, 127, 127)  # what shows through where a picture is transparent

# What Pillow and its codecs raise for files that are damaged or no pictures.
BROKEN = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)


def read_bytes(file: Path, part: tuple[int, int] | None = None) -> bytes:
    """A file, or `part` of it: first byte and number of bytes."""
    if part is None:
        return file.read_bytes()
    with file.open("rb") as archive:
        archive.seek(part[0])
        return archive.read(part[1])


def opened(data: bytes) -> Image.Image:
    """A picture of which nothing but the head is decoded yet."""
    learn_heif()
    return Image.open(io.BytesIO(data), formats=FORMATS)


def upright(image: Image.Image) -> Image.Image:
    """The picture as RGB: turned as the camera says, on grey where it is transparent, 16 bits and more at full range.

    Raises:
        ValueError: it has numbers below black, or so large ones that what is white is not known.
    """
    image = ImageOps.exif_transpose(of_8_bits(image) if is_deep(image) else image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        opaque = Image.new("RGB", image.size, BEHIND)
        opaque.paste(image, mask=image.getchannel("A"))
        return opaque
    return image.convert("RGB")


def frame(image: Image.Image, crop: Crop, size: int) -> np.ndarray:
    """The crop of an RGB picture as uint8 [size,size,3]."""
    width, height = image.size
    box = (crop[0] * width, crop[1] * height, crop[2] * width, crop[3] * height)
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS, box=box))


def read_face(file: Path, crop: Crop, size: int, part: tuple[int, int] | None = None) -> np.ndarray:
    """The picture's frame as uint8 [3,size,size].

    Raises:
        DataError: it cannot be read, or is no picture.
    """
    data = b""
    try:
        with opened(data := read_bytes(file, part)) as image:
            # A JPEG of a camera is decoded at a fraction of its size, still at least twice the frame's.
            image.draft("RGB", (math.ceil(2 * size / (crop[2] - crop[0])), math.ceil(2 * size / (crop[3] - crop[1]))))
            return frame(upright(image), crop, size).transpose(2, 0, 1)
    except BROKEN as error:
        where = file if part is None else f"at byte {part[0]:,} of {file}"
        raise DataError(
            f"cannot read the picture {where}: {reason(error, data)}; mend it or take it out of the data set"
        ) from error


def reason(error: Exception, data: bytes = b"") -> str:
    """Why a picture cannot be read, in words.

    Args:
        data: the file's bytes, as far as they are known: they tell what it is instead.
    """
    if isinstance(error, UnidentifiedImageError):
        for what, start in INSTEAD.items():
            if start.match(data):
                return f"it is {what}"
        return f"it is none of {', '.join(FORMATS)}"
    if isinstance(error, OSError) and error.strerror:  # without the path, which is said anyhow
        return error.strerror.lower()
    return without_addresses(str(error)) or type(error).__name__
