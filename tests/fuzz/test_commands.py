"""The commands, with files that no camera and no spreadsheet would write: an exit code, and one sentence on stderr."""

from __future__ import annotations

import contextlib
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from PIL import Image

from ecgan_core.cli import main as ecgan
from ecgan_core.files.checkpoint import save_checkpoint
from tests.fuzz.answers import must_be_a_sentence
from tests.fuzz.examples import fuzz
from tests.fuzz.strategies import box_texts, filled
from train.cli import main as train

CODES: Counter[tuple[str, object, int]] = Counter()  # by command, to see that each of them gave each answer
MODES = ("RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "YCbCr", "HSV", "LAB", "I;16", "I", "F")
FORMATS = ("png", "jpg", "gif", "webp", "tif", "bmp")
sides = st.sampled_from((1, 2, 9, 40, 64))


@st.composite
def files(draw: st.DrawFn) -> tuple[str, bytes]:
    """(ending, bytes) of a picture in any mode and format: turned by EXIF, animated, cut short, or none at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(FORMATS)), draw(st.binary(max_size=30))
    mode, ending = draw(st.sampled_from(MODES)), draw(st.sampled_from(FORMATS))
    pixels = (255 * filled((draw(sides), draw(sides), 3), draw(st.sampled_from(("noise", "white"))), 1)).byte().numpy()
    picture = Image.fromarray(pixels)
    with contextlib.suppress(ValueError):
        picture = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257) if mode == "I;16" else picture.convert(mode)
    written, more = io.BytesIO(), {}
    if ending in ("jpg", "webp", "png") and draw(st.booleans()):
        exif = Image.Exif()
        exif[0x0112] = draw(st.sampled_from((3, 6, 8, 99)))
        more["exif"] = exif
    if ending in ("gif", "webp", "tif"):
        more |= {"save_all": True, "append_images": [picture.copy()]}
    kind = {"jpg": "JPEG", "tif": "TIFF"}.get(ending, ending.upper())
    try:
        picture.save(written, kind, **more)
    except (OSError, ValueError, KeyError):  # a mode that the format does not have
        written = io.BytesIO()
        picture.convert("RGB").save(written, kind)
    data = written.getvalue()
    return ending, data[: draw(st.integers(0, len(data)))] if draw(st.integers(0, 4)) == 0 else data


@pytest.fixture(scope="module")
def place(pipeline, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("commands")
    save_checkpoint(pipeline, folder / "model.safetensors", dtype=torch.float32)
    mask = torch.zeros(40, 40)
    mask[10:30, 10:30] = 255
    Image.fromarray(mask.byte().numpy()).save(folder / "mask.png")
    return folder


def told(main, *arguments: object) -> int:
    """The exit code of a command, whose stderr has one sentence where it could not be done."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as error:
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as usage:  # argparse's own
            code = usage.code
    assert code in (0, 1, 2)
    CODES[main.__module__, arguments[0], code] += 1
    if code == 2:
        return code
    if code:
        must_be_a_sentence(error.getvalue().rstrip("\n"))
    return code


def written(folder: Path, name: str, file: tuple[str, bytes]) -> Path:
    path = folder / f"{name}.{file[0]}"
    path.write_bytes(file[1])
    return path


odd_values = st.one_of(st.floats().map(str), st.sampled_from(("1e30", "", "one", "-1", "٣", str(2**70), "0.5")))


@fuzz(
    80,
    picture=files(),
    mask=st.one_of(files(), st.none()),
    box=box_texts(),
    option=st.tuples(
        st.sampled_from(("--strength", "--seed", "--samples", "--variation", "--feather", "--emotion")), odd_values
    ),
)
def test_complete_infer_and_inspect(place, tmp_path_factory, picture, mask, box, option):
    image = written(place, "picture", picture)
    hole = written(place, "hole", mask) if mask else place / "mask.png"
    face = ("--box", box) if box.count(",") == 3 and "\0" not in box else ("--face", "whole")
    model = ("--model", place / "model.safetensors")
    out = place / "out"
    value = "2" if option[0] == "--samples" and option[1].isdecimal() and int(option[1]) > 2 else option[1]
    code = told(ecgan, "complete", image, "--hole", hole, *model, *face, "--out", out, option[0], value)
    if code == 0:
        with Image.open(out / "complete-0.png") as picture:
            assert picture.mode == "RGB"
        shifting = ("--emotion", "joyful", "--strength", option[1], *model, "--out", out)
        told(ecgan, "shift", out / "latent-0.safetensors", *shifting)
    told(ecgan, "infer", image, "--hole", hole, *model, *face)
    told(ecgan, "inspect", image)


cells = st.one_of(
    st.sampled_from(("a.png", "neutral", "happy", "", "..", "/etc", "train", "no.png")), st.text(max_size=5)
)


@fuzz(
    80,
    picture=files(),
    rows=st.lists(st.lists(cells, max_size=5), max_size=4),
    header=st.sampled_from(
        ("file,emotion,identity,use", "file,emotion", "emotion", "", "file;emotion", "file,file,emotion")
    ),
)
def test_check_a_table(place, picture, rows, header):
    folder = place / "set"
    folder.mkdir(exist_ok=True)
    (folder / "a.png").write_bytes(picture[1])
    text = "\n".join([header, *(",".join(row) for row in rows)])
    (folder / "index.csv").write_bytes(text.encode("utf-8", "surrogatepass"))
    told(train, "check", folder, "--size", "16")


@fuzz(40, run=st.sampled_from(("set", "none", "out")), values=st.lists(odd_values, min_size=3, max_size=3))
def test_fit_evaluate_export_and_portraits_say_what_they_lack(place, run, values):
    recipe = place / "recipe.yaml"
    recipe.write_text("data: [{path: nowhere}]\n")
    told(train, "fit", recipe, "--data", place, "--out", place / "run", "--cpu", "--set", f"images={values[0]}")
    told(
        train,
        "evaluate",
        place / "model.safetensors",
        recipe,
        "--data",
        place,
        "--out",
        place / "report",
        "--pairs",
        values[1],
        "--variation",
        values[2],
    )
    told(train, "export", place / run, place / "model.out")
    told(train, "portraits", place / "mask.png", "--out", place / "p", "--count", values[0], "--size", values[1])
    told(train, "check", place / run, "--size", values[0], "--held-out", values[1])


def test_every_answer_was_given():
    """The examples of this module are neither all good nor all bad."""
    for command in ("complete", "infer"):
        assert all(CODES["ecgan_core.cli", command, code] >= 5 for code in (0, 1)), CODES
    assert CODES["ecgan_core.cli", "complete", 2] >= 5, CODES
    assert CODES["ecgan_core.cli", "shift", 0] >= 2, CODES
    assert CODES["train.cli", "check", 1] >= 20, CODES
    print(dict(CODES))
