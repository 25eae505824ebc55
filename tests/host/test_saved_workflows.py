"""What artists saved with an earlier release still means the same, and runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.host import saved
from tools.comfyui.server import Server


def test_the_first_release_is_among_them() -> None:
    assert "0.1.0/complete-and-shift" in map(saved.name_of, saved.FILES)


@pytest.mark.parametrize("file", saved.FILES, ids=saved.name_of)
def test_every_value_is_in_its_place_and_it_runs(server: Server, file: Path) -> None:
    prompt = saved.read_by_position(saved.load(file), server.client.get_json("/object_info"))
    given = {node_id: node["inputs"] for node_id, node in prompt.items()}
    assert given == saved.meant(file), "inputs may only be appended"
    run = server.client.run(prompt)
    assert [node_id for node_id, node in prompt.items() if node["class_type"] == "SaveImage" and run.images(node_id)]


def test_an_inserted_input_would_be_found(server: Server) -> None:
    """The comparison itself: one more input before the others moves every value to a wrong place."""
    file = saved.FILES[0]
    definitions = server.client.get_json("/object_info")
    node = definitions["MaskedFaceComplete"]
    node["input"]["required"]["new"] = ["FLOAT", {}]
    node["input_order"]["required"].insert(0, "new")
    given = saved.read_by_position(saved.load(file), definitions)
    assert {node_id: node["inputs"] for node_id, node in given.items()} != saved.meant(file)
