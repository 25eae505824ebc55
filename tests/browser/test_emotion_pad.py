"""The emotion pad in the real page, in both of its node styles: it sets inputs, follows them, leaves no trace.

One page serves all tests of a style; each begins with an empty graph.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.browser.page import set_widget
from tools.comfyui.page import PATIENCE, api_form, load, open_page
from tools.comfyui.server import Server

STYLES = {"canvas": False, "nodes 2.0": True}
INPUTS = [f"{kind}_{number}" for number in range(1, 5) for kind in ("emotion", "weight")]
CORNER = {"top": (0.0, -1.0), "bottom": (0.0, 1.0), "middle": (0.0, 0.0)}

# With an id of its own: newer pages keep values by graph and node, and a new node 1 would have those of the last one.
NEW_GRAPH = """() => { app.graph.clear(); app.graph.id = crypto.randomUUID();
    const node = LiteGraph.createNode('ECGANEmotionMix'); node.pos = [250, 90]; app.graph.add(node);
    app.canvas.ds.scale = 1; app.canvas.ds.offset = [0, 0]; app.canvas.setDirty(true, true);
    return node.widgets[0].options.values }"""
MIX = "app.graph.nodes.find(node => node.type === 'ECGANEmotionMix')"
VALUES = f"() => {MIX}.widgets.slice(0, 8).map(widget => widget.value)"
PLACE = """([x, y]) => { const svg = document.querySelector('.ecgan-pad svg');
    const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM()); return [at.x, at.y] }"""
HANDLE = """() => { const handle = document.querySelector('.ecgan-pad .handle');
    return ['cx', 'cy'].map(name => Number(handle.getAttribute(name))) }"""


WHERE = """() => [...document.querySelectorAll('.ecgan-pad')].map(pad => JSON.stringify(pad.getBoundingClientRect()))"""


def settle(page) -> None:
    """Until the pad is there and no longer moves: a page that has just opened a workflow lays it out step by step."""
    page.locator(".ecgan-pad").first.wait_for(state="visible")
    before = None
    while (now := page.evaluate(WHERE)) != before:
        before = now
        page.wait_for_timeout(400)


def switch(page, style: str) -> None:
    page.evaluate("on => app.extensionManager.setting.set('Comfy.VueNodes.Enabled', on)", STYLES[style])


@pytest.fixture(scope="module", params=STYLES)
def styled(request, browser, server: Server) -> Iterator:
    complaints: list[str] = []
    page = open_page(browser, server.url, complaints)
    switch(page, request.param)
    page.wait_for_timeout(500)
    yield page, complaints
    switch(page, "canvas")
    page.wait_for_timeout(500)
    page.close()


@pytest.fixture(scope="module")
def plain(browser, server: Server) -> Iterator:
    """A page without the pad."""
    page = browser.new_page()
    page.route("**/emotion_pad.js", lambda route: route.abort())
    page.goto(server.url, timeout=PATIENCE)
    page.wait_for_function("() => window.LiteGraph?.registered_node_types?.ECGANEmotionMix", timeout=PATIENCE)
    page.wait_for_timeout(1500)
    yield page
    page.close()


@pytest.fixture
def pad(styled) -> Iterator:
    """The page with one Mix Emotions in an empty graph; `page.emotions` are those that it offers."""
    page, complaints = styled
    page.emotions = page.evaluate(NEW_GRAPH)
    settle(page)
    yield page
    assert complaints == [], "\n".join(complaints)


def mix(page) -> dict[str, float]:
    """What the node's inputs say, without the idle ones."""
    values = page.evaluate(VALUES)
    return {emotion: weight for emotion, weight in zip(values[::2], values[1::2], strict=True) if weight}


def drag(page, *places: tuple[float, float]) -> None:
    points = [page.evaluate(PLACE, list(place)) for place in places]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=4)
    page.mouse.up()


