"""Saving and loading emotion vectors, through the nodes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from tests.host.pack import EMOTIONS, picture, run, save_tiny


@pytest.fixture
def folder(comfyui, pack) -> Path:
    """`models/ecgan_vectors`, as ComfyUI knows it."""
    import folder_paths

    (first, *_) = folder_paths.get_folder_paths("ecgan_vectors")
    return Path(first)


@pytest.fixture
def vector(model):
    return model.pipeline.vector(EMOTIONS[1])


@pytest.fixture
def save(pack):
    return lambda vector, prefix: Path(run(pack["ECGANVectorSave"], vector=vector, filename_prefix=prefix)[0])


def test_what_is_saved_is_listed_and_loads_as_the_same_vector(pack, model, save, vector, folder):
    path = save(vector, "mine/glad")
    assert path == folder / "mine" / "glad_00001_.safetensors"
    slots = {slot.id: slot for slot in pack["ECGANVectorLoad"].define_schema().inputs}
    name = str(path.relative_to(folder))
    assert name in slots["file"].options
    for connected in (None, model):
        loaded = run(pack["ECGANVectorLoad"], file=name, model=connected)[0]
        assert loaded.name == "glad"
        assert loaded.model == vector.model
        assert torch.equal(loaded.direction, vector.direction)


def test_no_file_is_replaced_and_nothing_half_is_left(save, vector, folder):
    first = save(vector, "again")
    before = first.read_bytes()
    taken = folder / "again_00002_.safetensors"
    second = save(vector * 2, "again")
    assert second == taken
    assert first.read_bytes() == before
    assert {path.name for path in folder.glob("*again*")} == {first.name, second.name}


def test_a_save_that_fails_leaves_no_file(save, vector, folder, monkeypatch):
    monkeypatch.setattr(type(vector), "save", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save(vector, "full")
    assert not list(folder.glob("*full*"))


@pytest.mark.parametrize("prefix", ["../out", "a/../../out", "/tmp/out", "..", "a\\..\\..\\out"])
def test_a_name_cannot_leave_the_folder(save, vector, folder, prefix):
    before = set(folder.parent.rglob("*"))
    with pytest.raises(ValueError, match="leads out of the folder") as refusal:
        save(vector, prefix)
    assert "\n" not in str(refusal.value)
    assert set(folder.parent.rglob("*")) == before


@pytest.mark.parametrize("prefix", ["", "  ", "folder/"])
def test_a_vector_needs_a_file_name(save, vector, prefix):
    with pytest.raises(ValueError, match="'filename_prefix'"):
        save(vector, prefix)


def test_the_node_shows_where_the_file_is(pack, vector):
    output = pack["ECGANVectorSave"].execute(vector=vector, filename_prefix="shown")
    assert output.ui.as_dict()["text"] == (output.result[0],)


def test_a_vector_of_another_model_is_refused_by_name_when_the_model_is_connected(pack, comfyui, save, vector):
    path = save(vector, "foreign")
    save_tiny(comfyui.models / "other.safetensors", seed=2)
    other = run(pack["LoadECGAN"], model="other.safetensors")[0]
    (comfyui.models / "other.safetensors").unlink()
    with pytest.raises(ValueError, match="'glad' belongs to another model"):
        run(pack["ECGANVectorLoad"], file=path.name, model=other)
    assert run(pack["ECGANVectorLoad"], file=path.name)[0].name == "glad", "without a model nobody can know"


def test_a_file_that_is_missing_or_something_else_is_refused_in_a_sentence(pack, comfyui, tiny, save, vector, folder):
    saved = save(vector, "known")
    with pytest.raises(ValueError, match=r"no emotion vector '\.\./nowhere") as refusal:
        run(pack["ECGANVectorLoad"], file="../nowhere.safetensors")
    assert saved.name in str(refusal.value)
    unfit = folder / "unfit.safetensors"
    unfit.write_bytes((comfyui.models / tiny).read_bytes())
    with pytest.raises(ValueError, match=r"unfit\.safetensors is not an emotion vector"):
        run(pack["ECGANVectorLoad"], file=unfit.name)
    unfit.unlink()


def test_a_replaced_file_is_loaded_again(pack, save, vector):
    path, other = save(vector, "replaced"), save(2 * vector, "other")
    stamp = pack["ECGANVectorLoad"].fingerprint_inputs
    first = stamp(file=path.name)
    assert first == stamp(file=path.name)
    os.replace(other, path)
    assert first != stamp(file=path.name)
    assert stamp(file="gone") == "absent"


def test_an_empty_folder_says_how_to_fill_it(pack, folder, save, vector):
    import folder_paths

    folder_paths.folder_names_and_paths["ecgan_vectors"] = ([str(folder / "empty")], {".safetensors"})
    try:
        slots = {slot.id: slot for slot in pack["ECGANVectorLoad"].define_schema().inputs}
        assert "Save Emotion Vector" in slots["file"].options[0]
        path = save(vector, "first")
        assert path.is_relative_to(folder / "empty")
    finally:
        folder_paths.folder_names_and_paths["ecgan_vectors"] = ([str(folder)], {".safetensors"})


def test_the_models_menu_does_not_list_vectors(pack, save, vector):
    path = save(vector, "no-model")
    options = {slot.id: slot.options for slot in pack["LoadECGAN"].define_schema().inputs}["model"]
    assert not [name for name in options if path.name in name]


def test_a_vector_from_pictures_survives_the_file(pack, model, save):
    built = run(pack["EmotionVectorBuild"], model=model, images=picture(count=2), face="whole image", name="smirk")[0]
    path = save(built, "smirk")
    assert run(pack["ECGANVectorLoad"], file=path.name, model=model)[0].name == "smirk"
