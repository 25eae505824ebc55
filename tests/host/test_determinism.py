"""The same workflow gives the same files, byte for byte, whatever happened to the server before and however it runs.

That holds on one machine. Other processors, numbers of threads and graphics cards round otherwise.
"""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.comfyui import example
from tools.comfyui.client import Run, RunError
from tools.comfyui.server import Server, prepare_base
from tools.host import ROOT

OTHER_MODEL = "ecgan-portraits-64.safetensors"
SAVERS = ("5", "6")  # of the example: the completed face, and the shifted one

# ComfyUI's ways to keep little in memory, and torch's to choose repeatable algorithms.
FLAGS = ["--cache-none", "--disable-smart-memory", "--deterministic"]


@pytest.fixture
def prompt() -> dict:
    prompt = example.with_inputs(example.load_prompt(), "LoadImage", image="portrait-2.png")
    return example.with_inputs(prompt, "MaskedFaceComplete", seed=20, samples=2, color_match=0.5)


def files(server: Server, run: Run) -> list[bytes]:
    """The saved PNG files, with the metadata that is in them."""
    return [server.client.image(image) for node in SAVERS for image in run.images(node)]


def stripped(file: bytes) -> tuple[bytes, dict]:
    """Pixels and workflow of a PNG; without what ComfyUI itself adds to some nodes, and not when it keeps nothing."""
    with Image.open(io.BytesIO(file)) as picture:
        nodes = json.loads(picture.info["prompt"])
        for node in nodes.values():
            node.pop("is_changed", None)
        return picture.tobytes(), nodes


def pixels(server: Server, run: Run, node: str) -> list[np.ndarray]:
    return [np.asarray(Image.open(io.BytesIO(server.client.image(image)))) for image in run.images(node)]


def cached(run: Run) -> list[str]:
    return [node for kind, data in run.events if kind == "execution_cached" for node in data["nodes"]]


def interrupted(server: Server, prompt: dict) -> None:
    """Run a prompt and interrupt it as soon as it makes progress."""
    asked = threading.Event()

    def interrupt_once(kind: str, data: dict) -> None:
        if kind == "progress" and not asked.is_set():
            asked.set()
            server.client.post("/interrupt", {})

    with pytest.raises(RunError, match="interrupted"):
        server.client.run(example.with_inputs(prompt, "MaskedFaceComplete", samples=48, seed=3), interrupt_once)


def test_whatever_ran_before(server: Server, prompt: dict) -> None:
    first = files(server, server.client.run(prompt))
    assert len(first) == 4
    assert not any(str(ROOT).encode() in file for file in first), "a path of this machine is in a picture to share"
    other = example.with_inputs(prompt, "LoadECGAN", model=OTHER_MODEL, precision="bf16")
    server.client.run(example.with_inputs(other, "LoadImage", image=example.PHOTOGRAPH))
    server.client.run(example.with_inputs(prompt, "MaskedFaceComplete", seed=21, samples=5))
    interrupted(server, prompt)
    server.client.run(other)  # the server keeps the last prompt's results only: the next one is computed anew
    again = server.client.run(prompt)
    assert "MaskedFaceComplete" not in {prompt[node]["class_type"] for node in cached(again)}
    assert files(server, again) == first


def test_after_a_restart_and_when_nothing_is_kept_in_memory(server: Server, prompt: dict, tmp_path: Path) -> None:
    first = files(server, server.client.run(prompt))
    prepare_base(tmp_path)
    example.prepare_inputs(tmp_path / "input")
    with Server(tmp_path, arguments=FLAGS) as restarted:
        for _ in range(2):
            run = restarted.client.run(prompt)
            assert cached(run) == []
            assert [stripped(file) for file in files(restarted, run)] == [stripped(file) for file in first]
            restarted.client.post("/free", {"unload_models": True, "free_memory": True})


def test_a_face_alone_is_the_one_in_a_batch(server: Server, prompt: dict) -> None:
    """Bit for bit on the CPU, where each face goes through the networks alone; elsewhere rounded otherwise."""
    device = server.client.get_json("/system_stats")["devices"][0]["type"]
    apart = 0 if device == "cpu" else 2
    together = server.client.run(example.with_inputs(prompt, "MaskedFaceComplete", samples=4))
    alone = server.client.run(example.with_inputs(prompt, "MaskedFaceComplete", samples=1, seed=22))
    for node in SAVERS:
        of_four, one = pixels(server, together, node), pixels(server, alone, node)
        np.testing.assert_allclose(of_four[2].astype(int), one[0], rtol=0, atol=apart)
        assert (of_four[1] != of_four[2]).any()

    both = example.load_prompt(example.API_WORKFLOW.with_name("batch-with-one-mask.json"))
    single = example.load_prompt(example.API_WORKFLOW.with_name("batch-with-one-mask.json"))
    single["6"]["inputs"]["image"] = ["3", 0]
    two, second = (pixels(server, server.client.run(chosen), "7") for chosen in (both, single))
    assert len(two) == 2
    np.testing.assert_allclose(two[1].astype(int), second[0], rtol=0, atol=apart)
