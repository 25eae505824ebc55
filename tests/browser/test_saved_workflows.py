"""What artists saved with an earlier release opens in the page with every value in its place, and runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.page import open_workflow, run_workflow
from tests.host import saved

ONE_PAGE = True


@pytest.mark.parametrize("file", saved.FILES, ids=saved.name_of)
def test_it_opens_as_it_was_saved_and_runs(page, complaints: list[str], file: Path) -> None:
    sent = open_workflow(page, saved.load(file))
    assert page.locator("[role=dialog]").count() == 0, page.locator("[role=dialog]").first.inner_text()
    meant = saved.meant(file)
    assert set(sent) == set(meant)
    for node_id, inputs in meant.items():
        now = sent[node_id]["inputs"]
        assert {name: now.get(name) for name in inputs} == inputs
    kind, detail = run_workflow(page)
    assert kind == "execution_success", detail
    assert complaints == [], "\n".join(complaints)


def test_a_wire_that_was_saved_as_a_widget_is_a_wire(page) -> None:
    open_workflow(page, saved.load(saved.FOLDER / "0.1.0" / "wire-as-widget.json"))
    slot, widgets = page.evaluate(
        """() => { const node = app.graph.nodes.find(n => n.type === 'MaskedFaceComplete');
            return [node.inputs.find(i => i.name === 'bounding_boxes'), node.widgets.map(w => [w.name, w.value])] }"""
    )
    assert slot["type"] == "BOUNDING_BOX", "what others send no longer connects"
    assert slot.get("widget") is None
    saved_in = [name for name, _ in widgets].index("color_match") + 1
    later = {"texture": 1, "on_no_face": "auto", "track": False, "inside_face": False, "texture_alive": False}
    assert widgets[saved_in:] == [list(widget) for widget in later.items()], (
        "the box that was saved in their place, and its numbers, are no values of theirs"
    )
