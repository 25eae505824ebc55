"""Faces are decoded once, and again when they change."""

from __future__ import annotations

import os
import shutil
import time

import numpy as np
import pytest
import torch

from tests.killing import forks, run, was_killed
from train.config import load_config
from train.data import cache
from train.data import faces as data_module
from train.data.cache import Shot, decoded
from train.data.faces import load_faces
from train.data.sources.row import DataError

from ..conftest import draw_face

WHOLE = (0.0, 0.0, 1.0, 1.0)


@pytest.fixture
def shots(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(5):
        draw_face("happy", i).save(folder / f"{i}.png")
    return [Shot(folder / f"{i}.png", None, WHOLE) for i in range(5)]


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "cache"


def forbid_decoding(monkeypatch):
    def read_face(*_):
        raise AssertionError("decoded again")

    monkeypatch.setattr(cache, "read_face", read_face)


def test_the_second_time_nothing_is_decoded(shots, kept, monkeypatch):
    first = decoded(shots, 32, "set", kept)
    assert first.shape == (5, 3, 32, 32)
    assert first.dtype == torch.uint8
    (file,) = kept.iterdir()
    forbid_decoding(monkeypatch)
    again = decoded(shots, 32, "set", kept)
    assert torch.equal(first, again)
    assert torch.equal(torch.tensor(np.load(file, allow_pickle=False)), first), "a plain array, no pickle"


def test_what_is_written_into_the_faces_stays_in_memory(shots, kept):
    faces = decoded(shots, 32, "set", kept)
    before = faces.clone()
    faces.zero_()
    assert torch.equal(decoded(shots, 32, "set", kept), before)


def test_a_changed_picture_crop_or_size_makes_a_new_file_in_the_place_of_the_old(shots, kept):
    first = decoded(shots, 32, "set", kept)
    (old,) = kept.iterdir()
    draw_face("surprised", 9).save(shots[2].file)
    second = decoded(shots, 32, "set", kept)
    assert [torch.equal(a, b) for a, b in zip(first, second, strict=True)] == [True, True, False, True, True]
    (new,) = kept.iterdir()
    assert new != old
    cropped = [Shot(shot.file, None, (0.1, 0.1, 0.9, 0.9)) for shot in shots]
    assert not torch.equal(decoded(cropped, 32, "set", kept), second)
    assert decoded(shots, 16, "set", kept).shape[-1] == 16
    assert len(list(kept.iterdir())) == 1
    decoded(shots, 32, "another set", kept)
    assert len(list(kept.iterdir())) == 2, "each set has its own"


def test_a_damaged_file_is_made_again(shots, kept):
    first = decoded(shots, 32, "set", kept).clone()  # not what is mapped: it is cut short
    (file,) = kept.iterdir()
    for damage in (b"", b"no array", file.read_bytes()[:500]):
        file.write_bytes(damage)
        assert torch.equal(decoded(shots, 32, "set", kept), first)


def test_what_nobody_used_for_long_is_removed(shots, kept):
    kept.mkdir()
    for name, days in (("0-0.npy", 100), ("1-1.npy", 3), (".2-2.npy.x.part", 3), (".3-3.npy.x.part", 0)):
        (kept / name).touch()
        os.utime(kept / name, (time.time() - days * 86400,) * 2)
    decoded(shots, 32, "set", kept)
    assert {"1-1.npy", ".3-3.npy.x.part"} == {p.name for p in kept.iterdir() if p.stat().st_size == 0}


def test_a_broken_picture_leaves_nothing_behind(shots, kept):
    shots[3].file.write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"cannot read the picture .*3\.png"):
        decoded(shots, 32, "set", kept)
    assert list(kept.iterdir()) == []


@pytest.mark.slow
@forks
def test_a_half_written_file_is_never_mapped(shots, kept):
    expected, code, deaths = decoded(shots, 32, "set", kept.with_name("other")), None, 0
    while code != 0:
        code, said = run(decoded, shots, 32, "set", kept, folder=kept, at=deaths + 1)
        assert code == 0 or was_killed(code), said
        deaths += was_killed(code)
        for file in kept.glob("*.npy"):
            assert np.array_equal(np.load(file), expected)
    assert deaths >= 4


def test_without_room_for_the_file_the_faces_are_in_memory(shots, kept, monkeypatch, capsys):
    expected = decoded(shots, 32, "set", kept)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 90, 10))
    assert torch.equal(decoded(shots, 32, "other", kept), expected)
    kept_file = kept / "file"
    kept_file.touch()
    assert torch.equal(decoded(shots, 32, "set", kept_file), expected)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all("cannot keep the decoded faces" in line and "ECGAN_CACHE" in line for line in lines)


def test_the_trainer_keeps_sets_that_are_worth_it(recipe, data, tmp_path, monkeypatch):
    monkeypatch.setenv("ECGAN_CACHE", str(tmp_path))
    config = load_config(recipe)
    small = load_faces(config, data)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(data_module, "WORTH_KEEPING", 1)
    training, held_out = load_faces(config, data), load_faces(config, data, held_out=True)
    assert torch.equal(training.faces, small.faces)
    assert len(list((tmp_path / "faces").iterdir())) == 2, "one for each split"
    forbid_decoding(monkeypatch)
    assert torch.equal(load_faces(config, data).faces, training.faces)
    assert torch.equal(load_faces(config, data, held_out=True).faces, held_out.faces)
