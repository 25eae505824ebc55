"""Names out of a workflow that somebody else may have made: none leaves its folder, none takes another's file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.host.pack import EMOTIONS, run

# what was tried: (name, what the sentence says)
NAMES = {
    "up": ("../out", "leads out of the folder"),
    "up, from within": ("a/../../out", "leads out of the folder"),
    "up and down again": ("a/../b", "leads out of the folder"),
    "absolute": ("/tmp/out", "leads out of the folder"),
    "another computer": ("\\\\server\\share\\x", "leads out of the folder"),
    "backslashes": ("a\\..\\..\\out", "leads out of the folder"),
    "a drive": ("C:\\Windows\\x", "leads out of the folder"),
    "a drive's own place": ("C:x", "cannot have on every system"),
    "another stream": ("x:hidden", "cannot have on every system"),
    "NUL character": ("a\0b", "cannot have on every system"),
    "line break": ("a\nb", "cannot have on every system"),
    "escape": ("a\x1b[2Jb", "cannot have on every system"),
    "half a character": ("a\ud800", "cannot have on every system"),
    "question mark": ("really?", "cannot have on every system"),
    "device": ("CON", "device on Windows"),
    "device with an ending": ("nul.txt", "device on Windows"),
    "device as folder": ("com1/x", "device on Windows"),
    "trailing dot": ("x.", "ends with a dot"),
    "folder with a trailing dot": ("a./x", "ends with a dot"),
    "folder with a trailing space": ("a /x", "ends with a space"),
    "only a dot": (".", "ends with a dot"),
    "doubled": ("a//x", "an empty part"),
    "300 characters": ("x" * 300, "too long"),
    "200 letters of three bytes": ("笑" * 200, "too long"),
    "a long folder": ("x" * 300 + "/y", "too long"),
    "through a link": ("link/x", "by a link"),
    "through a link, deeper": ("link/new/x", "by a link"),
}


@pytest.fixture
def folder(comfyui, pack, tmp_path) -> Path:
    """`models/ecgan_vectors`, with a link in it that leads out."""
    import folder_paths

    folder = Path(folder_paths.get_folder_paths("ecgan_vectors")[0])
    folder.mkdir(parents=True, exist_ok=True)
    (tmp_path / "outside").mkdir()
    link = folder / "link"
    link.symlink_to(tmp_path / "outside")
    yield folder
    link.unlink()


@pytest.fixture
def save(pack, model, folder):
    vector = model.pipeline.vector(EMOTIONS[1])
    return lambda prefix: Path(run(pack["ECGANVectorSave"], vector=vector, filename_prefix=prefix)[0])


@pytest.mark.parametrize(("typed", "phrase"), NAMES.values(), ids=NAMES)
def test_a_name_that_is_none_is_refused_and_nothing_is_written(save, folder, tmp_path, typed, phrase):
    before = set(folder.parent.rglob("*")) | set(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match=phrase) as refusal:
        save(typed)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 600
    assert set(folder.parent.rglob("*")) | set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("typed", ["smile", "a/b/smile", "笑顔", "sourire forcé", ".hidden", "x" * 160, "50%", "😀"])
def test_any_other_name_is_taken_and_can_be_loaded(pack, save, folder, typed):
    path = save(typed)
    assert path.is_relative_to(folder)
    assert run(pack["ECGANVectorLoad"], file=str(path.relative_to(folder)))[0].name == "glad"


def test_one_letter_typed_in_two_ways_is_one_name(save):
    assert [save("café").name, save("cafe\u0301").name] == ["café_00001_.safetensors", "café_00002_.safetensors"]


def test_names_that_differ_in_case_only_replace_nothing(save):
    paths = [save(name) for name in ("Smirk", "smirk", "SMIRK")]
    assert len({path.read_bytes() for path in paths}) == 1
    assert len(set(paths)) == 3


def test_a_name_that_is_taken_by_anything_is_passed_over(save, folder, tmp_path):
    (folder / "mine_00001_.safetensors").symlink_to(tmp_path / "nowhere")
    (folder / "mine_00002_.safetensors").mkdir()
    path = save("mine")
    assert path.name == "mine_00003_.safetensors"
    assert not (tmp_path / "nowhere").exists()


def test_a_disk_without_hard_links_saves_too(save, folder, monkeypatch):
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "Operation not permitted")))
    assert [save("plain").name, save("plain").name] == ["plain_00001_.safetensors", "plain_00002_.safetensors"]
    assert not list(folder.glob(".plain*"))


@pytest.mark.parametrize(
    "value", ["../../etc/passwd", "/etc/passwd", "C:\\x", "a\0b", "x" * 5000, "\ud800", "", None, 7, ["a"], {"a": 1}]
)
def test_what_a_workflow_says_instead_of_a_listed_file_is_refused(pack, comfyui, value):
    for node, slot in (("ECGANVectorLoad", "file"), ("LoadECGAN", "model")):
        assert pack[node].fingerprint_inputs(**{slot: value}) == "absent"
        with pytest.raises(ValueError, match=r"there is no|must be a text"):
            pack[node].execute(**{slot: value})
