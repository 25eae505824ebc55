"""From photographs as they are to a set of faces as the model sees them."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data as pictures

from ecgan_core.face.finder.finding import find_faces
from train.cli import main
from train.config import Source
from train.data.sources.source import rows_of

ASTRONAUT = Image.fromarray(pictures.astronaut())


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """One usable photograph upright, one on its side, one as the camera turned it; and five that are doubtful."""
    folder = tmp_path / "photographs"
    for emotion in ("happy", "neutral"):
        (folder / emotion).mkdir(parents=True)
    ASTRONAUT.save(folder / "happy" / "eileen.jpg", quality=95)
    ASTRONAUT.rotate(90, expand=True).save(folder / "happy" / "on-her-side.png")
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held upright: turn by 90° clockwise
    ASTRONAUT.rotate(90, expand=True).save(folder / "neutral" / "phone.jpg", quality=95, exif=turned)
    pair = Image.new("RGB", (1024, 512))
    pair.paste(ASTRONAUT, (0, 0))
    pair.paste(ASTRONAUT, (512, 0))
    pair.save(folder / "neutral" / "two.jpg")
    Image.new("RGB", (300, 300), (90, 120, 90)).save(folder / "neutral" / "meadow.jpg")
    ASTRONAUT.resize((160, 160)).save(folder / "neutral" / "far.png")
    ASTRONAUT.crop((215, 60, 400, 260)).save(folder / "neutral" / "half.png")
    (folder / "neutral" / "torn.jpg").write_bytes((folder / "happy" / "eileen.jpg").read_bytes()[:3000])
    return folder


def pixels(file: Path) -> np.ndarray:
    with Image.open(file) as image:
        return np.asarray(image)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_photographs_become_a_set(photographs: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "set"
    assert main(["faces", str(photographs), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "3 of 8 pictures: happy 2, neutral 1; 5 left out" in said
    assert f"python -m train check {out}" in said
    rows = rows_of(Source("set"), tmp_path)
    assert sorted((row.file.name, row.emotion, row.identity) for row in rows) == [
        ("eileen.jpg", "happy", "set/eileen"),
        ("on-her-side.jpg", "happy", "set/on-her-side"),
        ("phone.jpg", "neutral", "set/phone"),
    ]
    faces = {row.file.name: pixels(row.file) for row in rows}
    for name, face in faces.items():
        assert face.shape[0] == face.shape[1]
        [box, *_] = find_faces(torch.from_numpy(face.copy()).movedim(-1, 0) / 255)
        assert abs(box.roll) < 6, name
    small = [np.asarray(Image.fromarray(face).resize((64, 64)), dtype=np.float32) for face in faces.values()]
    assert max(np.abs(face - small[0]).mean() for face in small) < 14, "the same face in the same place, however it lay"
    assert (out / "sheet.jpg").is_file()
    why = {row["file"].partition("/")[2]: row["why"] for row in table(out / "left-out.csv")}
    assert why.keys() == {"two.jpg", "meadow.jpg", "far.png", "half.png", "torn.jpg"}
    assert "2 faces of about the same size" in why["two.jpg"]
    assert why["meadow.jpg"] == "no face is found"
    assert "too small" in why["far.png"]
    assert "cut by the picture's edge" in why["half.png"]
    assert why["torn.jpg"].startswith("cannot be read")
    assert main(["check", str(out)]) in (0, 1)
    assert "cannot" not in capsys.readouterr().out


def test_labels_and_identities_of_a_table_are_kept(photographs: Path, tmp_path: Path) -> None:
    lines = [
        "file;Emotion;identity",
        "happy/eileen.jpg;../proud;e1",
        "neutral/phone.jpg;calm;e1",
        "happy/eileen.jpg;calm;e2",
    ]
    (photographs / "index.csv").write_text("\n".join(lines))
    assert main(["faces", str(photographs), "--out", str(tmp_path / "set")]) == 0
    kept = [(row["emotion"], row["identity"], row["from"]) for row in table(tmp_path / "set" / "index.csv")]
    assert kept == [
        ("../proud", "e1", "happy/eileen.jpg"),
        ("calm", "e1", "neutral/phone.jpg"),
        ("calm", "e2", "happy/eileen.jpg"),
    ]
    assert len(rows_of(Source("set"), tmp_path)) == 3
    assert {path.parent.parent for path in (tmp_path / "set").rglob("*-*.jpg")} <= {tmp_path / "set"}


def test_a_face_is_scaled_down_but_never_up(photographs: Path, tmp_path: Path) -> None:
    for largest, side in ((96, 96), (512, None)):
        out = tmp_path / f"of-{largest}"
        assert main(["faces", str(photographs), "--out", str(out), "--largest", str(largest)]) == 0
        width = pixels(out / "happy" / "eileen.jpg").shape[1]
        assert width == side if side else 96 < width < 300


def test_what_cannot_be_done_is_said_and_nothing_is_left(photographs: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("keep me")
    (tmp_path / "empty").mkdir()
    (tmp_path / "none" / "happy").mkdir(parents=True)
    Image.new("RGB", (300, 300), (90, 120, 90)).save(tmp_path / "none" / "happy" / "meadow.jpg")
    for source, out, options, sentence in (
        (photographs, "full", [], "is there already"),
        (tmp_path / "empty", "new", [], "sort them into folders that are named after emotions"),
        (tmp_path / "nowhere", "new", [], "there is no folder"),
        (tmp_path / "none", "new", [], "none of the 1 pictures .* can be used: no face is found"),
        (photographs, "new", ["--least", "600"], "least side of a face must be from 16 to the largest"),
    ):
        assert main(["faces", str(source), "--out", str(tmp_path / out), *options]) == 1
        assert re.search(sentence, capsys.readouterr().err)
    assert (tmp_path / "full" / "letter.txt").read_text() == "keep me"
    assert {path.name for path in tmp_path.iterdir()} == {"photographs", "full", "empty", "none"}
