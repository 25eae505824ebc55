"""The example workflow through a real ComfyUI server: what an artist gets who opens it and presses Run."""

from __future__ import annotations

import io
import threading
import time

import numpy as np
import pytest
from PIL import Image

from tools import demo, gallery
from tools.comfyui import example
from tools.comfyui.client import Run, RunError
from tools.comfyui.server import Server

INPUTS = [*sorted(path.name for path in example.PORTRAITS.glob("*.png")), example.PHOTOGRAPH]


@pytest.fixture
def prompt() -> dict:
    return example.load_prompt()


def node_of(prompt: dict, class_type: str) -> str:
    (node_id,) = [node_id for node_id, node in prompt.items() if node["class_type"] == class_type]
    return node_id


def pixels(server: Server, run: Run, prompt: dict, *, shifted: bool) -> np.ndarray:
    """The first picture of the completion or of its shift, uint8 [H, W, 3]."""
    nodes = demo.picture_nodes(prompt, run)
    chosen = next(node for node in nodes if example.depends_on(prompt, node, "EmotionShift") == shifted)
    return np.asarray(Image.open(io.BytesIO(server.client.image(run.images(chosen)[0]))).convert("RGB"))


def source(server: Server, name: str) -> tuple[np.ndarray, np.ndarray]:
    """An input picture, uint8 [H, W, 3], and its hole, bool [H, W]."""
    rgba = np.asarray(Image.open(server.base / "input" / name).convert("RGBA"))
    return rgba[..., :3], rgba[..., 3] < 255


@pytest.mark.parametrize("name", INPUTS)
def test_completes_and_shifts_only_inside_the_hole(server: Server, prompt: dict, name: str) -> None:
    prompt = example.with_inputs(prompt, "LoadImage", image=name)
    run = server.client.run(prompt)
    before, hole = source(server, name)
    completed, shifted = (pixels(server, run, prompt, shifted=which) for which in (False, True))
    for picture in (completed, shifted):
        assert picture.shape == before.shape
        np.testing.assert_array_equal(picture[~hole], before[~hole])
    assert np.abs(completed[hole].astype(int) - before[hole]).mean() > 1, "the hole was not filled anew"
    assert np.abs(shifted[hole].astype(int) - completed[hole]).mean() > 0.5, "the shift moved nothing"


def test_a_shift_of_zero_changes_nothing(server: Server, prompt: dict) -> None:
    prompt = example.with_inputs(prompt, "EmotionShift", strength=0.0)
    run = server.client.run(prompt)
    np.testing.assert_array_equal(pixels(server, run, prompt, shifted=True), pixels(server, run, prompt, shifted=False))


def test_the_slider_does_not_complete_again(server: Server, prompt: dict) -> None:
    server.client.run(example.with_inputs(prompt, "EmotionShift", strength=0.2))
    run = server.client.run(example.with_inputs(prompt, "EmotionShift", strength=0.7))
    cached = [node for kind, data in run.events if kind == "execution_cached" for node in data["nodes"]]
    executed = [data["node"] for kind, data in run.events if kind == "executing"]
    assert node_of(prompt, "MaskedFaceComplete") in cached
    assert node_of(prompt, "LoadECGAN") in cached
    assert node_of(prompt, "EmotionShift") in executed


def test_the_same_seed_gives_the_same_face_after_a_restart(server: Server, prompt: dict) -> None:
    """Nothing that a server remembers takes part: emptying its cache stands for the restart."""
    first = pixels(server, server.client.run(prompt), prompt, shifted=True)
    server.client.post("/free", {"unload_models": True, "free_memory": True})
    time.sleep(1.5)  # the server frees between two prompts, at its next look at the queue
    run = server.client.run(prompt)
    assert not [node for kind, data in run.events if kind == "execution_cached" for node in data["nodes"]]
    np.testing.assert_array_equal(pixels(server, run, prompt, shifted=True), first)


def test_progress_and_a_preview_arrive(server: Server, prompt: dict) -> None:
    run = server.client.run(example.with_inputs(prompt, "MaskedFaceComplete", samples=5, seed=11))
    complete = node_of(prompt, "MaskedFaceComplete")
    steps = [
        (data["value"], data["max"]) for kind, data in run.events if kind == "progress" and data["node"] == complete
    ]
    assert steps, "no progress came"
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1]
    assert any(kind == "preview" for kind, _ in run.events)


def test_interrupt_stops_and_the_next_run_works(server: Server, prompt: dict) -> None:
    complete = node_of(prompt, "MaskedFaceComplete")
    asked = threading.Event()

    def interrupt_once(kind: str, data: dict) -> None:
        if kind == "progress" and data.get("node") == complete and not asked.is_set():
            asked.set()
            server.client.post("/interrupt", {})

    with pytest.raises(RunError, match="interrupted"):
        server.client.run(example.with_inputs(prompt, "MaskedFaceComplete", samples=64, seed=12), interrupt_once)
    assert server.client.run(prompt).outputs


def test_unknown_emotion_is_refused_with_the_known_ones(server: Server, prompt: dict) -> None:
    with pytest.raises(RunError, match="hilarious") as refused:
        server.client.run(example.with_inputs(prompt, "MaskedFaceComplete", emotion="hilarious"))
    assert "neutral" in str(refused.value) or "know" in str(refused.value)


def test_a_picture_without_a_hole_is_refused_in_a_sentence(server: Server, prompt: dict) -> None:
    rgba = Image.open(server.base / "input" / INPUTS[0])
    rgba.convert("RGB").save(server.base / "input" / "no-hole.png")
    with pytest.raises(RunError, match=r"(?i)mask"):
        server.client.run(example.with_inputs(prompt, "LoadImage", image="no-hole.png"))


def test_the_examples_are_among_the_templates(server: Server, pack_name: str) -> None:
    listed = server.client.get_json("/api/workflow_templates")[pack_name]
    assert {workflow.name for workflow in gallery.GALLERY} == set(listed)
    served = server.client.get_json(f"/api/workflow_templates/{pack_name}/{example.NAME}.json")
    assert {node["type"] for node in served["nodes"]} >= {"LoadECGAN", "MaskedFaceComplete", "EmotionShift"}


def test_every_node_has_a_help_page_with_a_picture(server: Server, pack_name: str) -> None:
    nodes = server.client.get_json("/object_info")
    ours = [node_id for node_id, node in nodes.items() if node["category"] == "ECGAN"]
    assert len(ours) == 11
    for node_id in ours:
        page = server.client.get(f"/extensions/{pack_name}/docs/{node_id}.md").decode()
        assert len(page) > 200
        picture = server.client.get(f"/extensions/{pack_name}/docs/images/{node_id}.jpg")
        assert Image.open(io.BytesIO(picture)).format == "JPEG"


def test_demo_writes_its_pictures_and_the_contact_sheet(tmp_path) -> None:
    sheet = demo.demo(tmp_path / "host", tmp_path / "out")
    written = {path.name for path in sheet.parent.iterdir()}
    for name in INPUTS:
        stem = name.removesuffix(".png")
        assert f"{stem}-completed.png" in written
        assert {f"{stem}-shift{strength:+.1f}.png" for strength in demo.STRENGTHS} <= written
    with Image.open(sheet) as image:
        assert image.width > 1000
        assert image.height > 250 * len(INPUTS)
