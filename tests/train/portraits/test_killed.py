"""The studio, killed at any moment or out of room: the same command finishes the set as if nothing had been."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.disks import disk, filled, unwritable, why
from tests.killing import forks, run, was_killed
from train.cli import main
from train.portraits.recipe import load_recipe
from train.portraits.studio import person_photographer, read_rows

__all__ = ["disk", "unwritable"]  # fixtures
pytestmark = forks

KILLS = max(2, int(os.environ.get("ECGAN_KILLS", "9")) // 3)  # at random moments; each costs some seconds
RECIPE = "{seed: 40, emotions: {neutral: {eyeWide: .18}, happy: {mouthSmile: .95, cheekSquint: .38}}}"
PEOPLE = 6


@pytest.fixture(scope="module")
def recipe(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("emotions") / "two.yaml"
    path.write_text(RECIPE)
    return path


def make(recipe: Path, out: Path, workers: int = 1) -> list[str]:
    return ["portraits", str(recipe), f"--out={out}", f"--count={PEOPLE}", "--size=64", f"--workers={workers}"]


@pytest.fixture(scope="module")
def uninterrupted(recipe, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("portraits") / "set"
    assert main(make(recipe, out)) == 0
    return out


def files_of(folder: Path) -> dict[str, bytes]:
    """All files of a set, hidden ones too."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def check_what_a_kill_left(out: Path) -> None:
    """Whatever has its name is whole, and whoever has rows has pictures."""
    for picture in out.rglob("*.jpg"):
        with Image.open(picture) as image:
            image.load()
    for table in (*out.glob(".rows/*.csv"), *out.glob("index.csv")):
        assert all((out / row["file"]).is_file() for row in read_rows(table))


def photograph_person(recipe: Path, out: Path) -> None:
    """What a worker does for the first person, in one emotion."""
    whole = load_recipe(recipe)
    happy = dataclasses.replace(whole, emotions={"happy": whole.emotions["happy"]})
    person_photographer(happy, out, 64, None)(0)


def test_a_worker_killed_at_each_of_its_writes(recipe, uninterrupted, tmp_path):
    out, deaths, code = tmp_path / "set", 0, None
    while code != 0:
        code, said = run(photograph_person, recipe, out, folder=out, at=deaths + 1)
        assert code == 0 or was_killed(code), said
        deaths += was_killed(code)
        check_what_a_kill_left(out)
    assert deaths >= 8, "four for the picture, and four for its row"
    files = files_of(out)
    assert files["happy/00000.jpg"] == files_of(uninterrupted)["happy/00000.jpg"]
    left = files.keys() - {"happy/00000.jpg", ".rows/00000.csv"}
    assert all(name.endswith(".part") for name in left), "which the studio sweeps away"


def test_the_studio_killed_at_each_of_its_writes(recipe, uninterrupted, tmp_path):
    out, deaths = tmp_path / "set", 0
    while not (out / "recipe.yaml").exists():
        deaths += 1
        code, said = run(main, make(recipe, out), folder=out, at=deaths)
        assert was_killed(code), said
    assert deaths > 4, "at each write of the recipe; then its workers came through, and it at the next write"
    deaths, code = 0, None
    while code != 0:
        code, said = run(main, make(recipe, out), folder=out, at=deaths + 1)
        assert code == 0 or was_killed(code), said
        deaths += was_killed(code)
        check_what_a_kill_left(out)
    assert deaths > 7, "four for the index, four for the sheet, and more"
    assert files_of(out) == files_of(uninterrupted)


def living(session: int) -> list[int]:
    """The processes of a session that are not dead."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, its_session = status.read_text().rpartition(")")[2].split()[:4]
        except OSError:  # it has just ended
            continue
        if int(its_session) == session and state != "Z":
            found.append(int(status.parent.name))
    return found


def wait_until(condition, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing came of it"
        time.sleep(0.005)


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="looks for processes where Linux lists them")
def test_a_set_that_is_killed_again_and_again_comes_out_the_same(recipe, uninterrupted, tmp_path):
    """The command and its two workers: the command alone, whose workers then have to end by themselves, or all."""
    out, chance = tmp_path / "set", random.Random(7)
    for number in range(KILLS):
        pictures = len(list(out.glob("*/*.jpg")))
        command = [sys.executable, "-m", "train", *make(recipe, out, workers=2)]
        making = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # While a picture is being written or has just been, or a little later; if none is left to do, at the end.
        wait_until(
            lambda: (
                making.poll() is not None  # noqa: B023
                or list(out.glob("*/.*.part"))
                or len(list(out.glob("*/*.jpg"))) > pictures  # noqa: B023
            )
        )
        time.sleep(chance.choice([0, chance.uniform(0, 0.5)]))
        if number % 2 and making.poll() is None:
            os.killpg(making.pid, signal.SIGKILL)
        else:
            making.kill()
        making.wait()
        wait_until(lambda: not living(making.pid), 60)  # noqa: B023
        check_what_a_kill_left(out)
        if (out / "index.csv").exists():
            shutil.rmtree(out)  # it was faster than we are: once more
    assert main(make(recipe, out)) == 0
    assert files_of(out) == files_of(uninterrupted)


def test_a_set_whose_disk_was_full_comes_out_the_same(recipe, uninterrupted, disk, capsys):
    out = disk / "set"
    for room, file in ((0, "recipe.yaml"), ({"limited": 1500, "mounted": 2 * 4096}[disk.name], ".jpg")):
        with filled(disk, room):
            assert main(make(recipe, out)) == 1
        said = capsys.readouterr().err.splitlines()[-1]  # above it, how far it had come
        assert f"{file} cannot be written: {why(disk)}" in said
        assert said.startswith(f"portraits: {out}" if room == 0 else f"portraits: item 0: {out}")
        check_what_a_kill_left(out)
        assert not list(out.rglob("*.part"))
    assert main(make(recipe, out)) == 0
    assert files_of(out) == files_of(uninterrupted)


@pytest.mark.parametrize("command", ["portraits", "preview"])
def test_an_unwritable_place_is_one_sentence(recipe, unwritable, capsys, command):
    out = unwritable / "preview.png" if command == "preview" else unwritable / "set"
    arguments = [command, str(recipe), f"--out={out}", "--size=64"]
    assert main(arguments + ["--count=1"] * (command == "portraits")) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"{command}: {out}")
    assert " cannot be written: " in error
    assert error.count("\n") == 1
