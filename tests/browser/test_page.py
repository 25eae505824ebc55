"""ComfyUI's real page in a real browser: how the nodes feel in it."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import numpy as np

from tests.browser.page import open_workflow, pictures, run_workflow, select, set_widget, wait_until_ready
from tools.comfyui import example
from tools.comfyui.page import PATIENCE
from tools.comfyui.server import Server

ONE_PAGE = True


def open_example(page, name: str) -> None:
    open_workflow(page, json.loads((example.UI_WORKFLOW.parent / f"{name}.json").read_text(encoding="utf-8")), name)


def test_the_slider_moves_the_face_and_0_brings_it_back(page, complaints: list[str]) -> None:
    open_example(page, "emotion-slider")
    seen = {}
    for strength in (0.0, 1.0, -0.5, 0.0):
        set_widget(page, "EmotionShift", "strength", strength)
        kind, detail = run_workflow(page)
        assert kind == "execution_success", detail
        (picture,) = pictures(page, "EmotionShift")
        (completed,) = pictures(page, "MaskedFaceComplete")
        if strength == 0:
            np.testing.assert_array_equal(picture, completed)
        seen[strength] = picture
    assert np.abs(seen[1.0].astype(int) - seen[0.0]).max() > 20
    assert np.abs(seen[1.0].astype(int) - seen[-0.5]).max() > 20
    assert complaints == [], "\n".join(complaints)


def test_when_it_is_done_a_node_shows_all_its_pictures_in_full_size(page) -> None:
    """While it works there is one, of at most 512 pixels."""
    open_example(page, "four-variations")
    set_widget(page, "MaskedFaceComplete", "samples", 3)
    kind, detail = run_workflow(page)
    assert kind == "execution_success", detail
    page.wait_for_function("() => app.graph.nodes.find(n => n.type === 'MaskedFaceComplete').imgs?.length === 3")
    assert len(pictures(page, "MaskedFaceComplete")) == 3


def test_a_saved_vector_is_shown_and_loads_after_a_refresh(page, server: Server, complaints: list[str]) -> None:
    open_example(page, "vector-from-photos")
    kind, detail = run_workflow(page)
    assert kind == "execution_success", detail
    widget = "app.graph.nodes.find(n => n.type === 'ECGANVectorSave').widgets.at(-1)"
    name = page.evaluate(f"() => {widget}.value")
    assert page.evaluate(f"() => {widget}.tooltip") == str(server.base / "models" / "ecgan_vectors" / name)
    assert name.startswith("laugh_0000")
    assert not page.evaluate(f"() => {widget}.disabled"), "the page draws a disabled widget without its value"
    saved = page.evaluate("async () => app.graph.serialize().nodes.find(n => n.type === 'ECGANVectorSave')")
    assert saved["widgets_values"] == ["laugh"], "what is shown is not saved with the workflow"

    page.evaluate("() => app.refreshComboInNodes()")
    page.evaluate("() => { for (const node of app.graph.nodes) node.mode = 0 }")  # unmutes the last group
    set_widget(page, "ECGANVectorLoad", "file", name)
    offered = page.evaluate(
        """() => app.graph.nodes.find(n => n.type === 'ECGANVectorLoad')
            .widgets.find(w => w.name === 'file').options.values"""
    )
    assert name in offered
    kind, detail = run_workflow(page)
    assert kind == "execution_success", detail
    assert complaints == [], "\n".join(complaints)


def test_a_note_is_shown_under_its_node_and_goes_when_it_no_longer_holds(page, complaints: list[str]) -> None:
    open_example(page, "complete-a-mouth")
    before = page.evaluate(
        "() => app.graph.serialize().nodes.find(n => n.type === 'MaskedFaceComplete').widgets_values"
    )
    page.evaluate(
        """() => { const node = app.graph.nodes.find(n => n.type === 'MaskedFaceComplete');
            const everything = LiteGraph.createNode('SolidMask');
            app.graph.add(everything); everything.widgets[0].value = 1;
            window.held = node.inputs.find(slot => slot.name === 'mask').link;
            window.holder = app.graph.links.get?.(window.held) ?? app.graph.links[window.held];
            window.holder = [app.graph.getNodeById(window.holder.origin_id), window.holder.origin_slot];
            everything.widgets[1].value = everything.widgets[2].value = 384;
            everything.connect(0, node, node.inputs.findIndex(slot => slot.name === 'mask')) }"""
    )
    shown = (
        "[...document.querySelectorAll('div')].filter(d => d.textContent.startsWith('the mask looks inverted')).length"
    )
    kind, detail = run_workflow(page)
    assert kind == "execution_success", detail
    page.wait_for_function(f"() => {shown}")
    after = page.evaluate("() => app.graph.serialize().nodes.find(n => n.type === 'MaskedFaceComplete').widgets_values")
    assert len(after) == len(before), "what is shown is not saved with the workflow"
    page.evaluate(
        """() => { const node = app.graph.nodes.find(n => n.type === 'MaskedFaceComplete');
            const [holder, slot] = window.holder;
            holder.connect(slot, node, node.inputs.findIndex(slot => slot.name === 'mask')) }"""
    )
    kind, detail = run_workflow(page)
    assert kind == "execution_success", detail
    page.wait_for_function(f"() => !{shown}")
    assert complaints == [], "\n".join(complaints)


def test_a_broken_model_file_is_explained_in_the_page(page, server: Server) -> None:
    folder = server.base / "models" / "ecgan"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "broken.safetensors").write_bytes(b"\x80\x02}q\x00." + b" " * 64)
    try:
        open_example(page, "complete-a-mouth")
        set_widget(page, "LoadECGAN", "model", "broken.safetensors")
        kind, _ = run_workflow(page)
        assert kind == "execution_error"
        shown = page.locator("[role=dialog], [data-testid=error-overlay]").first
        shown.wait_for(timeout=30_000)
        details = page.locator("[data-testid=error-overlay-see-errors]")  # of newer pages: a dialog says all at once
        if details.count():
            details.click()
        sentence = "broken.safetensors is not an EC-GAN checkpoint: it is a Python pickle that was renamed"
        page.get_by_text(sentence).first.wait_for(timeout=30_000)
    finally:
        (folder / "broken.safetensors").unlink()
    page.keyboard.press("Escape")


def test_the_help_of_a_node_opens_with_its_picture(page, complaints: list[str]) -> None:
    open_example(page, "complete-a-mouth")
    select(page, "ECGANFaceHole")
    page.locator("[data-testid=info-button]").click()
    page.get_by_text("so that nobody has to paint").first.wait_for(timeout=10_000)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.node-help-content img')].some(i => i.naturalWidth > 100)", timeout=10_000
    )
    assert complaints == [], "\n".join(complaints)


def test_pictures_are_still_there_after_a_reload_and_a_run(page, server: Server) -> None:
    """A cached node that is no output node would not send its preview again."""
    open_example(page, "complete-a-mouth")
    assert run_workflow(page)[0] == "execution_success"
    before = pictures(page, "MaskedFaceComplete")
    page.reload()
    wait_until_ready(page)
    open_example(page, "complete-a-mouth")
    assert run_workflow(page)[0] == "execution_success"
    np.testing.assert_array_equal(pictures(page, "MaskedFaceComplete"), before)


def test_the_address_that_make_serve_prints_opens_the_example(page, server: Server, pack_name: str) -> None:
    address = f"{server.url}/?{urlencode({'template': example.NAME, 'source': pack_name})}"
    page.goto(address, timeout=PATIENCE)
    wait_until_ready(page)
    page.wait_for_function("() => app.graph.nodes.some(n => n.type === 'MaskedFaceComplete')", timeout=PATIENCE)
