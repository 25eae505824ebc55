"""A run that is stopped, killed or damaged loses nothing, and goes on as if nothing had been."""

import json
import os
import shutil
import signal

import pytest
import torch
from safetensors.torch import load_file

from train.cli import main
from train.config import differences, load_config
from train.learning.trainer import Trainer
from train.runs.run_folder import clock_of, states_of

SMALLER = ["batch=4", "images=16", "warmup_images=32", "log_every=4", "save_every=8", "grid_every=100"]


def fit(recipe, data, out, *overrides, more=()):
    arguments = ["fit", str(recipe), "--data", str(data), "--out", str(out), "--cpu", *more]
    return main([*arguments, "--set", *SMALLER, *overrides])


def clocks(run):
    return [clock_of(path) for path in states_of(run)]


def logged(run):
    return [json.loads(line)["images"] for line in (run / "metrics.jsonl").read_text().splitlines()]


def unequal(one, other):
    """Tensors that differ between the newest states of two runs."""
    a, b = (load_file(states_of(run)[0]) for run in (one, other))
    assert a.keys() == b.keys()
    return [key for key in a if not torch.equal(a[key], b[key])]


@pytest.fixture
def in_the_third_step(monkeypatch):
    """Makes something happen in the course of a run's third step."""

    def arrange(happening):
        train_step = Trainer.train_step

        def third(self):
            if self.step == 2:
                happening()
            return train_step(self)

        monkeypatch.setattr(Trainer, "train_step", third)

    yield arrange
    monkeypatch.undo()


