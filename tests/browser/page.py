"""What the page tests do in ComfyUI's page, and see of it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from tools.comfyui.page import api_form, load, open_page, wait_until_ready

__all__ = [
    "SHOWN",
    "api_form",
    "open_page",
    "open_workflow",
    "pictures",
    "run_workflow",
    "select",
    "set_widget",
    "wait_until_ready",
]

# Output nodes that run, and whether each draws the pictures, or the video, that have come for it.
SHOWN = """() => app.graph.nodes
    .filter(n => n.mode === 0 && n.constructor.nodeData?.output_node && n.type !== 'ECGANVectorSave'
                 && n.type !== 'PreviewAny')
    .map(n => [n.type, !!n.videoContainer?.querySelector('video')
                       || !!(n.imgs?.length && n.imgs.every(i => i.complete && i.naturalWidth > 0))])"""


def open_workflow(page, workflow: dict[str, Any], name: str = "example") -> dict[str, Any]:
    """Open a workflow as a dropped file does; returns the page's API form of it."""
    load(page, workflow, name)
    return api_form(page)


def run_workflow(page, timeout: float = 120) -> list[Any]:
    """Press Run and wait: how it ended, `execution_success` if all went well, and what the server says of it."""
    page.evaluate(
        """() => { window.ended = null;
            for (const kind of ['execution_success', 'execution_error', 'execution_interrupted'])
                app.api.addEventListener(kind, event => { window.ended ??= [kind, event.detail] }, { once: true }) }"""
    )
    page.locator("[data-testid=queue-button]").first.click()
    page.wait_for_function("() => window.ended", timeout=1000 * timeout)
    ended: list[Any] = page.evaluate("() => window.ended")
    return ended


def set_widget(page, node_type: str, name: str, value: Any) -> None:
    """Set a widget of the first node of a type, as a person does."""
    page.evaluate(
        """([type, name, value]) => { const node = app.graph.nodes.find(n => n.type === type);
            const widget = node.widgets.find(w => w.name === name);
            widget.value = value; widget.callback?.(value) }""",
        [node_type, name, value],
    )


def pictures(page, node_type: str) -> list[np.ndarray]:
    """The pictures under the first node of a type, uint8 [H,W,3] each, as soon as they have loaded.

    A slow page still shows for a moment what it showed before: those of the last run, or what came while this one
    ran, which is a blob.
    """
    page.wait_for_function(
        """type => {
            const node = app.graph.nodes.find(n => n.type === type), named = app.nodeOutputs[node.id]?.images ?? [];
            return node.imgs?.every((image, i) => image.complete && image.naturalWidth > 0
                && !image.src.startsWith('blob:') && image.src.includes(encodeURIComponent(named[i]?.filename ?? '')))
                && node.imgs.length >= named.length }""",
        arg=node_type,
        timeout=20_000,
    )
    addresses = page.evaluate("type => app.graph.nodes.find(n => n.type === type).imgs.map(i => i.src)", node_type)
    files = [page.request.get(address).body() for address in addresses]
    return [np.asarray(Image.open(io.BytesIO(file)).convert("RGB")) for file in files]


def select(page, node_type: str) -> None:
    """Bring the first node of a type to the middle of the window and click on its title."""
    page.evaluate("type => app.canvas.centerOnNode(app.graph.nodes.find(n => n.type === type))", node_type)
    page.wait_for_timeout(300)
    x, y = page.evaluate(
        """type => { const node = app.graph.nodes.find(n => n.type === type);
            const { scale, offset } = app.canvas.ds, frame = app.canvas.canvas.getBoundingClientRect();
            return [frame.left + (node.pos[0] + 100 + offset[0]) * scale,
                    frame.top + (node.pos[1] - 12 + offset[1]) * scale] }""",
        node_type,
    )
    page.mouse.click(x, y)
