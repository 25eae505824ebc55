"""What a picture looks like to `check`: its size, whether it is grey or empty, and which others it repeats.

Pictures are compared by a perceptual hash (Zauner, "Implementation and benchmarking of perceptual image hash
functions", 2010): the signs of the low frequencies of a small grey copy, 255 bits. Measured on faces that are aligned
alike: a picture that was scaled, saved again as JPEG, brightened, coloured or moved by a pixel differs from itself by
at most 26 bits, mostly by less than 10; the nearest picture of *another* rendered person (of 200) by at least 48; and
in 944 photographs all pairs of up to 32 bits were of one person, taken in a row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.fft import dctn

from ..cache import processors, progress
from ..depth import white_of
from ..pictures import BROKEN, Crop, frame, opened, read_bytes, reason, upright
from ..sources.row import Row

SIDE = 32  # of the small copy
FREQUENCIES = 16  # per direction
NEAR = 24  # bits of 255: two takes of one picture
SAME, ALIKE = 0.12, 0.6  # `difference` of one picture saved twice; of two takes of it
TINTED = 0.05  # mean difference of tints; red up and blue down by a tenth moves grey by .02
GONE = "is not there"  # a problem
GREY = 3.0  # colour, 0..255
ROWS_AT_ONCE = 2048


@dataclass(frozen=True)
class Look:
    """One picture, or why it cannot be used."""

    problem: str = ""
    size: tuple[int, int] = (0, 0)  # of the whole picture, upright
    side: float = 0.0  # shorter side of the crop, in pixels
    stretch: float = 1.0  # how much taller the crop is than wide
    colour: float = 0.0  # mean difference between the brightest and the darkest channel, 0..255
    contrast: float = 0.0  # standard deviation of the small copy, 0..127
    transparent: bool = False
    white: float = 255.0  # the number that is white
    moving: bool = False  # of several frames, the first of which is looked at; a phone's JPEG may have a second view
    digest: bytes = b""
    small: np.ndarray | None = None  # the crop as float32 [SIDE,SIDE], grey, 0..255
    tints: np.ndarray | None = None  # float32 [4,4,3]: shares of red, green and blue in the crop's parts


def look_at(row: Row, crop: Crop) -> Look:
    """Decode a picture whole and look at its crop."""
    data = b""
    try:
        data = read_bytes(row.file, row.part)
        with opened(data) as image:
            white, moving = white_of(image), image.format != "MPO" and getattr(image, "is_animated", False)
            transparent = (
                white == 255 and image.has_transparency_data and image.convert("RGBA").getextrema()[3][0] < 255
            )
            picture = upright(image)
    except FileNotFoundError:
        return Look(GONE)
    except BROKEN as error:
        return Look(reason(error, data))
    small = frame(picture, crop, SIDE)
    grey = np.asarray(Image.fromarray(small).convert("L"), dtype=np.float32)
    width, height = (crop[2] - crop[0]) * picture.width, (crop[3] - crop[1]) * picture.height
    spread = small.max(axis=2).astype(float) - small.min(axis=2)
    digest = hashlib.blake2b(data, digest_size=16).digest()
    coarse = frame(picture, crop, 4).astype(np.float32) + 10  # black has no tint
    tints = coarse / coarse.sum(axis=2, keepdims=True)
    return Look(
        "",
        picture.size,
        min(width, height),
        height / width,
        spread.mean(),
        grey.std(),
        transparent,
        white,
        moving,
        digest,
        grey,
        tints,
    )


def look_at_all(rows: Sequence[Row], crops: Sequence[Crop]) -> list[Look]:
    """`look_at` for each row, by threads."""
    with ThreadPoolExecutor(processors()) as pool:
        return list(progress(pool.map(look_at, rows, crops), "looking", len(rows)))


def hashes(small: np.ndarray) -> np.ndarray:
    """Perceptual hashes [N,255] of grey pictures [N,SIDE,SIDE], as float32 ±1: a product of two counts equal bits."""
    low = dctn(small, axes=(1, 2), norm="ortho")[:, :FREQUENCIES, :FREQUENCIES].reshape(len(small), -1)[:, 1:]
    return np.where(low > np.median(low, axis=1, keepdims=True), 1, -1).astype(np.float32)


def near_pairs(small: np.ndarray, person: np.ndarray) -> list[tuple[int, int]]:
    """Pairs (earlier, later) of pictures that repeat each other, mirrored or not.

    For each picture the nearest earlier one of its own person, and the nearest of another person: enough to find all
    that repeat something, without listing every pair of a film's frames.

    Args:
        small: grey pictures [N,SIDE,SIDE], none of them empty.
        person: int [N].
    """
    if not len(small):
        return []
    bits = hashes(small)
    both = (bits, hashes(small[:, :, ::-1]))
    threshold = bits.shape[1] - 2 * NEAR
    pairs = set()
    starts = range(0, len(bits), ROWS_AT_ONCE)
    for start in progress(starts, "comparing", len(starts)):
        later = np.arange(start, min(start + ROWS_AT_ONCE, len(bits)))
        earlier = np.arange(later[-1] + 1)
        alike = np.maximum(*(version[later] @ bits[earlier].T for version in both))
        alike[earlier >= later[:, None]] = -np.inf
        own = person[later, None] == person[earlier]
        for wanted in (own, ~own):
            nearest = np.where(wanted, alike, -np.inf)
            best = nearest.argmax(axis=1)
            found = nearest[np.arange(len(later)), best] >= threshold
            pairs |= set(zip(best[found].tolist(), later[found].tolist(), strict=True))
    return sorted(pairs)


def coloured_alike(first: Look, second: Look) -> bool:
    """Whether two pictures have the same colours, roughly; one that is grey may be a copy of any."""
    if first.tints is None or second.tints is None or min(first.colour, second.colour) < GREY:
        return True
    apart = min(np.abs(first.tints - other).mean() for other in (second.tints, second.tints[:, ::-1]))
    return float(apart) < TINTED


def difference(first: np.ndarray, second: np.ndarray) -> float:
    """How far two grey pictures [SIDE,SIDE], or one and the other's mirror image, differ where they differ most.

    In standard deviations of the pictures, so that light and contrast do not count: below `SAME` they are one picture
    that was saved twice; one person with another expression has at least .17.
    """
    first, second = ((picture - picture.mean()) / max(float(picture.std()), 4) for picture in (first, second))
    return min(_largest_difference(first, other) for other in (second, second[:, ::-1]))


def _largest_difference(first: np.ndarray, second: np.ndarray, part: int = 4) -> float:
    """Mean absolute difference in the part of the pictures where it is largest."""
    apart = np.abs(first - second).reshape(SIDE // part, part, SIDE // part, part)
    return float(apart.mean(axis=(1, 3)).max())