@pytest.fixture(scope="module")
def finished(recipe, data, tmp_path_factory):
    """An uninterrupted run of four steps."""
    out = tmp_path_factory.mktemp("runs") / "finished"
    assert fit(recipe, data, out) == 0
    return out


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of it to do as one likes with."""
    return shutil.copytree(finished, tmp_path / "finished")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_stopped_run_is_saved_at_that_step_and_goes_on_exactly(
    recipe, data, finished, tmp_path, capsys, in_the_third_step, monkeypatch, number
):
    out = tmp_path / "run"
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    in_the_third_step(lambda: os.kill(os.getpid(), number))
    assert fit(recipe, data, out) == 130
    assert "stopped and saved at 12 images; --resume goes on from there" in capsys.readouterr().err
    assert clocks(out) == [12, 8]
    assert (out / "run.safetensors").is_file()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    monkeypatch.undo()
    assert fit(recipe, data, out, more=["--resume"]) == 0
    assert unequal(finished, out) == []
    assert logged(out) == [4, 8, 12, 16]


def test_a_killed_run_goes_on_exactly_from_its_last_save(
    recipe, data, finished, tmp_path, in_the_third_step, monkeypatch
):
    out = tmp_path / "run"

    def power_cut():
        with (out / "metrics.jsonl").open("a") as file:
            file.write('{"images": 12, "kl": 1}\n{"images": 1')
        raise MemoryError

    in_the_third_step(power_cut)
    with pytest.raises(MemoryError):
        fit(recipe, data, out)
    monkeypatch.undo()
    assert fit(recipe, data, out, more=["--resume", "auto"]) == 0
    assert unequal(finished, out) == []
    assert logged(out) == [4, 8, 12, 16]


def test_a_second_ctrl_c_stops_at_once(recipe, data, tmp_path, capsys, in_the_third_step):
    in_the_third_step(lambda: [os.kill(os.getpid(), signal.SIGINT) for _ in range(2)])
    assert fit(recipe, data, tmp_path / "run") == 130
    assert "stopped at once; what was saved before is whole" in capsys.readouterr().err
    assert clocks(tmp_path / "run") == [8, 0]


@pytest.mark.parametrize("damage", ["cut short", "overwritten", "emptied"])
def test_a_damaged_newest_state_falls_back_to_the_one_before(recipe, data, finished, copy, capsys, damage):
    newest = states_of(copy)[0]
    content = newest.read_bytes()
    middle = len(content) // 2
    zeros = content[:middle] + bytes(4096) + content[middle + 4096 :]
    newest.write_bytes({"cut short": content[:middle], "overwritten": zeros, "emptied": b""}[damage])
    assert fit(recipe, data, copy, more=["--resume"]) == 0
    said = capsys.readouterr().out
    assert "state-000000016.safetensors is" in said
    assert "it is set aside, and the run goes on from state-000000008.safetensors" in said
    assert unequal(finished, copy) == []
    assert logged(copy) == [4, 8, 12, 16]
    assert (copy / "state-000000016.safetensors.damaged").is_file(), "nothing is thrown away"


def test_a_run_without_a_whole_state_is_refused(recipe, data, copy, capsys):
    for path in states_of(copy):
        path.write_bytes(b"nothing")
    assert fit(recipe, data, copy, more=["--resume"]) == 1
    assert "has no state that is whole" in capsys.readouterr().err


def test_only_the_newest_states_are_kept(recipe, data, finished, tmp_path):
    assert clocks(finished) == [16, 8], "of 0, 8 and 16"
    assert fit(recipe, data, tmp_path / "run", "keep_states=1", "images=8") == 0
    assert clocks(tmp_path / "run") == [8]


def test_resume_names_the_keys_that_differ_with_both_values(recipe, data, finished, capsys):
    changes = ["learning_rate=0.5", "weights.kl=7", "networks.widths=[8,8,8]", "images=64"]
    assert fit(recipe, data, finished, "log_every=1", *changes, more=["--resume"]) == 1
    error = capsys.readouterr().err
    assert "learning_rate was 0.001 and is now 0.5" in error
    assert "weights.kl was 0.05 and is now 7.0" in error
    assert "networks.widths was [8, 8, 16, 16] and is now [8, 8, 8]" in error
    assert "images was 16 and is now 64" in error
    assert "log_every" not in error
    assert "--from" in error


def test_how_often_to_log_and_save_may_change_on_resume(recipe, data, copy):
    changes = ["log_every=16", "grid_every=32", "save_every=4", "keep_states=5"]
    assert fit(recipe, data, copy, *changes, more=["--resume"]) == 0
    assert load_config(copy / "config.yaml").keep_states == 5


def test_resume_refuses_other_pictures(recipe, data, copy, tmp_path, capsys):
    fewer = shutil.copytree(data, tmp_path / "fewer")
    for picture in list((fewer / "faces" / "happy").iterdir())[:9]:
        picture.unlink()
    assert fit(recipe, fewer, copy, more=["--resume"]) == 1
    assert "the pictures are not those that the run" in capsys.readouterr().err


def test_there_is_nothing_to_resume_in_an_empty_folder(recipe, data, tmp_path, capsys):
    assert fit(recipe, data, tmp_path, more=["--resume"]) == 1
    assert "there is no run to go on with" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_new_run_never_overwrites_an_old_one(recipe, data, copy, capsys):
    before = {file.name: file.read_bytes() for file in copy.iterdir()}
    assert fit(recipe, data, copy) == 1
    assert "--resume" in capsys.readouterr().err
    assert {file.name: file.read_bytes() for file in copy.iterdir()} == before
    for path in states_of(copy):
        path.unlink()
    assert fit(recipe, data, copy) == 1, "grids, metrics and the model are a run's too"


def test_differences_are_named_by_dotted_keys(recipe):
    before = load_config(recipe)
    now = load_config(recipe, ["data=[{path: faces, held_out: 0.5}]", "holes.mouth=2", "emotions=[neutral, happy]"])
    assert differences(before, before) == {}
    assert differences(before, now) == {
        "emotions": (["neutral", "happy", "surprised"], ["neutral", "happy"]),
        "data[0].held_out": (0.25, 0.5),
        "holes": (before.holes, {"mouth": 2.0}),
    }


def test_a_run_whose_time_is_up_goes_on_exactly(recipe, data, finished, tmp_path, capsys):
    assert fit(recipe, data, tmp_path / "run", more=["--minutes", "0.000001"]) == 0
    assert "the time is up: stopped and saved at 4 images; --resume goes on from there" in capsys.readouterr().out
    assert clocks(tmp_path / "run")[0] == 4
    assert fit(recipe, data, tmp_path / "run", more=["--resume", "auto", "--minutes", "60"]) == 0
    assert unequal(tmp_path / "run", finished) == []
