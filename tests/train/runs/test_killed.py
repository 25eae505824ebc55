"""The trainer, killed at any moment: what was saved is not lost, and it ends with what it would have ended with."""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from tests.killing import forks, run, was_killed
from train.cli import main
from train.runs.run_folder import clock_of, newest_state, states_of

pytestmark = forks

KILLS = int(os.environ.get("ECGAN_KILLS", "9"))  # at random moments
SMALL = ["batch=2", "images=8", "warmup_images=32", "log_every=2", "grid_every=4", "save_every=4"]
IMAGES, GRIDS = [2, 4, 6, 8], [0, 4, 8]


@pytest.fixture(scope="module")
def train(recipe, data):
    """`train(out, …)` trains in a process of its own, beginning the run or going on with it."""

    def call(out: Path, **when) -> tuple[int, str]:
        arguments = ["fit", str(recipe), "--data", str(data), "--out", str(out), "--cpu", "--resume", "auto"]
        return run(main, [*arguments, "--set", *SMALL], folder=out, **when)

    return call


@pytest.fixture(scope="module")
def uninterrupted(train, tmp_path_factory) -> tuple[Path, float]:
    """A run that nobody disturbed, and how many seconds it took."""
    out = tmp_path_factory.mktemp("runs") / "run"
    train(out.with_name("first"))  # the first of all starts the server
    begun = time.monotonic()
    code, said = train(out)
    assert code == 0, said
    return out, time.monotonic() - begun


def lines_of(out: Path) -> list[dict]:
    """All lines of metrics.jsonl, but for how fast it was."""
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "images_per_second"} for row in rows]


def files_of(out: Path) -> dict[str, bytes]:
    """All files of a run, hidden ones too, but for the one that tells how fast it was."""
    return {file.name: file.read_bytes() for file in out.iterdir() if file.name != "metrics.jsonl"}


def check_what_a_kill_left(out: Path) -> None:
    """Whatever has its name is whole."""
    if states_of(out):
        state, damaged = newest_state(out)
        assert damaged == []
        assert clock_of(state.path) == 2 * state.meta["step"]
    for model in out.glob("run.safetensors"):
        assert load_file(model)
    for picture in (*out.glob("*.jpg"), *out.glob("*.png")):
        with Image.open(picture) as image:
            image.load()


def check_what_came_of_it(out: Path, uninterrupted: Path) -> None:
    """It is what an uninterrupted run leaves, file for file, and nothing else."""
    states = [load_file(states_of(run)[0]) for run in (out, uninterrupted)]
    assert states[0].keys() == states[1].keys()
    assert [name for name in states[0] if not torch.equal(states[0][name], states[1][name])] == []
    ours, theirs = files_of(out), files_of(uninterrupted)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
    assert [row["images"] for row in lines_of(out)] == IMAGES
    assert lines_of(out) == lines_of(uninterrupted)


def test_an_uninterrupted_run_leaves_what_it_should(uninterrupted):
    out, _ = uninterrupted
    assert [clock_of(path) for path in states_of(out)] == [8, 4]
    assert sorted(path.name for path in out.glob("grid-*.jpg")) == [f"grid-{images:07d}.jpg" for images in GRIDS]
    check_what_came_of_it(out, out)


def test_killed_at_each_of_its_writes(train, uninterrupted, tmp_path):
    """The first session is killed at its first write, the next one at its second, and so on until one comes through."""
    out, deaths = tmp_path / "run", []
    code = None
    while code != 0:
        code, said = train(out, at=len(deaths) + 1)
        assert code == 0 or was_killed(code), said
        deaths.append(code)
        check_what_a_kill_left(out)
    assert len(deaths) > 30, "a run writes more often than that"
    assert len(set(deaths)) == 3, "it was killed between writes and within them"
    check_what_came_of_it(out, uninterrupted[0])


def test_killed_at_random_moments(train, uninterrupted, tmp_path):
    chance, (finished, seconds) = random.Random(7), uninterrupted
    number = kills = 0
    while kills < KILLS:
        number += 1
        out = tmp_path / str(number) / "run"
        code = None
        while code != 0:
            code, said = train(out, after=chance.uniform(0, seconds) if kills < KILLS else None)
            assert code == 0 or was_killed(code), said
            kills += was_killed(code)
            if out.is_dir():
                check_what_a_kill_left(out)
        check_what_came_of_it(out, finished)
