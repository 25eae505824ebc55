"""A disk that fills up in the midst of training, and one that cannot be written to: nothing that was saved is lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ecgan_core.files.disk import CannotWrite
from tests.disks import can_mount, disk, filled, read_only, unwritable, why
from train.cli import main
from train.data.cache import Shot, decoded
from train.evaluation.identity import IdentityNetwork, save_identity
from train.evaluation.judge import Judge, save_judge
from train.runs.run_folder import append_metrics, forget_metrics_after, newest_state, states_of

from ..conftest import draw_face

__all__ = ["disk", "unwritable"]  # fixtures

SMALL = ["batch=2", "images=8", "warmup_images=32", "log_every=2", "grid_every=4", "save_every=4"]

# How many bytes there is room for, and which file is the one that does not fit: on a disk of a run's own, and where
# only the size of each file is limited.
ROOM = {
    "mounted": [
        (0, "config.yaml"),
        (400_000, "state-000000000.safetensors"),
        (480_000, "run.safetensors"),
        (150_000, "grid-0000000.jpg"),
        (400_000, "state-000000004.safetensors"),
    ],
    "limited": [(500, "config.yaml"), (60_000, "state-000000000.safetensors")],
}


def fit(recipe: Path, data: Path, out: Path, *more: str) -> int:
    command = ["fit", str(recipe), "--data", str(data), "--out", str(out), "--cpu", "--resume", "auto", *more]
    return main([*command, "--set", *SMALL])


def metrics_of(run: Path) -> list[dict]:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "images_per_second"} for row in rows]


@pytest.fixture(scope="module")
def finished(recipe, data, tmp_path_factory) -> Path:
    """A run that had room enough."""
    out = tmp_path_factory.mktemp("runs") / "run"
    assert fit(recipe, data, out) == 0
    return out


def test_a_run_whose_disk_is_full_again_and_again_comes_out_the_same(recipe, data, finished, disk, capsys):
    out = disk / "run"
    for room, file in ROOM[disk.name]:
        with filled(disk, room):
            assert fit(recipe, data, out) == 1
        error = capsys.readouterr().err
        assert error.startswith(f"fit: {out / file} cannot be written: {why(disk)}")
        assert error.count("\n") == 1
        assert ("--resume goes on from it" in error) == bool(states_of(out))
        assert not list(out.glob(".*"))
        assert not states_of(out) or newest_state(out)[1] == []
    assert fit(recipe, data, out) == 0
    ours, theirs = (load_file(states_of(run)[0]) for run in (out, finished))
    assert [name for name in theirs if not torch.equal(ours[name], theirs[name])] == []
    assert {file.name for file in out.iterdir()} == {file.name for file in finished.iterdir()}
    assert (out / "run.safetensors").read_bytes() == (finished / "run.safetensors").read_bytes()
    assert metrics_of(out) == metrics_of(finished)


def test_half_a_line_of_metrics_is_forgotten(disk):
    append_metrics(disk, {"images": 2, "kl": 1.0})
    before = (disk / "metrics.jsonl").read_text()
    much = {"images": 4} | {f"loss {i}": 1.0 for i in range(1000)}
    with filled(disk, 30), pytest.raises(CannotWrite, match=r"metrics\.jsonl cannot be written: "):
        append_metrics(disk, much)
    assert len((disk / "metrics.jsonl").read_text()) > len(before), "some of it was written"
    forget_metrics_after(disk, 2)
    assert (disk / "metrics.jsonl").read_text() == before


def test_a_new_run_in_an_unwritable_place(recipe, data, unwritable, capsys):
    assert fit(recipe, data, unwritable / "run") == 1
    error = capsys.readouterr().err
    assert error.startswith(f"fit: {unwritable / 'run'} cannot be written: ")
    assert error.endswith("; write to another place\n")
    assert error.count("\n") == 1


@pytest.mark.skipif(not can_mount(), reason="mounts a read-only disk")
def test_a_run_that_became_read_only_stays_as_it_is(recipe, data, finished, tmp_path, capsys):
    out = shutil.copytree(finished, tmp_path / "run")
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    with read_only(out):
        assert fit(recipe, data, out) == 1
    error = capsys.readouterr().err
    assert "cannot be written: that disk is read-only; write to another place" in error
    assert error.count("\n") == 1
    assert {file.name: file.read_bytes() for file in out.iterdir()} == before


def test_exports_reports_and_measuring_networks_on_a_full_disk(finished, disk, capsys):
    with filled(disk):
        assert main(["export", str(finished), str(disk / "model.safetensors")]) == 1
        error = capsys.readouterr().err
        assert error.startswith(f"export: {disk / 'model.safetensors'} cannot be written: {why(disk)}")
        for write in (
            lambda: save_judge(Judge(3), disk / "judge.safetensors", ("neutral", "happy", "surprised")),
            lambda: save_identity(IdentityNetwork(), disk / "identity.safetensors"),
        ):
            with pytest.raises(CannotWrite, match=rf"\.safetensors cannot be written: {why(disk)}"):
                write()
    assert list(disk.iterdir()) == []


def test_faces_are_in_memory_where_they_cannot_be_kept(disk, tmp_path, capsys):
    shots = []
    for identity in range(5):
        draw_face("happy", identity).save(tmp_path / f"{identity}.png")
        shots.append(Shot(tmp_path / f"{identity}.png", None, (0.0, 0.0, 1.0, 1.0)))
    expected = decoded(shots, 64, "set", tmp_path / "kept")
    kept = disk / "faces"
    kept.mkdir()
    with filled(disk, 8192):
        assert torch.equal(decoded(shots, 64, "set", kept), expected)
    error = capsys.readouterr().err
    assert f"cannot keep the decoded faces in {kept} (" in error
    assert error.endswith("make room there, or set ECGAN_CACHE to another folder\n")
    assert list(kept.iterdir()) == []
    assert torch.equal(decoded(shots, 64, "set", kept), expected)
    assert len(list(kept.iterdir())) == 1


def test_faces_are_in_memory_where_nothing_can_be_kept(unwritable, tmp_path, capsys):
    draw_face("happy", 1).save(tmp_path / "1.png")
    assert (
        decoded([Shot(tmp_path / "1.png", None, (0.0, 0.0, 1.0, 1.0))], 64, "set", unwritable / "faces").shape[0] == 1
    )
    assert f"cannot keep the decoded faces in {unwritable / 'faces'} (" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "export", "evaluate"])
def test_commands_with_an_unwritable_out(recipe, data, finished, unwritable, capsys, command):
    out = unwritable / "sub" / {"check": "sheet.jpg", "export": "model.safetensors", "evaluate": "report"}[command]
    arguments = {
        "check": [data / "faces", "--out", out],
        "export": [finished, out],
        "evaluate": [finished / "run.safetensors", recipe, "--data", data, "--out", out],
    }[command]
    assert main([command, *map(str, arguments)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"{command}: {out} cannot be written: ")
    assert error.count("\n") == 1
