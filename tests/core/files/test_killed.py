"""Whoever writes a file may be killed: a file is either not there, or the old one, or the new one, and always whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ecgan_core.cli import main
from ecgan_core.emotions.vectors import EmotionVector
from ecgan_core.face.portrait_latent import PortraitLatent
from ecgan_core.files.checkpoint import load_checkpoint, save_checkpoint
from ecgan_core.files.disk import sweep
from ecgan_core.files.latents import FaceLatent
from ecgan_core.files.replacing import write_image
from tests.core.conftest import random_pipeline
from tests.killing import forks, run, was_killed

pytestmark = forks


def write(path: Path, seed: int) -> None:
    """A file of the kind that its name says; another `seed` makes another."""
    if path.suffix != ".safetensors":
        noise = np.random.default_rng(seed).integers(0, 256, (64, 64, 3), np.uint8)
        return write_image(Image.fromarray(noise), path, {".jpg": "JPEG", ".png": "PNG"}[path.suffix])
    pipeline = random_pipeline(seed)
    if path.stem == "checkpoint":
        return save_checkpoint(pipeline, path)
    if path.stem == "vector":
        return pipeline.vector("joyful").save(path)
    return pipeline.complete(torch.zeros(1, 3, 64, 64), torch.ones(1, 1, 64, 64), seeds=[0]).save(path)


def read(path: Path) -> None:
    """Open it as a user would."""
    if path.suffix != ".safetensors":
        return Image.open(path).load()
    {"checkpoint": load_checkpoint, "vector": EmotionVector.load}.get(path.stem, FaceLatent.load)(path)


@pytest.mark.parametrize(
    "name", ["checkpoint.safetensors", "vector.safetensors", "latent.safetensors", "picture.jpg", "picture.png"]
)
def test_a_file_is_the_old_one_or_the_new_one(tmp_path, name):
    path, seen = tmp_path / "folder" / name, set()
    for seed in (0, 1):  # a new file, and one in the place of another
        code, deaths = None, 0
        while code != 0:
            code, said = run(write, path, seed, folder=path.parent, at=deaths + 1)
            assert code == 0 or was_killed(code), said
            deaths += was_killed(code)
            if path.exists():
                read(path)
                seen.add(path.read_bytes())
        assert deaths >= 4
    assert len(seen) == 2
    sweep(path.parent)
    assert [file.name for file in path.parent.iterdir()] == [name]


def test_what_complete_had_written_when_it_was_killed_is_whole(tmp_path):
    random = random_pipeline()
    save_checkpoint(random, tmp_path / "model.safetensors")
    write(tmp_path / "face.png", 1)
    Image.new("L", (64, 64), 255).save(tmp_path / "hole.png")
    out = tmp_path / "out"
    command = ["complete", tmp_path / "face.png", "--hole", tmp_path / "hole.png", "--face", "whole"]
    command += ["--model", tmp_path / "model.safetensors", "--out", out]
    code, deaths = None, 0
    while code != 0:
        code, said = run(main, [str(word) for word in command], folder=out, at=deaths + 1)
        assert code == 0 or was_killed(code), said
        deaths += was_killed(code)
        for picture in out.glob("*.png"):
            Image.open(picture).load()
        for latent in out.glob("*.safetensors"):
            PortraitLatent.load(latent)
    assert deaths >= 8, "a picture and a latent"
    assert {file.name for file in out.glob("[!.]*")} == {"complete-0.png", "latent-0.safetensors"}
