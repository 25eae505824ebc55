"""Folders as they are found: what systems leave in them, kinds of pictures, and names that are almost the same."""

from __future__ import annotations

import os
import re
import shutil

import pytest
import yaml

from train.cli import main
from train.config import Source
from train.data.formats import HAS_AVIF, HAS_HEIF, SUFFIXES, SUFFIXES_OF
from train.data.names import nearest, renaming
from train.data.pictures import read_face
from train.data.sources.row import DataError
from train.data.sources.source import found_in, rows_of

from ..conftest import EMOTIONS, draw_face
from .test_sources import jpeg, write_tar

ADDRESS = re.compile(r"0x[0-9a-f]{6}|<_io")


@pytest.fixture
def copy(data, tmp_path):
    return shutil.copytree(data / "faces", tmp_path / "faces")


def report_of(capsys, *arguments):
    """(exit code, the report in one line)"""
    code = main(["check", *map(str, arguments)])
    return code, " ".join(capsys.readouterr().out.split())


# What systems leave ---------------------------------------------------------------------------------------------------


def leave_traces(folder):
    """What macOS, Synology's stations, Windows and editors leave in a folder that they show."""
    for emotion in (*EMOTIONS, ".trash", "@eaDir", "__MACOSX", "$RECYCLE.BIN", "#recycle"):
        (folder / emotion / "@eaDir" / "00.png").mkdir(parents=True)
        (folder / emotion / "@eaDir" / "00.png" / "SYNOPHOTO_THUMB_M.jpg").write_bytes(b"x")
        (folder / emotion / "._00.png").write_bytes(b"\0\5\26\7 no picture")
        (folder / emotion / ".hidden.jpg").write_bytes(b"x")
        (folder / emotion / "Thumbs.db").write_bytes(b"x")
        (folder / emotion / ".DS_Store").write_bytes(b"x")
    (folder / "._happy").write_bytes(b"x")
    (folder / ".01.png").write_bytes(b"x")
    (folder / ".trash" / "00.png").write_bytes(b"x")
    (folder / "@eaDir" / "00.jpg").write_bytes(b"x")


def test_what_systems_leave_is_passed_over_without_a_word(data, copy, capsys):
    plain = report_of(capsys, data / "faces")
    leave_traces(copy)
    found = found_in(Source("faces"), copy.parent)
    assert [row.file.relative_to(copy) for row in found.rows] == sorted(
        path.relative_to(data / "faces") for path in (data / "faces").glob("*/*.png")
    )
    assert found.passed_over == []
    assert report_of(capsys, copy) == plain


def test_what_systems_leave_in_an_archive_is_passed_over(tmp_path):
    files = [
        ("./._set", b"x"), ("./set/._1.jpg", b"x"), ("./set/1.jpg", jpeg("happy", 1)), ("./set/._1.cls", b"x"),
        ("./set/1.cls", b"happy"), ("./__MACOSX/1.jpg", b"x"), ("./.git/2.jpg", b"x"), ("./set/Thumbs.db", b"x"),
    ]  # fmt: skip
    write_tar(tmp_path / "a.tar", files)
    (tmp_path / "._a.tar").write_bytes(b"\0\5\26\7")
    found = found_in(Source("*.tar"), tmp_path)
    assert [(row.emotion, row.identity) for row in found.rows] == [("happy", "*.tar/./set/1")]
    assert (found.passed_over, found.damaged) == ([], [])


def test_a_folder_called_like_a_picture_is_none(copy):
    (copy / "happy" / "scans.jpg").mkdir()
    found = found_in(Source("faces"), copy.parent)
    assert (len(found.rows), found.passed_over) == (36, [f"{copy}/happy/scans.jpg/"])


def test_a_file_whose_name_is_in_an_unknown_encoding_is_used_and_shown(copy, recipe, tmp_path, capsys):
    happy = os.fsencode(copy / "happy")
    os.rename(happy + b"/00.png", happy + b"/M\xfcller.png")  # as a zip from another system is unpacked
    os.rename(happy + b"/01.png", happy + b"/M\xfcller\n2.txt")
    write_tar(copy.parent / "a.tar", [("1.jpg", jpeg("happy", 1)), ("1.cls", b"happy")])
    content = (copy.parent / "a.tar").read_bytes()
    os.rename(copy.parent / "a.tar", os.fsencode(copy.parent) + b"/\xfc.tar")
    (copy.parent / os.fsdecode(b"\xfc.tar")).write_bytes(content.rstrip(b"\0"))
    code, report = report_of(capsys, copy)
    assert (code, "Passed over: .txt 1" in report, "M\ufffdller" in report) == (0, True, True)
    more = ["data=[{path: faces, held_out: 0}, {path: '*.tar', held_out: 0}]"]
    train(recipe, copy.parent, tmp_path, *more)
    assert "\ufffd.tar has no end" in capsys.readouterr().out
    (happy_file,) = (copy / "happy").glob("M*.png")
    happy_file.write_bytes(b"x")
    assert main(["fit", str(recipe), "--data", str(copy.parent), "--out", str(tmp_path / "other"), "--cpu"]) == 1
    assert "happy/M\ufffdller.png: it is none of" in capsys.readouterr().err


