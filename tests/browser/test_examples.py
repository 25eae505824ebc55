"""Every example in ComfyUI's real page: it opens, says the same in both forms, runs, and shows its pictures."""

from __future__ import annotations

import json

import pytest

from tests.browser.page import SHOWN, open_workflow, run_workflow
from tools import gallery
from tools.comfyui import example
from tools.comfyui.server import Server

ONE_PAGE = True
FOLDER = example.UI_WORKFLOW.parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))

# Notes say what to load to people who do not have the example's own pictures.
NOTES = "() => app.graph.nodes.filter(n => n.type === 'MarkdownNote').map(n => n.widgets[0].value).join(' ')"


# What some pages send of nodes of ComfyUI's own and others do not, or not at once: what a widget shows (of a film, when
# that is loaded), and inputs that came later.
NOT_EVERYWHERE = {
    "PreviewAny": {"preview"},
    "LoadVideo": {"video-preview"},
    "CreateVideo": {"bit_depth"},
    "SaveVideo": {"format.codec"},
}


def meant(prompt: dict) -> dict:
    """Node id → type and inputs, without those that not every page sends, or not at once."""
    nodes = {key: (node["class_type"], dict(node["inputs"])) for key, node in prompt.items()}
    for kind, inputs in nodes.values():
        for name in NOT_EVERYWHERE.get(kind, ()):
            inputs.pop(name, None)
    return nodes


@pytest.mark.parametrize("name", NAMES)
def test_an_example_opens_runs_and_shows_its_pictures(page, complaints: list[str], name: str) -> None:
    translated = open_workflow(page, json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")), name)
    nodes = page.evaluate(
        "() => app.graph.nodes.map(n => [n.type, !!n.has_errors, n.type in LiteGraph.registered_node_types])"
    )
    missing = {"CheckpointLoaderSimple"} if name in gallery.NEEDS_MORE else set()  # newer pages mark it at once
    assert [kind for kind, broken, known in nodes if not known or (broken and kind not in missing)] == []
    assert page.locator("[role=dialog]").count() == 0, page.locator("[role=dialog]").first.inner_text()
    assert any(f"**{node}**" in page.evaluate(NOTES) for node in ("Load Image", "Load Video"))

    assert meant(translated) == meant(example.load_prompt(FOLDER / "api" / f"{name}.json"))

    if name not in gallery.NEEDS_MORE:
        kind, detail = run_workflow(page)
        assert kind == "execution_success", detail
        page.wait_for_function(f"() => ({SHOWN})().every(([type, shown]) => shown)", timeout=30_000)
        assert page.evaluate(SHOWN), "nothing is shown"
    assert complaints == [], "\n".join(complaints)


def test_the_refining_example_lacks_nothing_but_a_checkpoint(page, server: Server) -> None:
    """It cannot run as a whole; the server's check of it knows every node, link and value but the user's own file."""
    prompt = example.load_prompt(FOLDER / "api" / "refine-with-diffusion.json")
    answer = page.request.post(f"{server.url}/prompt", data={"prompt": prompt})
    errors = [
        (node["class_type"], error["type"], error["extra_info"]["input_name"])
        for node in answer.json()["node_errors"].values()
        for error in node["errors"]
    ]
    assert errors == [("CheckpointLoaderSimple", "value_not_in_list", "ckpt_name")]
