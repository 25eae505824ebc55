// What our nodes show when they are done. No widget here holds anything that a workflow saves.

import { app } from "../../../scripts/app.js";

// While a node works, the page shows each picture as it comes, at most 512 pixels large, and goes on showing the last
// one when the node is done. Without it the page shows the node's own pictures: all of them, in full size.
function dropLivePreview(node) {
    const inSubgraph = node.graph && node.graph.isRootGraph === false;
    const key = inSubgraph ? `${node.graph.id}:${node.id}` : String(node.id);
    const pinia = document.getElementById("vue-app")?.__vue_app__?.config.globalProperties.$pinia;
    const seenByVueNodes = pinia?._s?.get("nodeOutput")?.nodePreviewImages; // the same pictures, as "Nodes 2.0" sees them
    for (const previews of [seenByVueNodes, app.nodePreviewImages]) if (previews) delete previews[key];
    node.preview = undefined;
    node.setDirtyCanvas(true, true);
}

// Where a file was saved: its name under the node, its whole path as the tooltip. Not a disabled widget, because the page
// draws those without their value.
function showSavedFile(node, path) {
    let widget = node.widgets?.find((w) => w.name === "saved as");
    if (!widget) {
        const restore = () => (widget.value = widget.shown);
        widget = node.addWidget("text", "saved as", "", restore, { serialize: false, read_only: true });
        widget.serialize = false;
    }
    widget.value = widget.shown = path.split(/[\\/]/).pop();
    widget.tooltip = path;
    node.setDirtyCanvas(true, true);
}

// What the node did otherwise than asked for, a sentence a line, beneath its inputs.
function showNotes(node, notes) {
    let widget = node.widgets?.find((w) => w.name === "notes");
    if (!notes.length && !widget) return;
    if (!widget) {
        const text = document.createElement("div");
        text.style.cssText = "box-sizing: border-box; overflow: auto; padding: 6px 8px; border-radius: 6px; font: 12px/1.4 "
            + "Inter, Arial, sans-serif; white-space: pre-line; user-select: text; color: var(--input-text, #ddd); "
            + "background: var(--comfy-input-bg, #222); border-left: 3px solid var(--p-yellow-500, #eab308)";
        widget = node.addDOMWidget("notes", "ECGAN_NOTES", text, {
            serialize: false,
            getMinHeight: () => (text.textContent ? 30 + 18 * Math.ceil(text.textContent.length / 42) : 0),
        });
        widget.serialize = false;
    }
    widget.element.textContent = notes.join("\n");
    widget.element.style.display = notes.length ? "" : "none";
    node.setSize([node.size[0], Math.max(node.size[1], node.computeSize()[1])]);
    node.setDirtyCanvas(true, true);
}

app.registerExtension({
    name: "comfy_ecgan.results",
    beforeRegisterNodeDef(nodeType, nodeData) {
        if (nodeData.category !== "ECGAN") return;
        const onExecuted = nodeType.prototype.onExecuted;
        nodeType.prototype.onExecuted = function (output) {
            onExecuted?.apply(this, arguments);
            if (output?.images?.length) dropLivePreview(this);
            else if (output?.text?.length) showSavedFile(this, output.text[0]);
            if (output?.ecgan_notes) showNotes(this, output.ecgan_notes);
        };
    },
});
