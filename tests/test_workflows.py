"""The example workflows as files: complete, up to date with their description, and laid out to be read."""

from __future__ import annotations

import itertools
import json

import pytest
from PIL import Image

from ecgan_core import DEFAULT_CHECKPOINT
from tools import gallery
from tools.comfyui import example
from tools.comfyui.workflow import Node

FOLDER = example.UI_WORKFLOW.parent


def test_each_example_has_both_forms_and_a_thumbnail():
    names = {workflow.name for workflow in gallery.GALLERY}
    assert {path.stem for path in FOLDER.glob("*.json")} == names
    assert {path.stem for path in (FOLDER / "api").glob("*.json")} == names
    assert {path.stem for path in FOLDER.glob("*.jpg")} == names
    for name in names:
        with Image.open(FOLDER / f"{name}.jpg") as thumbnail:
            assert thumbnail.width >= 256
        assert (FOLDER / f"{name}.jpg").stat().st_size <= 60_000


@pytest.mark.parametrize("workflow", gallery.GALLERY, ids=lambda workflow: workflow.name)
def test_the_files_are_what_the_description_says(workflow):
    """After a change of tools/gallery: `python -m tools.gallery`."""
    saved = json.loads((FOLDER / f"{workflow.name}.json").read_text(encoding="utf-8"))
    assert [(node["type"], node["pos"]) for node in saved["nodes"]] == [
        (node.type, list(node.at)) for node in workflow.nodes
    ]
    assert len(saved["links"]) == len(workflow.as_dict()["links"])
    for node, described in zip(saved["nodes"], workflow.nodes, strict=True):
        for value in described.widgets.values():
            assert value in node["widgets_values"], f"{described.type} has not got {value!r}"
    assert DEFAULT_CHECKPOINT.name in json.dumps(saved)


@pytest.mark.parametrize("workflow", gallery.GALLERY, ids=lambda workflow: workflow.name)
def test_no_node_lies_on_another_and_groups_hold_theirs(workflow):
    # The sizes in the file, not those asked for: the page makes a node as large as its widgets need.
    saved = json.loads((FOLDER / f"{workflow.name}.json").read_text(encoding="utf-8"))
    nodes = [Node(node["type"], node["type"], tuple(node["pos"]), tuple(node["size"])) for node in saved["nodes"]]
    assert [(a.type, b.type) for a, b in itertools.combinations(nodes, 2) if a.overlaps(b)] == []
    for x, y, width, height in (group["bounding"] for group in saved["groups"]):
        for node in nodes:
            inside = x < node.at[0] < x + width and y < node.at[1] < y + height
            assert not inside or (node.at[0] + node.size[0] <= x + width and node.at[1] + node.size[1] <= y + height), (
                f"{node.type} sticks out of its group"
            )


def test_overlap_counts_the_title_bar():
    below = Node("b", "B", (0, 120), (100, 50))
    assert Node("a", "A", (0, 0), (100, 100)).overlaps(below)
    assert not Node("a", "A", (0, 0), (100, 90)).overlaps(below)
    assert not Node("a", "A", (100, 0), (100, 100)).overlaps(below)
