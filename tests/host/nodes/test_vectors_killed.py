"""Save Emotion Vector, killed: a vector's file is either not there or whole."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import torch

from ecgan_core.emotions.vectors import EmotionVector
from tests.host.pack import ROOT, load_pack
from tests.host.pack import run as execute
from tests.killing import Death, forks, run, was_killed
from tools.host import HostError, comfyui_dir

VECTOR = EmotionVector("mine", torch.arange(6.0), "of a model")


def save_and_be_killed(comfyui: str, base: str) -> None:
    """Save a vector in a process that is killed at its first write, then in one at its second, until one comes through;
    after each, every file that has a vector's name is one.
    """
    sys.path.insert(0, comfyui)
    from comfy.cli_args import args

    args.cpu = True
    import folder_paths

    folder_paths.models_dir = base
    pack = {node.GET_SCHEMA().node_id: node for node in load_pack(ROOT)}
    folder = Path(folder_paths.get_folder_paths("ecgan_vectors")[0])
    status = deaths = 0
    while deaths == 0 or status != 0:
        child = os.fork()
        if child == 0:
            sys.addaudithook(Death(folder, deaths + 1))
            execute(pack["ECGANVectorSave"], vector=VECTOR, filename_prefix="mine/glad")
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        assert status == 0 or was_killed(-os.WTERMSIG(status))
        deaths += status != 0
        for path in folder.rglob("*.safetensors"):
            assert torch.equal(EmotionVector.load(path).direction, VECTOR.direction)
    assert deaths >= 4
    print(f"killed {deaths} times")


@forks
def test_a_vector_is_not_there_or_whole(tmp_path):
    try:
        comfyui = comfyui_dir()
    except HostError as problem:
        pytest.skip(str(problem))
    code, said = run(save_and_be_killed, str(comfyui), str(tmp_path))
    assert code == 0, said
    assert "killed" in said
