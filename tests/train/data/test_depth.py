"""Grey pictures of more than 8 bits show the face that was saved in them, and `check` says how they were read."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from train.cli import main
from train.data.pictures import read_face
from train.data.sources.row import DataError

from ..conftest import EMOTIONS, draw_face

GREY = np.asarray(draw_face("happy", 1).convert("L"))  # [96,96], 8 bits
SHARES = GREY.astype(np.float64) / 255


def tiff(path, numbers, bits, white_is_zero=False, kind=1):
    """A plain TIFF [H,W], uncompressed, as a scanner writes it."""
    height, width = numbers.shape
    data = np.packbits(_bits_of_12(numbers), axis=1).tobytes() if bits == 12 else numbers.tobytes()
    tags = [
        (256, width), (257, height), (258, bits), (259, 1), (262, 0 if white_is_zero else 1), (273, 134), (277, 1),
        (278, height), (279, len(data)), (339, kind),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    path.write_bytes(head.ljust(134, b"\0") + data)


def _bits_of_12(numbers):
    bits = numbers[..., None] >> np.arange(11, -1, -1) & 1
    return bits.astype(np.uint8).reshape(len(numbers), -1)


def png_16(path):
    Image.fromarray((SHARES * 65535).round().astype(np.uint16)).save(path)


DEEP = {
    "16 bits, PNG": ("a.png", png_16),
    "16 bits, TIFF": ("a.tif", lambda path: tiff(path, (SHARES * 65535).round().astype(np.uint16), 16)),
    "16 bits, white is 0": (
        "a.tif",
        lambda path: tiff(path, ((1 - SHARES) * 65535).astype(np.uint16), 16, True),
    ),
    "12 bits": ("a.tif", lambda path: tiff(path, (SHARES * 4095).round().astype(np.uint16), 12)),
    "32 bits": ("a.tif", lambda path: tiff(path, (SHARES * (2**32 - 1)).astype(np.uint32), 32)),
    "32 bits that hold 16": ("a.tif", lambda path: tiff(path, (SHARES * 65535).astype(np.int32), 32, kind=2)),
    "32 bits that hold 8": ("a.tif", lambda path: tiff(path, GREY.astype(np.uint32), 32)),
    "floats to 1": ("a.tif", lambda path: Image.fromarray(SHARES.astype(np.float32)).save(path)),
    "floats to 255": ("a.tif", lambda path: Image.fromarray(GREY.astype(np.float32)).save(path)),
    "floats to 65,535": ("a.tif", lambda path: Image.fromarray((SHARES * 65535).astype(np.float32)).save(path)),
}


@pytest.mark.parametrize(("name", "write"), DEEP.values(), ids=DEEP)
def test_the_face_is_there_at_full_range(tmp_path, name, write):
    write(tmp_path / name)
    face = read_face(tmp_path / name, (0, 0, 1, 1), 96)
    assert abs(face.astype(int) - GREY).max() <= 1
    assert face.max() > 200


def test_highlights_and_holes_in_floats_do_not_darken_the_rest(tmp_path):
    numbers = SHARES.astype(np.float32)
    numbers[0, 0], numbers[1, 1], numbers[2, 2] = 1.8, np.nan, -0.01
    Image.fromarray(numbers).save(tmp_path / "a.tif")
    face = read_face(tmp_path / "a.tif", (0, 0, 1, 1), 96)[0].astype(int)
    assert (face[0, 0], face[1, 1], face[2, 2]) == (255, 0, 0)
    assert abs(face[3:] - GREY[3:]).max() <= 1


def test_it_is_turned_as_the_camera_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray((SHARES * 65535).round().astype(np.uint16)).save(tmp_path / "a.png", exif=exif)
    assert abs(read_face(tmp_path / "a.png", (0, 0, 1, 1), 96)[0].astype(int) - GREY[::-1, ::-1]).max() <= 1


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        (SHARES * 2 - 1, "its numbers go down to -1, and black is 0"),
        (SHARES * 1e9, r"its numbers go up to 1e\+09, and which of them is white cannot be told"),
        (np.full((96, 96), np.inf), "its numbers go up to inf, and which of them is white cannot be told"),
    ],
)
def test_what_no_range_can_be_told_of_is_refused(tmp_path, numbers, words):
    Image.fromarray(numbers.astype(np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match=f"cannot read the picture .*a.tif: {words}; mend it"):
        read_face(tmp_path / "a.tif", (0, 0, 1, 1), 64)


def test_check_says_what_is_white(tmp_path, capsys):
    for emotion in EMOTIONS:
        (tmp_path / "faces" / emotion).mkdir(parents=True)
        for identity in range(3):
            shares = np.asarray(draw_face(emotion, identity).convert("L")) / 255
            deep = (shares * 65535).astype(np.uint16)
            Image.fromarray(deep).save(tmp_path / "faces" / emotion / f"{identity}.png")
    Image.fromarray(SHARES.astype(np.float32)).save(tmp_path / "faces" / "happy" / "1.tif")
    assert main(["check", str(tmp_path / "faces")]) == 0
    report = " ".join(capsys.readouterr().out.split())
    assert "10 pictures have more than 8 bits; what is white in them is 1 or 65,535 → look at them on" in report
    assert "show next to nothing" not in report
