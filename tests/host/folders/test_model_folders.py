"""Models and vectors where users have them: folders of their own, names from other systems, links that lead nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.host.pack import EMOTIONS, MODEL, run, save_tiny
from tools.comfyui import example
from tools.comfyui.server import Server, prepare_base

KINDS = ("ecgan", "ecgan_vectors")


@pytest.fixture
def folders(comfyui, pack):
    """`folders(kind)`: ComfyUI's list of them, put back as it was."""
    import folder_paths

    before = {kind: list(folder_paths.get_folder_paths(kind)) for kind in KINDS}
    yield folder_paths.get_folder_paths
    for kind in KINDS:
        folder_paths.folder_names_and_paths[kind][0][:] = before[kind]


def test_a_name_from_windows_is_found_here_and_the_other_way_round(pack, comfyui, model):
    save_tiny(comfyui.models / "faces" / MODEL, seed=3)
    run(pack["ECGANVectorSave"], vector=model.pipeline.vector(EMOTIONS[1]), filename_prefix="mine/glad")
    there, here = (run(pack["LoadECGAN"], model=f"faces{slash}{MODEL}")[0] for slash in "\\/")
    assert there.pipeline.fingerprint == here.pipeline.fingerprint != model.pipeline.fingerprint
    vectors = [run(pack["ECGANVectorLoad"], file=f"mine{slash}glad_00001_.safetensors")[0] for slash in "\\/"]
    assert torch.equal(vectors[0].direction, vectors[1].direction)
    stamps = {pack["LoadECGAN"].fingerprint_inputs(model=f"faces{slash}{MODEL}") for slash in "\\/"}
    assert len(stamps) == 1, "the same file is another version of itself"
    assert "absent" not in stamps
    (comfyui.models / "faces" / MODEL).unlink()


def test_a_server_takes_it_too(tmp_path: Path) -> None:
    """Newer ones hold a menu's value against what they list, before a node sees it."""
    prepare_base(tmp_path)
    example.prepare_inputs(tmp_path / "input")
    save_tiny(tmp_path / "models" / "ecgan" / "faces" / MODEL, seed=0)
    prompt = {
        "1": {"class_type": "LoadECGAN", "inputs": {"model": f"faces\\{MODEL}", "precision": "auto"}},
        "2": {"class_type": "LoadImage", "inputs": {"image": example.PHOTOGRAPH}},
        "3": {"class_type": "ECGANInferEmotion", "inputs": {"model": ["1", 0], "image": ["2", 0], "face": "auto"}},
        "4": {"class_type": "PreviewAny", "inputs": {"source": ["3", 0]}},
    }
    with Server(tmp_path) as server:
        run = server.client.run(prompt)
    assert EMOTIONS[0] in str(run.outputs)


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_that_the_user_chose_stays_the_first(folders, tmp_path, kind):
    """As `is_default: true` in extra_model_paths.yaml, which ComfyUI reads before any pack is loaded."""
    import folder_paths

    from comfy_ecgan import models, vector_files

    ours = folders(kind)
    folder_paths.folder_names_and_paths.pop(kind)
    folder_paths.add_model_folder_path(kind, str(tmp_path), is_default=True)
    for _ in range(2):
        models.register_folder()
        vector_files.register_folder()
        assert folders(kind) == [str(tmp_path), *ours]


def test_a_link_that_leads_nowhere_is_not_listed(pack, comfyui, tiny):
    (comfyui.models / "gone.safetensors").symlink_to(comfyui.models / "was-here.safetensors")
    try:
        (names,) = [slot.options for slot in pack["LoadECGAN"].define_schema().inputs if slot.id == "model"]
        with pytest.raises(ValueError, match=r"there is no model 'gone\.safetensors'") as refusal:
            run(pack["LoadECGAN"], model="gone.safetensors")
    finally:
        (comfyui.models / "gone.safetensors").unlink()
    assert MODEL in names
    assert "gone.safetensors" not in names
    assert str(refusal.value).count("gone.safetensors") == 1, "it is listed as installed"
