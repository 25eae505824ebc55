"""ComfyUI's real page in a real browser: the example opens, runs and shows its pictures."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tools import example
from tools.server import Server

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: see the `dev` extra")

REQUIRED = os.environ.get("ECGAN_REQUIRE_BROWSER") == "1"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

# What the page complains about by itself, with or without our pack: (where the message comes from, a piece of it).
KNOWN = (
    ("/user.css", "404"),
    ("/api/userdata/user.css", "404"),
    ("favicon.ico", "404"),
    ("/api/userdata/comfy.templates.json", "404"),
    ("", "Connecting to 'https://api.comfy.org/"),  # the page's wish to look nodes up; the server forbids it
    ("", "reading 'id'"),
)

PAGE_IS_READY = """() => window.app?.graph && window.app?.extensionManager
    && window.LiteGraph?.registered_node_types?.LoadImage && !document.querySelector('#splash-loader')"""


def find_browser() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator:
    executable = find_browser()
    if executable is None:
        why = "No Chromium was found, so ComfyUI's page is not tested: install one, or set CHROMIUM to its program."
        if REQUIRED:
            pytest.fail(why)
        pytest.skip(why)
    # Closed again at the module's end: while it runs, no other event loop can run in this thread.
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """Errors on the page's console that are not its own known ones; a test ends by looking at them."""
    return []


@pytest.fixture
def page(browser, server: Server, complaints: list[str]) -> Iterator:
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    page.add_init_script("localStorage.setItem('vueNodesBannerDismissed', 'true')")

    def note(where: str, text: str) -> None:
        if not any(source in where and piece in text for source, piece in KNOWN):
            complaints.append(f"{where}: {text}")

    page.on("console", lambda m: note(m.location.get("url", ""), m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: note("", str(error)))
    page.goto(server.url)
    page.wait_for_function(PAGE_IS_READY, timeout=60_000)
    yield page
    page.close()


def open_example(page) -> dict:
    """Open the example as a dropped file does; returns the page's API form of it."""
    workflow = json.loads(example.UI_WORKFLOW.read_text(encoding="utf-8"))
    page.evaluate("workflow => app.loadGraphData(workflow, true, true, 'example')", workflow)
    page.wait_for_timeout(500)
    return page.evaluate("async () => (await app.graphToPrompt()).output")


def test_the_example_opens_with_no_missing_node(page, complaints: list[str]) -> None:
    open_example(page)
    nodes = page.evaluate(
        "() => app.graph.nodes.map(n => [n.type, !!n.has_errors, n.type in LiteGraph.registered_node_types])"
    )
    assert {"LoadECGAN", "MaskedFaceComplete", "EmotionShift"} <= {kind for kind, _, _ in nodes}
    assert [kind for kind, broken, known in nodes if broken or not known] == []
    assert page.locator("[role=dialog]").count() == 0, page.locator("[role=dialog]").first.inner_text()
    assert complaints == [], "\n".join(complaints)


def test_both_forms_of_the_example_are_the_same_workflow(page) -> None:
    """The page's own translation of the UI form is the API form that the demo and other programs use."""
    translated = open_example(page)
    expected = example.load_prompt()
    assert {key: (node["class_type"], node["inputs"]) for key, node in translated.items()} == {
        key: (node["class_type"], node["inputs"]) for key, node in expected.items()
    }


def test_the_example_runs_and_shows_its_pictures(page, complaints: list[str]) -> None:
    open_example(page)
    page.evaluate(
        """() => { window.ended = null;
            for (const kind of ['execution_success', 'execution_error', 'execution_interrupted'])
                app.api.addEventListener(kind, event => { window.ended = [kind, event.detail] }) }"""
    )
    page.locator("[data-testid=queue-button]").first.click()
    page.wait_for_function("() => window.ended", timeout=120_000)
    kind, detail = page.evaluate("() => window.ended")
    assert kind == "execution_success", detail
    # Every node that draws pictures under itself has one, and it has loaded.
    page.wait_for_function(
        """() => { const shown = app.graph.nodes.filter(n => ['SaveImage', 'PreviewImage', 'MaskedFaceComplete',
                       'EmotionShift'].includes(n.type));
                   return shown.length && shown.every(n => n.imgs?.length && n.imgs[0].naturalWidth > 0) }""",
        timeout=30_000,
    )
    assert complaints == [], "\n".join(complaints)
    picture = os.environ.get("ECGAN_SCREENSHOT")
    if picture:
        page.evaluate("() => app.extensionManager.command.execute('Comfy.Canvas.FitView')")
        page.wait_for_timeout(1000)
        page.screenshot(path=Path(picture))


def test_the_address_that_make_serve_prints_opens_the_example(page, server: Server, pack_name: str) -> None:
    page.goto(f"{server.url}/?{urlencode({'template': example.NAME, 'source': pack_name})}")
    page.wait_for_function(PAGE_IS_READY, timeout=60_000)
    page.wait_for_function("() => app.graph.nodes.some(n => n.type === 'MaskedFaceComplete')", timeout=20_000)
