"""Which kinds of pictures are read, how their names end, and what files may be that only seem to be pictures."""

from __future__ import annotations

import functools
import importlib.util
import re

from PIL import features

from ecgan_core.files.replacing import PICTURE_FORMATS

SUFFIXES_OF = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png",),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "AVIF": (".avif",),
    "HEIF": (".heic", ".heif", ".hif"),
}
HAS_AVIF = "avif" in features.modules and features.check_module("avif")  # not every Pillow was built with it
HAS_HEIF = importlib.util.find_spec("pillow_heif") is not None  # the `heic` extra
FORMATS = (*PICTURE_FORMATS, *["AVIF"] * HAS_AVIF, *["HEIF"] * HAS_HEIF)
SUFFIXES = {suffix for kind in FORMATS for suffix in SUFFIXES_OF[kind]}

# What files that are called pictures may be instead, by how they begin.
INSTEAD = {
    "empty": re.compile(rb"\0*\Z"),
    "a HEIC picture; save it as JPEG, or install the package pillow-heif": re.compile(
        rb"....ftyp(hei|hev|mif|msf)", re.DOTALL
    ),
    "a web page or a drawing": re.compile(rb"\s*<"),
    "a pointer of Git LFS, and `git lfs pull` fetches what it points to": re.compile(rb"version https://git-lfs"),
}


@functools.cache
def learn_heif() -> None:
    """Teach Pillow to read phones' pictures, where pillow-heif is installed."""
    if HAS_HEIF:
        import pillow_heif

        pillow_heif.register_heif_opener()
