"""The page in other languages: our nodes' names, labels and tooltips are the translated ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.page import open_page
from tools import locales
from tools.comfyui.page import PATIENCE
from tools.comfyui.server import Server

NODE = "EmotionShift"
NEW_NODE = f"""() => {{ app.graph.clear(); const node = LiteGraph.createNode('{NODE}'); node.pos = [300, 200];
    app.graph.add(node); app.canvas.ds.scale = 1; app.canvas.ds.offset = [0, 0]; app.canvas.setDirty(true, true) }}"""
SHOWN = """() => { const node = app.graph.nodes[0]; return {
    title: node.title,
    inputs: Object.fromEntries(node.inputs.map(slot => [slot.name, slot.localized_name])),
    widgets: Object.fromEntries(node.widgets.map(widget => [widget.name, widget.label])),
    outputs: node.outputs.map(slot => slot.localized_name) } }"""


@pytest.fixture(params=["zh", "ja", "es"])
def language(request, server: Server) -> Iterator[str]:
    server.client.post("/settings/Comfy.Locale", request.param)
    yield request.param
    server.client.post("/settings/Comfy.Locale", "en")


def expected(language: str) -> dict:
    texts = locales.read(language)[NODE]
    names = {name: slot["name"] for name, slot in texts["inputs"].items()}
    return {
        "title": texts["display_name"],
        "inputs": names,
        "widgets": {name: names[name] for name in ("strength", "emotion")},
        "outputs": [texts["outputs"][index]["name"] for index in sorted(texts["outputs"], key=int)],
    }


def test_a_node_speaks_the_pages_language(browser, server: Server, language: str) -> None:
    complaints: list[str] = []
    page = open_page(browser, server.url, complaints)
    page.evaluate(NEW_NODE)
    assert page.evaluate(SHOWN) == expected(language)
    texts = locales.read(language)[NODE]
    tooltips = page.evaluate(f"() => LiteGraph.registered_node_types.{NODE}.nodeData.inputs")
    assert {name: spec["tooltip"] for name, spec in tooltips.items()} == {
        name: slot["tooltip"] for name, slot in texts["inputs"].items()
    }
    # What an artist sees who rests the pointer on the node's title.
    page.wait_for_timeout(500)
    box = page.evaluate("() => { const { x, y } = app.canvas.canvas.getBoundingClientRect(); return [x, y] }")
    page.mouse.move(box[0] + 380, box[1] + 150)
    page.mouse.move(box[0] + 400, box[1] + 185, steps=4)
    page.locator(".node-tooltip").get_by_text(texts["description"], exact=True).wait_for(timeout=10_000)
    # Ids are the same in every language: a workflow that is saved here opens anywhere.
    saved = page.evaluate("() => app.graph.serialize().nodes[0]")
    assert {slot["name"] for slot in saved["inputs"]} == set(texts["inputs"])
    assert complaints == [], "\n".join(complaints)
    page.close()


@pytest.mark.parametrize("language", ["zh"], indirect=True)
def test_a_page_that_keeps_our_texts_needs_no_help(browser, server: Server, language: str) -> None:
    """Without our script, and with what later pages do by themselves: the keys are those that the page looks up."""
    page = browser.new_page()
    page.route("**/translations.js", lambda route: route.abort())
    page.goto(server.url, timeout=PATIENCE)
    page.wait_for_function(
        f"() => window.LiteGraph?.registered_node_types?.{NODE} && window.app?.graph", timeout=PATIENCE
    )
    page.wait_for_timeout(1500)
    page.evaluate(
        """async language => { const texts = await (await fetch('/i18n')).json();
            const vue = document.querySelector('#vue-app').__vue_app__;
            vue._context.provides[vue.__VUE_I18N_SYMBOL__].global.mergeLocaleMessage(language, texts[language]);
            await app.registerNodes() }""",
        language,
    )
    page.evaluate(NEW_NODE)
    assert page.evaluate(SHOWN) == expected(language)
    page.close()


def test_english_stays_as_the_nodes_have_it(page) -> None:
    page.evaluate(NEW_NODE)
    assert page.evaluate("() => app.graph.nodes[0].title") == "Shift Emotion"
    assert page.evaluate(SHOWN)["inputs"]["vector"] == "vector"
