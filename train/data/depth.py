"""Pictures of more than 8 bits a channel, at their full range.

Pillow reads grey ones as what they are (colours come with 8 bits from it), and its own way to RGB would cut off all
that is brighter than 255, which is nearly everything: a 16-bit portrait would be a white page.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

BITS, KIND_OF_GREY, KIND_OF_NUMBER, ORIENTATION = 0x0102, 0x0106, 0x0153, 0x0112  # tags of TIFF; the last of EXIF too
WHITE_IS_ZERO, UNSIGNED = 0, 1
BEYOND = 2  # times white: as bright as highlights may be in a picture of floats


def is_deep(image: Image.Image) -> bool:
    """Whether it is grey with more than 8 bits."""
    return image.mode.startswith(("I", "F"))


def white_of(image: Image.Image) -> float:
    """The number that is white in a picture: 255, or the largest that its bits can say.

    What integers of 32 bits and floats mean, no file says. Theirs is the least of 1 (floats only), 255, 65,535 and
    4,294,967,295 (integers only) that holds all pixels.

    Raises:
        ValueError: its numbers are too large to tell.
    """
    if not is_deep(image):
        return 255
    if image.mode.startswith("I;16"):
        bits = image.getexif().get(BITS, 16)
        return 2 ** (bits[0] if isinstance(bits, tuple) else bits) - 1
    if image.format == "PNG":  # of 16 bits, as Pillow had them before version 11
        return 65535
    brightest = float(_numbers(image).max(initial=0))
    for white in (1, 255, 65535) if image.mode == "F" else (255, 65535, 2**32 - 1):
        if brightest <= white * (BEYOND if image.mode == "F" else 1):
            return white
    raise ValueError(f"its numbers go up to {brightest:g}, and which of them is white cannot be told")


def of_8_bits(image: Image.Image) -> Image.Image:
    """A grey picture of more bits as one of 8, from black at 0 to `white_of`; still lying as the camera held it.

    Raises:
        ValueError: it has numbers below black, or too large ones.
    """
    white, numbers = white_of(image), _numbers(image)
    if (darkest := numbers.min()) < -white / 20:
        raise ValueError(f"its numbers go down to {darkest:g}, and black is 0")
    if image.getexif().get(KIND_OF_GREY) == WHITE_IS_ZERO:
        numbers = white - numbers
    grey = Image.fromarray((numbers.clip(0, white) * (255 / white)).round().astype(np.uint8))
    grey.getexif()[ORIENTATION] = image.getexif().get(ORIENTATION, 1)
    return grey


def _numbers(image: Image.Image) -> np.ndarray:
    """Float64 [H,W]; what is no number is 0."""
    numbers = np.asarray(image)
    if image.mode == "I" and image.format == "TIFF" and image.getexif().get(KIND_OF_NUMBER, UNSIGNED) == UNSIGNED:
        numbers = numbers.view(np.uint32)  # Pillow has signed ones only
    return np.nan_to_num(numbers.astype(np.float64), posinf=np.inf, neginf=-np.inf)
