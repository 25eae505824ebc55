"""ComfyUI's own page in a headless Chromium: open it, build a workflow in it, take both forms of the workflow from it.

Needs `playwright` (the `dev` extra) and a Chromium on this machine; `CHROMIUM` names its program.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tools.comfyui.workflow import Workflow
from tools.host import HostError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

PATIENCE = 180_000  # milliseconds for the page to open: beside other work a minute may not be enough

# What the page complains about by itself, with or without our pack: (where the message comes from, a piece of it).
KNOWN = (
    ("/user.css", "404"),
    ("/api/userdata/user.css", "404"),
    ("favicon.ico", "404"),
    ("/api/userdata/comfy.templates.json", "404"),
    ("/en.md", "404"),  # it looks for help in its language first, and takes the one without afterwards
    ("", "Connecting to 'https://api.comfy.org/"),  # the page's wish to look nodes up; the server forbids it
    ("", "reading 'id'"),
    ("", "ComfyApp graph accessed before initialization"),
    ("/missingModelMetadata", "Content Security Policy"),  # it looks up the sizes of models that its first graph names
)

IS_READY = """() => window.app?.graph && window.app?.extensionManager
    && window.LiteGraph?.registered_node_types?.LoadImage && !document.querySelector('#splash-loader')"""

BUILD = """workflow => {
    app.clean();  // also forgets pictures of the last workflow's nodes, which make nodes of the same number taller
    app.graph.clear();
    const made = {};
    for (const { name, type, title, at, size, widgets, muted } of workflow.nodes) {
        const node = LiteGraph.createNode(type);
        if (!node) throw new Error(`there is no node ${type}`);
        app.graph.add(node);
        if (title) node.title = title;
        for (const [key, value] of Object.entries(widgets)) {
            const widget = node.widgets?.find(w => w.name === key);
            if (!widget) throw new Error(`${type} has no widget ${key}`);
            widget.value = value;
        }
        node.pos = at;
        node.size = size;
        const ours = node.constructor.nodeData?.python_module?.startsWith('custom_nodes');
        node.properties.cnr_id = ours ? 'comfy-ecgan' : 'comfy-core';
        if (muted) node.mode = 2;
        if (type === 'MarkdownNote') { node.color = '#432'; node.bgcolor = '#653'; }
        made[name] = node;
    }
    for (const [from, output, to, input] of workflow.links) {
        const slots = [made[from].findOutputSlot(output), made[to].findInputSlot(input)];
        if (Math.min(...slots) < 0 || !made[from].connect(slots[0], made[to], slots[1]))
            throw new Error(`cannot connect ${from}.${output} to ${to}.${input}`);
    }
    for (const { title, box } of workflow.groups) {
        const group = new LiteGraph.LGraphGroup(title);
        group.pos = box.slice(0, 2);
        group.size = box.slice(2);
        app.graph.add(group);
    }
}"""


def find_browser() -> str | None:
    """The program of a Chromium, or None."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def browsing() -> Iterator[Browser]:
    """A headless Chromium. While it runs, no other event loop can run in this thread.

    Raises:
        HostError: there is none on this machine.
    """
    executable = find_browser()
    if executable is None:
        raise HostError("No Chromium was found: install one, or set CHROMIUM to its program.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, headless=True, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def open_page(browser: Browser, url: str, complaints: list[str], **options: Any) -> Page:
    """ComfyUI's page, ready to be used; what it complains about beyond `KNOWN` is added to `complaints`."""
    page = browser.new_page(viewport={"width": 1600, "height": 1000}, **options)
    page.add_init_script("localStorage.setItem('vueNodesBannerDismissed', 'true')")

    def note(where: str, text: str) -> None:
        if not any(source in where and piece in text for source, piece in KNOWN):
            complaints.append(f"{where}: {text}")

    page.on("console", lambda m: note(m.location.get("url", ""), m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: note("", str(error)))
    page.goto(url, timeout=PATIENCE)
    wait_until_ready(page)
    return page


def wait_until_ready(page: Page) -> None:
    """Until the page has its nodes and shows its graph."""
    page.wait_for_function(IS_READY, timeout=PATIENCE)


def build(page: Page, workflow: Workflow) -> dict[str, Any]:
    """Build a workflow in the page, node by node as a person would; its UI form."""
    page.evaluate(BUILD, workflow.as_dict())
    form: dict[str, Any] = json.loads(page.evaluate("() => JSON.stringify(app.graph.serialize())"))
    return form


def load(page: Page, form: dict[str, Any], name: str = "example") -> None:
    """Open a workflow in UI form, as a dropped file does."""
    page.evaluate("([form, name]) => app.loadGraphData(form, true, true, name)", [form, name])
    page.wait_for_timeout(500)


def api_form(page: Page) -> dict[str, dict[str, Any]]:
    """The page's own translation of the open workflow into API form: node id → {"class_type", "inputs"}."""
    form: dict[str, dict[str, Any]] = page.evaluate("async () => (await app.graphToPrompt()).output")
    return form


def portrait_of(page: Page, node_type: str) -> bytes:
    """A PNG of the first node of a type as it looks on the canvas, with a little of it around."""
    page.evaluate(
        """type => { const node = app.graph.nodes.find(n => n.type === type);
            app.canvas.ds.scale = 1.25; app.canvas.deselectAll?.(); app.canvas.centerOnNode(node);
            app.canvas.setDirty(true, true) }""",
        node_type,
    )
    page.wait_for_timeout(500)
    box = page.evaluate(
        """type => { const node = app.graph.nodes.find(n => n.type === type);
            const { scale, offset } = app.canvas.ds, frame = app.canvas.canvas.getBoundingClientRect();
            return { x: frame.left + (node.pos[0] + offset[0]) * scale - 16,
                     y: frame.top + (node.pos[1] - 30 + offset[1]) * scale - 16,
                     width: node.size[0] * scale + 32, height: (node.size[1] + 30) * scale + 32 } }""",
        node_type,
    )
    return page.screenshot(clip=box)


def screen_of(page: Page, form: dict[str, Any], node_type: str) -> bytes:
    """A PNG of the page with a workflow that has run, as far as the first node of a type, whose pictures are shown."""
    load(page, form)
    page.evaluate("() => app.extensionManager.command.execute('Comfy.Canvas.FitView')")
    page.locator("[data-testid=queue-button]").first.click()
    page.wait_for_function(
        "type => app.graph.nodes.find(n => n.type === type)?.imgs?.every(i => i.complete && i.naturalWidth > 0)",
        arg=node_type,
        timeout=60_000,
    )
    page.wait_for_timeout(2_000)  # what tells that the job is done has gone by then
    return page.screenshot()
