"""What a stint of training brings back goes on where it stopped, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile

import pytest
import torch
from PIL import Image

from tools import stint
from train.learning.trainer import load_both
from train.stages import load_plan


@pytest.fixture
def run(tmp_path):
    """The folder of a run with two stages, as the trainer leaves it."""
    for name, content in {
        "first/config.yaml": b"seed: 0",
        "first/first.safetensors": b"weights",
        "second/state-000000100.safetensors": b"older",
        "second/state-000000200.safetensors": bytes(range(256)) * 200_000,  # over three pieces
        "second/grid-0000100.jpg": b"older",
        "second/grid-0000200.jpg": b"newer",
        "second/metrics.jsonl": b"{}\n",
    }.items():
        (tmp_path / "run" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "run" / name).write_bytes(content)
    return tmp_path / "run"


def contents(folder):
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def test_what_was_packed_comes_back_without_what_is_older(run, tmp_path):
    stint.pack(run, tmp_path / "out")
    assert max(f.stat().st_size for f in (tmp_path / "out").iterdir()) <= 16 * 2**20
    stint.take(tmp_path / "out", tmp_path / "back")
    before = contents(run)
    older = {"second/state-000000100.safetensors", "second/grid-0000100.jpg"}
    assert contents(tmp_path / "back") == {name: content for name, content in before.items() if name not in older}


def test_a_damaged_piece_is_told_and_nothing_is_written(run, tmp_path):
    stint.pack(run, tmp_path / "out")
    piece = tmp_path / "out" / "01.part"
    piece.write_bytes(piece.read_bytes()[:-1] + b"!")
    with pytest.raises(ValueError, match="not what was packed"):
        stint.take(tmp_path / "out", tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_an_archive_cannot_write_elsewhere(run, tmp_path):
    (tmp_path / "out").mkdir()
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.add(run / "first" / "config.yaml", "../elsewhere.yaml")
    (tmp_path / "out" / "00.part").write_bytes(content.getvalue())
    index = {"sha256": hashlib.sha256(content.getvalue()).hexdigest(), "pieces": ["00.part"]}
    (tmp_path / "out" / stint.INDEX).write_text(json.dumps(index))
    with pytest.raises(ValueError, match="no file of a run"):
        stint.take(tmp_path / "out", tmp_path / "back")
    assert not (tmp_path / "elsewhere.yaml").exists()


def test_a_state_without_room_stays_and_is_named(run, tmp_path):
    assert stint.pack(run, tmp_path / "out", room=1_000_000) == ["second/state-000000200.safetensors"]
    stint.take(tmp_path / "out", tmp_path / "back")
    assert (tmp_path / "back/first/first.safetensors").read_bytes() == b"weights"


def test_what_is_brought_is_trained_on_as_at_home(tmp_path):
    """The same people with the same emotions, in pictures no larger than a stage sees them."""
    data, there = tmp_path / "data", tmp_path / "there"
    for emotion in ("calm", "glad"):
        (data / "people" / emotion).mkdir(parents=True)
        for number in range(8):
            tone = Image.new("RGB", (90, 90), (30 * number, 60, 200))
            tone.save(data / "people" / emotion / f"{number}.png")
    recipe = tmp_path / "two.yaml"
    recipe.write_text(
        "emotions: [calm, glad]\nneutral: calm\ndata: [{path: people, held_out: 0.3}]\n"
        "stages: [{name: a, networks: {image_size: 64}}, {name: b, networks: {image_size: 32, widths: [8, 8]}}]\n"
    )
    assert stint.main(["bring", str(recipe), "--data", str(data), "--out", str(tmp_path / "all.zip")]) == 0
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        archive.extractall(there)
    with Image.open(next((there / "people").glob("*.webp"))) as picture:
        assert picture.size == (64, 64)
    config = load_plan(recipe).stage("b").config
    (ours, spared), (theirs, spared_there) = load_both(config, data), load_both(config, there)
    assert ours.emotion.tolist() == theirs.emotion.tolist()
    assert (ours.identity, spared.identity) == (theirs.identity, spared_there.identity)
    both = (faces.pick(torch.arange(len(faces)), torch.device("cpu")) for faces in (ours, theirs))
    torch.testing.assert_close(*both, atol=0.05, rtol=0)