def test_it_shows_the_emotions_that_the_node_offers(pad) -> None:
    assert pad.locator(".ecgan-pad").count() == 1
    assert pad.locator(".ecgan-pad text:not(.mix)").all_text_contents() == pad.emotions
    assert pad.locator(".ecgan-pad .mix").text_content() == f"{pad.emotions[0]} 1.00"
    assert pad.evaluate(HANDLE) == pytest.approx(CORNER["top"])


def test_a_drag_sets_the_inputs_and_nothing_else(pad) -> None:
    first, last = pad.emotions[0], pad.emotions[-1]
    node = pad.evaluate("() => [...app.graph.nodes[0].pos]")
    drag(pad, (0.0, -1.0), (0.3, 0.2), (0.0, -0.5))
    assert mix(pad) == pytest.approx({first: 0.5}, abs=0.02)
    opposite = pad.emotions[len(pad.emotions) // 2] if len(pad.emotions) % 2 == 0 else None
    if opposite:
        drag(pad, (0.0, 0.0), (0.0, 0.7))
        assert mix(pad) == pytest.approx({opposite: 0.7}, abs=0.02)
    drag(pad, (0.0, 0.0), (-0.3, -0.6))
    assert set(mix(pad)) == {first, last}, "between two corners lie the emotions of both"
    drag(pad, (0.0, 0.0), (0.0, -9.0))
    assert mix(pad) == pytest.approx({first: 1.5}, abs=0.01), "outside of the pad is no stronger than its edge"
    pad.locator(".ecgan-pad").dblclick()
    assert mix(pad) == {}
    assert pad.evaluate("() => [...app.graph.nodes[0].pos]") == node, "the drag moved the node"


def test_emotions_that_are_chosen_stand_side_by_side(pad) -> None:
    """Whatever the order in the model, any two can be mixed by hand; a drag then leaves the corners where they are."""
    first, fourth = pad.emotions[0], pad.emotions[3]
    set_widget(pad, "ECGANEmotionMix", "emotion_2", fourth)
    names = pad.locator(".ecgan-pad text:not(.mix)").all_text_contents()
    assert names[:2] == [first, fourth]
    assert sorted(names) == sorted(pad.emotions)
    drag(pad, (0.0, 0.0), (0.3, -0.6))
    assert set(mix(pad)) == {first, fourth}
    drag(pad, (0.3, -0.6), (0.0, 0.7), (-0.4, -0.3))
    assert pad.locator(".ecgan-pad text:not(.mix)").all_text_contents() == names


def test_what_the_page_shows_is_what_was_dragged(pad, styled) -> None:
    drag(pad, (0.0, 0.0), (0.0, -0.4))
    weight = pad.evaluate(VALUES)[1]
    pad.wait_for_timeout(200)
    if pad.evaluate("() => LiteGraph.vueNodesMode"):
        shown = pad.locator(".lg-node-widget input").first.input_value()
        assert float(shown) == pytest.approx(weight, abs=0.001)
    assert pad.locator(".ecgan-pad .mix").text_content() == f"{pad.emotions[0]} {weight:.2f}"


def test_numbers_move_the_handle(pad) -> None:
    """By hand: on the slider that is drawn on the canvas, or in the field that stands in the page."""
    if pad.evaluate("() => LiteGraph.vueNodesMode"):
        field = pad.locator(".lg-node-widget input").first
        field.press("Control+a")
        field.press_sequentially("0.25")
        field.press("Enter")
    else:
        x, y = pad.evaluate(
            """() => { const node = app.graph.nodes[0], slider = node.widgets[1];
                const box = app.canvas.canvas.getBoundingClientRect(), width = node.size[0] - 30;
                const [left, top] = [box.left + node.pos[0] + 15, box.top + node.pos[1] + slider.y];
                return [left + width * (0.25 + 2) / 4, top + 10] }"""
        )
        pad.mouse.click(x, y)
    pad.wait_for_timeout(200)
    weight = pad.evaluate(VALUES)[1]
    assert weight == pytest.approx(0.25, abs=0.03)
    assert pad.evaluate(HANDLE) == pytest.approx([0.0, -weight], abs=0.001)


def test_the_workflow_is_the_same_with_and_without_it(pad, plain) -> None:
    drag(pad, (0.0, 0.0), (0.2, -0.5))
    values, saved = pad.evaluate(VALUES), pad.evaluate("() => app.graph.serialize().nodes[0]")
    assert saved["widgets_values"] == values
    assert [slot["name"] for slot in saved["inputs"]] == ["model", "vector", *INPUTS]
    assert list(api_form(pad)["1"]["inputs"]) == INPUTS

    workflow = pad.evaluate("() => app.graph.serialize()")
    load(plain, workflow)
    sent = api_form(plain)
    assert plain.locator(".ecgan-pad").count() == 0
    assert sent == api_form(pad)
    again = plain.evaluate("() => app.graph.serialize().nodes[0]")
    for key in ("widgets_values", "inputs", "outputs", "properties"):
        assert again[key] == saved[key]


def test_a_saved_workflow_opens_with_its_numbers(pad) -> None:
    drag(pad, (0.0, 0.0), (0.35, -0.4))
    values, handle = pad.evaluate(VALUES), pad.evaluate(HANDLE)
    workflow = json.loads(json.dumps(pad.evaluate("() => app.graph.serialize()")))
    pad.evaluate(NEW_GRAPH)
    load(pad, workflow)
    settle(pad)
    assert pad.evaluate(VALUES) == values
    assert pad.evaluate(HANDLE) == pytest.approx(handle, abs=0.001)
    # What was opened can be dragged and saved again.
    drag(pad, (0.0, 0.0), (0.0, -0.6))
    assert mix(pad) == pytest.approx({pad.emotions[0]: 0.6}, abs=0.02)
    assert pad.evaluate("() => app.graph.serialize().nodes[0]")["widgets_values"] == pad.evaluate(VALUES)


def test_a_copy_has_a_pad_of_its_own(pad) -> None:
    drag(pad, (0.0, 0.0), (0.0, -0.4))
    pad.evaluate("() => { const copy = app.graph.nodes[0].clone(); copy.pos = [800, 90]; app.graph.add(copy) }")
    pad.wait_for_timeout(500)
    assert pad.locator(".ecgan-pad:visible").count() == 2
    before = pad.evaluate("() => app.graph.nodes[1].widgets.slice(0, 8).map(widget => widget.value)")
    assert before == pad.evaluate(VALUES)
    pad.locator(".ecgan-pad").first.dblclick()
    after = pad.evaluate("() => app.graph.nodes.map(node => node.widgets[1].value)")
    assert sorted(after) == pytest.approx([0, 0.4], abs=0.02)


def test_keys_move_it_and_say_so(pad) -> None:
    slider = pad.get_by_role("slider", name="Emotion pad")
    slider.focus()
    slider.press("Home")
    assert slider.get_attribute("aria-valuetext") == "neutral"
    for _ in range(3):
        slider.press("ArrowUp")
    assert mix(pad) == pytest.approx({pad.emotions[0]: 0.15}, abs=0.01)
    slider.press("Shift+ArrowUp")
    assert mix(pad) == pytest.approx({pad.emotions[0]: 0.4}, abs=0.01)
    assert slider.get_attribute("aria-valuetext") == f"{pad.emotions[0]} 0.40"
    assert slider.get_attribute("aria-valuenow") == "0.40"
    assert pad.evaluate("() => app.graph.nodes.length") == 1, "the keys reached the page as well"


def test_a_drag_is_one_step_of_undo(pad) -> None:
    drag(pad, (0.0, 0.0), (0.0, -0.8))
    pad.wait_for_timeout(300)
    drag(pad, (0.0, -0.8), (0.0, 0.0), (0.3, -0.3))
    pad.wait_for_timeout(300)
    pad.keyboard.press("Control+z")
    pad.wait_for_timeout(800)
    assert mix(pad) == pytest.approx({pad.emotions[0]: 0.8}, abs=0.02)
    assert pad.locator(".ecgan-pad .mix").text_content().startswith(pad.emotions[0])


def test_the_wheel_and_the_middle_button_are_the_canvass(pad) -> None:
    before = pad.evaluate(VALUES)
    pad.mouse.move(*pad.evaluate(PLACE, [0.3, 0.3]))
    pad.mouse.wheel(0, -200)
    pad.wait_for_timeout(300)
    assert pad.evaluate("() => app.canvas.ds.scale") > 1
    offset = pad.evaluate("() => [...app.canvas.ds.offset]")
    pad.mouse.down(button="middle")
    pad.mouse.move(900, 500, steps=4)
    pad.mouse.up(button="middle")
    assert pad.evaluate("() => [...app.canvas.ds.offset]") != offset
    assert pad.evaluate(VALUES) == before


def test_inputs_that_are_connected_are_not_its_to_set(pad) -> None:
    pad.evaluate(
        """() => { const node = app.graph.nodes[0], number = LiteGraph.createNode('PrimitiveFloat');
            number.pos = [0, 300]; app.graph.add(number);
            number.connect(0, node, node.inputs.findIndex(slot => slot.name === 'weight_2')) }"""
    )
    pad.wait_for_timeout(300)
    before = pad.evaluate(VALUES)
    assert pad.locator(".ecgan-pad").get_attribute("aria-disabled") == "true"
    drag(pad, (0.0, 0.0), (0.3, 0.4))
    assert pad.evaluate(VALUES) == before
    pad.evaluate(f"() => {{ const node = {MIX}; node.disconnectInput(node.inputs.findIndex(slot => slot.link)) }}")
    assert pad.locator(".ecgan-pad").get_attribute("aria-disabled") == "false"


def test_it_survives_a_change_of_style(pad, styled, request) -> None:
    here = request.node.callspec.params["styled"]
    there = next(style for style in STYLES if style != here)
    drag(pad, (0.0, 0.0), (0.0, -0.3))
    for style in (there, here):
        switch(pad, style)
        pad.wait_for_timeout(1000)
        settle(pad)
        assert pad.locator(".ecgan-pad:visible").count() == 1
        assert mix(pad) == pytest.approx({pad.emotions[0]: 0.3}, abs=0.02)
    drag(pad, (0.0, 0.0), (0.0, -0.9))
    assert mix(pad) == pytest.approx({pad.emotions[0]: 0.9}, abs=0.02)


def test_a_finger_can_use_it(browser, server: Server) -> None:
    complaints: list[str] = []
    page = open_page(browser, server.url, complaints, has_touch=True)
    emotions = page.evaluate(NEW_GRAPH)
    settle(page)
    page.touchscreen.tap(*page.evaluate(PLACE, [0.0, -0.6]))
    assert mix(page) == pytest.approx({emotions[0]: 0.6}, abs=0.02)
    assert complaints == [], "\n".join(complaints)
    page.close()


def test_where_it_cannot_be_made_the_inputs_are_all_there_is(browser, server: Server) -> None:
    complaints: list[str] = []
    warnings: list[str] = []
    page = open_page(browser, server.url, complaints)
    page.on("console", lambda message: warnings.append(message.text) if message.type == "warning" else None)
    page.evaluate("() => { LiteGraph.LGraphNode.prototype.addDOMWidget = () => { throw new Error('not here') } }")
    page.evaluate(NEW_GRAPH)
    assert page.evaluate("() => app.graph.nodes[0].widgets.map(widget => widget.name)") == INPUTS
    assert list(api_form(page)["1"]["inputs"]) == INPUTS
    assert any("no emotion pad" in text for text in warnings)
    assert complaints == [], "\n".join(complaints)
    page.close()
