// Workflows keep the values of widgets by position. Pages since ComfyUI 0.15 once drew the wire `bounding_boxes` as a
// widget and saved a box for it, and its four numbers once more, where other inputs have their values now: from there on
// all give way to the defaults.

import { app } from "../../../scripts/app.js";

const isBox = (value) => value !== null && typeof value === "object" && "width" in value;

app.registerExtension({
    name: "comfy_ecgan.savedValues",
    beforeRegisterNodeDef(nodeType, nodeData) {
        if (nodeData.category !== "ECGAN") return;
        const inputs = { ...nodeData.input?.required, ...nodeData.input?.optional };
        const onConfigure = nodeType.prototype.onConfigure;
        nodeType.prototype.onConfigure = function (saved) {
            onConfigure?.apply(this, arguments);
            const values = Array.isArray(saved?.widgets_values) ? saved.widgets_values : [];
            const start = values.findIndex(isBox);
            if (start < 0) return;
            for (const widget of (this.widgets ?? []).filter((w) => w.serialize !== false).slice(start)) {
                const fallback = inputs[widget.name]?.[1]?.default;
                if (fallback !== undefined) widget.value = fallback;
            }
        };
    },
});
