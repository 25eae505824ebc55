"""Disks that are full or read-only: one sentence, and what was there before is there still."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from ecgan_core.cli import main
from ecgan_core.emotions.vectors import EmotionVector
from ecgan_core.files import tensors as files
from ecgan_core.files.checkpoint import load_checkpoint, save_checkpoint
from ecgan_core.files.disk import DAY, CannotWrite, sweep, sweep_once
from ecgan_core.files.latents import FaceLatent
from ecgan_core.files.replacing import replacing, write_image
from ecgan_core.files.tensors import DTYPES, write_tensors
from tests.disks import disk, filled, unwritable, why

__all__ = ["disk", "unwritable"]  # fixtures


def noise(side: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (side, side, 3), np.uint8))


# name → how such a file is written, and read
WRITERS = {
    "checkpoint.safetensors": (save_checkpoint, load_checkpoint),
    "vector.safetensors": (lambda pipeline, path: pipeline.vector("joyful").save(path), EmotionVector.load),
    "latent.safetensors": (
        lambda pipeline, path: pipeline.complete(*FACE, emotion="joyful", seeds=[0]).save(path),
        FaceLatent.load,
    ),
    "picture.jpg": (lambda _, path: write_image(noise(128), path, "JPEG"), lambda path: Image.open(path).load()),
    "picture.png": (lambda _, path: write_image(noise(128), path, "PNG"), lambda path: Image.open(path).load()),
}
FACE = torch.zeros(1, 3, 64, 64), torch.ones(1, 1, 64, 64)


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_one_sentence_and_the_file_before_is_whole(pipeline, disk, name):
    write, read = WRITERS[name]
    path = disk / name
    write(pipeline, path)
    before = path.read_bytes()
    room = 4096 if len(before) > 8192 else 0  # some of it fits
    with filled(disk, room), pytest.raises(CannotWrite) as told:
        write(pipeline, path)
    assert str(told.value).startswith(f"{path} cannot be written: {why(disk)}")
    assert [file.name for file in disk.iterdir()] == [name]
    assert path.read_bytes() == before
    read(path)
    write(pipeline, path)


@pytest.mark.parametrize("name", WRITERS)
def test_an_unwritable_place_is_one_sentence(pipeline, unwritable, name):
    path = unwritable / "sub" / name
    with pytest.raises(CannotWrite, match=r" cannot be written: .*; write to another place$") as told:
        WRITERS[name][0](pipeline, path)
    assert str(path) in str(told.value)


def command_line(place: Path, out: Path, command: str) -> list[str]:
    model = ["--model", str(place / "model.safetensors"), "--out", str(out), "--emotion", "joyful"]
    if command == "shift":
        return ["shift", str(place / "latent-0.safetensors"), *model]
    return ["complete", str(place / "face.png"), "--hole", str(place / "hole.png"), "--face", "whole", *model]


@pytest.fixture(scope="module")
def place(pipeline, tmp_path_factory) -> Path:
    """A folder with a model, a face, a mask, and what `complete` makes of them."""
    folder = tmp_path_factory.mktemp("complete")
    save_checkpoint(pipeline, folder / "model.safetensors")
    noise(64).save(folder / "face.png")
    Image.new("L", (64, 64), 255).save(folder / "hole.png")
    assert main(command_line(folder, folder, "complete")) == 0
    return folder


@pytest.mark.parametrize("command", ["complete", "shift"])
def test_commands_on_a_full_disk_and_once_more_with_room(place, disk, capsys, command):
    out = disk / "out"
    for room, complaint in ((0, ".png"), (20_000, ".safetensors")):
        with filled(disk, room):
            assert main(command_line(place, out, command)) == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert f"{complaint} cannot be written: {why(disk)}" in error
        assert not list(out.glob(".*"))
    assert main(command_line(place, out, command)) == 0
    names = {"complete": {"complete-0.png", "latent-0.safetensors"}}
    assert {file.name for file in out.iterdir()} == names.get(command, {"shift-0.png", "shift-latent-0.safetensors"})


@pytest.mark.parametrize("command", ["complete", "shift"])
def test_commands_with_an_unwritable_out(place, unwritable, capsys, command):
    assert main(command_line(place, unwritable / "out", command)) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"ecgan: {unwritable / 'out'}")
    assert "cannot be written: " in error
    assert error.count("\n") == 1


def test_what_the_system_says_of_another_file_is_not_said_of_this_one(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"other"), replacing(tmp_path / "one"):
        (tmp_path / "other").read_bytes()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "one").mkdir()
    with pytest.raises(CannotWrite, match="there is a folder of that name; move it away, or "):
        write_image(noise(8), tmp_path / "one", "PNG")


def test_a_file_has_the_permissions_of_any_other(tmp_path):
    (tmp_path / "plain").touch()
    write_image(noise(8), tmp_path / "ours", "PNG")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_what_was_left_half_written_goes_the_next_day(tmp_path):
    old, new = (tmp_path / f".model.safetensors.{number}.part" for number in ("00000000", "0000000f"))
    of_others = [tmp_path / ".download.part", tmp_path / "film.mkv.part", tmp_path / ".tmpAb12Cd"]
    for path in (old, new, *of_others):
        path.touch()
    for path in (old, *of_others):
        os.utime(path, (time.time() - 2 * DAY,) * 2)
    write_image(noise(8), tmp_path / "picture.png", "PNG")
    assert {path.name for path in tmp_path.iterdir()} == {"picture.png", new.name, *(path.name for path in of_others)}
    sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"picture.png", *(path.name for path in of_others)}
    assert sweep_once.cache_info().maxsize, "long-lived processes do not remember all folders for ever"


def test_tensors_of_every_dtype_and_shape_are_as_safetensors_reads_them(tmp_path):
    numbers = torch.arange(24).reshape(2, 3, 4)
    tensors = {name: numbers.to(getattr(torch, name)) for name in DTYPES}
    tensors |= {"one": torch.tensor(1.5), "none": torch.zeros(0, 3), "turned": torch.rand(4, 3).T}
    tensors |= {"channels last": torch.rand(1, 3, 4, 4).contiguous(memory_format=torch.channels_last)}
    write_tensors(tmp_path / "all.safetensors", tensors, {"said": "für immer"})
    back = load_file(tmp_path / "all.safetensors")
    assert back.keys() == tensors.keys()
    assert all(torch.equal(back[name], tensor) and back[name].dtype == tensor.dtype for name, tensor in tensors.items())
    metadata = files.read_header(tmp_path / "all.safetensors", "a file").metadata
    assert metadata.pop("digest")
    assert metadata == {"said": "für immer"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_what_a_command_says_onto_a_full_disk_is_one_sentence(place):
    command = [sys.executable, "-m", "ecgan_core", "inspect", place / "model.safetensors"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode != 0
    assert done.stderr.startswith("ecgan: what the command says cannot be written: the disk is full; make room there")
    assert "Traceback" not in done.stderr
