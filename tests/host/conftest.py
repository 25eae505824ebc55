"""The nodes as ComfyUI's executor calls them, in this process and without a server.

ComfyUI's own modules are real: its folder goes on `sys.path`, and it is told to use the CPU before any of it is
imported. The model is small and its weights are random: what is tested with it holds for any weights.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from tests.host.pack import MODEL, ROOT, load_pack, run, save_tiny
from tools.host import HostError, comfyui_dir


@pytest.fixture(scope="module")
def comfyui(tmp_path_factory):
    """ComfyUI in this process, on the CPU, with folders of its own; `comfyui.models` is where checkpoints go."""
    try:
        folder = comfyui_dir()
    except HostError as problem:
        pytest.skip(str(problem))
    path = list(sys.path)
    sys.path.insert(0, str(folder))  # before our root: both have a `nodes`
    from comfy.cli_args import args

    args.cpu = True
    import folder_paths

    base = tmp_path_factory.mktemp("comfyui")
    folder_paths.models_dir = str(base / "models")
    folder_paths.set_temp_directory(str(base / "temp"))
    (base / "models" / "ecgan").mkdir(parents=True)
    for kind in ("ecgan", "ecgan_vectors"):  # another module's tests may have registered their own
        folder_paths.folder_names_and_paths.pop(kind, None)
    yield SimpleNamespace(folder=folder, models=base / "models" / "ecgan")
    sys.path[:] = path


@pytest.fixture(scope="module")
def pack(comfyui):
    """Our nodes by their ids, loaded the way ComfyUI loads a folder of custom_nodes."""
    return {node.GET_SCHEMA().node_id: node for node in load_pack(ROOT)}


@pytest.fixture(scope="module")
def tiny(comfyui, pack):
    """The name of a small installed model with random weights, in which every emotion has a visible effect."""
    save_tiny(comfyui.models / MODEL, seed=0)
    return MODEL


@pytest.fixture(scope="module")
def model(pack, tiny):
    return run(pack["LoadECGAN"], model=tiny, precision="fp32")[0]


@pytest.fixture
def complete(pack, model):
    """`complete(image, mask, …)` with the node's defaults, the picture taken as the face."""

    def call(image, mask, **inputs):
        return run(pack["MaskedFaceComplete"], model=model, image=image, mask=mask, **{"face": "whole image", **inputs})

    return call