# Kinds of pictures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", sorted(SUFFIXES - {*SUFFIXES_OF["HEIF"]}))
def test_every_kind_is_taken_from_folders_tables_and_archives(tmp_path, suffix):
    folder = tmp_path / "faces" / "happy"
    folder.mkdir(parents=True)
    draw_face("happy", 1).save(folder / f"001{suffix.upper()}")
    (tmp_path / "table").mkdir()
    shutil.copy(folder / f"001{suffix.upper()}", tmp_path / "table" / f"001{suffix}")
    (tmp_path / "table" / "index.csv").write_text(f"file,emotion\n001{suffix},happy\n")
    write_tar(tmp_path / "a.tar", [(f"1{suffix}", (folder / f"001{suffix.upper()}").read_bytes()), ("1.cls", b"happy")])
    for place in ("faces", "table", "a.tar"):
        (row,) = rows_of(Source(place), tmp_path)
        face = read_face(row.file, (0, 0, 1, 1), 96, row.part).transpose(1, 2, 0).astype(float)
        assert abs(face - draw_face("happy", 1)).mean() < 12, place  # GIF has 256 colours


def test_the_usual_kinds_are_among_them():
    assert {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"} <= SUFFIXES
    assert (".avif" in SUFFIXES) == HAS_AVIF
    assert (".heic" in SUFFIXES) == HAS_HEIF


@pytest.mark.parametrize("suffix", SUFFIXES_OF["HEIF"])
def test_a_phones_picture_is_read_where_its_package_is(copy, suffix):
    pillow_heif = pytest.importorskip("pillow_heif", reason="the `heic` extra is not installed")
    pillow_heif.from_pillow(draw_face("happy", 90)).save(copy / "happy" / f"a{suffix}")
    (row,) = [row for row in rows_of(Source("faces"), copy.parent) if row.file.suffix == suffix]
    face = read_face(row.file, (0, 0, 1, 1), 96).transpose(1, 2, 0).astype(float)
    assert abs(face - draw_face("happy", 90)).mean() < 12


@pytest.mark.skipif(HAS_HEIF, reason="here such pictures are read")
def test_a_phones_picture_is_told_as_such(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x24ftypheic\0\0\0\0mif1heic")
    with pytest.raises(DataError, match="it is a HEIC picture; save it as JPEG, or install the package pillow-heif; "):
        read_face(tmp_path / "a.jpg", (0, 0, 1, 1), 64)


def test_what_cannot_be_read_is_counted_by_check_and_by_fit(copy, recipe, tmp_path, capsys):
    for i in range(4):
        (copy / "happy" / f"{i}.cr2").write_bytes(b"x")
    (copy / "neutral" / "more").mkdir()
    draw_face("happy", 1).save(copy / "left.png")
    shown = ".cr2 4, .png 1, folders 1"
    code, report = report_of(capsys, copy)
    assert (code, f"Passed over: {shown}" in report) == (0, True)
    train(recipe, copy.parent, tmp_path)
    assert f"passed over in {copy}: {shown}\n" in capsys.readouterr().out


INSTEAD = {
    "a web page": (b"\n<!DOCTYPE html><title>404</title>", "it is a web page or a drawing"),
    "nothing": (b"", "it is empty"),
    "zeros": (bytes(4000), "it is empty"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "it is a pointer of Git LFS"),
    "a text": (b"hello", "it is none of BMP, GIF, JPEG, PNG, TIFF, WEBP"),
    "half": (jpeg("happy", 1)[:900], "truncated"),
}


@pytest.mark.parametrize(("content", "words"), INSTEAD.values(), ids=INSTEAD)
def test_a_picture_that_is_none_is_told_without_an_address(copy, recipe, tmp_path, capsys, content, words):
    (copy / "happy" / "03.jpg").write_bytes(content)
    code, report = report_of(capsys, copy)
    assert (code, words in report, ADDRESS.search(report)) == (1, True, None)
    code = main(["fit", str(recipe), "--data", str(copy.parent), "--out", str(tmp_path / "run"), "--cpu"])
    sentence = capsys.readouterr().err.strip().splitlines()[-1]
    assert code == 1
    assert sentence.startswith(f"fit: cannot read the picture {copy}/happy/03.jpg: ")
    assert words in sentence
    assert sentence.endswith("; mend it or take it out of the data set")
    assert ADDRESS.search(sentence) is None


def test_of_a_film_the_first_frame_is_used_and_that_is_said(copy, capsys):
    frames = [draw_face("happy", i) for i in range(3)]
    frames[0].save(copy / "happy" / "00.gif", save_all=True, append_images=frames[1:])
    assert abs(read_face(copy / "happy" / "00.gif", (0, 0, 1, 1), 96).transpose(1, 2, 0) - frames[0]).mean() < 12
    assert "Of 1 picture with several frames the first is used" in report_of(capsys, copy)[1]


# Names ----------------------------------------------------------------------------------------------------------------


def test_near_names_are_a_finding_that_says_what_to_rename(copy, capsys):
    for name, count in (("Happy", 2), ("surprise", 1)):
        (copy / name).mkdir()
        for identity in range(count):
            draw_face("happy", 90 + identity).save(copy / name / f"{90 + identity}.png")
    code, report = report_of(capsys, copy)
    assert code == 0
    assert "'Happy' (2) and 'happy' (12 pictures) differ in nothing but how they are written, and are two" in report
    assert "rename 'Happy' to 'happy': the folder, the rows in index.csv, or" in report
    assert "`labels: {Happy: happy}`" in report
    assert "'surprise' (1) and 'surprised' (12 pictures) are almost one name" in report
    assert "`labels: {surprise: surprised}`" in report
    assert report.count("almost one name") == 1


OTHERS = [("wink 1", "wink 2"), ("pleased", "displeased"), ("sad", "mad"), ("fear", "fearful")]


@pytest.mark.parametrize("there", OTHERS)
def test_names_that_are_others_are_let_alone(data, tmp_path, capsys, there):
    for old, new in zip(EMOTIONS, ("neutral", *there), strict=True):
        shutil.copytree(data / "faces" / old, tmp_path / "faces" / new)
    report = report_of(capsys, tmp_path / "faces")[1]
    assert "almost one name" not in report
    assert "how they are written" not in report


def test_spaces_around_names_and_taken_apart_accents_make_no_other_emotion(tmp_path):
    for name in ("fröhlich", "fro\u0308hlich", "happy", "happy "):
        (tmp_path / "faces" / name).mkdir(parents=True)
        draw_face("happy", len(name)).save(tmp_path / "faces" / name / f"{len(name)}.png")
    rows = rows_of(Source("faces"), tmp_path)
    assert sorted(row.emotion for row in rows) == ["fröhlich", "fröhlich", "happy", "happy"]
    renamed = rows_of(Source("faces", labels={"fro\u0308hlich ": "glad", "happy ": ""}), tmp_path)
    assert [row.emotion for row in renamed] == ["glad", "glad"]


def test_fit_names_what_it_does_not_know_in_quotes(copy, recipe, tmp_path, capsys):
    (copy / "happy").rename(copy / "HAPPY, very")
    assert main(["fit", str(recipe), "--data", str(copy.parent), "--out", str(tmp_path / "run"), "--cpu"]) == 1
    sentence = capsys.readouterr().err
    assert "has pictures of 'HAPPY, very', but the recipe's emotions are 'neutral', 'happy', 'surprised'" in sentence
    assert '`labels: {"HAPPY, very": happy}`' in sentence


def test_a_name_in_capitals_or_with_other_marks_has_its_nearest():
    assert nearest("HAPPY", EMOTIONS) == "happy"
    assert nearest("very_happy", ["very happy", "happy"]) == "very happy"
    assert nearest("grumpy", EMOTIONS) is None
    assert renaming("No", ["neutral"]) == '{"No": ONE OF THEM}'
    for name in ("happy", "very happy", "No", "null", "a: b", "#1", "3", "fröhlich", 'so "glad"', "x,y", "Über\n"):
        assert yaml.safe_load(renaming(name, EMOTIONS)) == {name: nearest(name, EMOTIONS) or "ONE OF THEM"}


# A handful of pictures ------------------------------------------------------------------------------------------------


def test_three_pictures_are_not_called_held_out(tmp_path, recipe, capsys):
    for emotion in EMOTIONS:
        (tmp_path / "faces" / emotion).mkdir(parents=True)
        draw_face(emotion, 3).save(tmp_path / "faces" / emotion / "one.png")
    train(recipe, tmp_path, tmp_path)
    said = capsys.readouterr().out
    assert re.search(r"Q names the emotion of [\d.]+% of 3 faces that it has learnt from\n", said)
    assert "nobody is held out, so the grids show faces that are trained on\n" in said
    assert "held-out" not in said


def test_where_somebody_is_held_out_it_is_said_so(data, recipe, tmp_path, capsys):
    train(recipe, data, tmp_path)
    assert re.search(r"Q names the emotion of [\d.]+% of \d+ held-out faces\n", capsys.readouterr().out)


def train(recipe, data, tmp_path, *more):
    """A step or two."""
    arguments = ["fit", str(recipe), "--data", str(data), "--out", str(tmp_path / "run"), "--cpu"]
    assert main([*arguments, "--set", "images=8", "warmup_images=32", *more]) == 0


def test_an_archive_of_another_kind_in_place_of_a_folder(tmp_path):
    (tmp_path / "faces.zip").write_bytes(b"PK\3\4")
    with pytest.raises(DataError, match=r"faces\.zip is neither a folder nor a plain \.tar archive; unpack it"):
        rows_of(Source("faces.zip"), tmp_path)
