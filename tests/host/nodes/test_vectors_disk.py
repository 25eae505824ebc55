"""Save Emotion Vector with no room, or with a folder that cannot be written to: one sentence, and no file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ecgan_core.emotions.vectors import EmotionVector
from tests.disks import disk, filled, unwritable, why
from tests.host.pack import run

__all__ = ["disk", "unwritable"]  # fixtures

VECTOR = EmotionVector("mine", torch.arange(6.0), "of a model")


@pytest.fixture
def save(comfyui, pack, monkeypatch):
    """`save(folder)` saves a vector with the node, `folder` being ComfyUI's folder of vectors."""
    import folder_paths

    def call(folder: Path) -> Path:
        monkeypatch.setitem(folder_paths.folder_names_and_paths, "ecgan_vectors", ([str(folder)], {".safetensors"}))
        return Path(run(pack["ECGANVectorSave"], vector=VECTOR, filename_prefix="glad")[0])

    return call


def test_a_full_disk_is_one_sentence_and_leaves_nothing(save, disk):
    folder = disk / "vectors"
    folder.mkdir()
    with filled(disk), pytest.raises(OSError, match=rf"glad_00001_\.safetensors cannot be written: {why(disk)}"):
        save(folder)
    assert list(folder.iterdir()) == []
    assert torch.equal(EmotionVector.load(save(folder)).direction, VECTOR.direction)


def test_an_unwritable_folder_is_one_sentence(save, unwritable):
    with pytest.raises(OSError, match=r"vectors/glad cannot be written: .*; write to another place"):
        save(unwritable / "vectors")
