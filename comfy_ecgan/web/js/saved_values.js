// Workflows keep the values of widgets by position. Pages since ComfyUI 0.15 once drew the wire `bounding_boxes` as a
// widget and saved a box for it, where `texture` has its number now: what is no number there gives way to the default.

import { app } from "../../../scripts/app.js";

function numbersIn(nodeData) {
    const inputs = { ...nodeData.input?.required, ...nodeData.input?.optional };
    return Object.entries(inputs).filter(([, [type]]) => type === "FLOAT" || type === "INT");
}

app.registerExtension({
    name: "comfy_ecgan.savedValues",
    beforeRegisterNodeDef(nodeType, nodeData) {
        if (nodeData.category !== "ECGAN") return;
        const onConfigure = nodeType.prototype.onConfigure;
        nodeType.prototype.onConfigure = function () {
            onConfigure?.apply(this, arguments);
            for (const [name, [, options]] of numbersIn(nodeData)) {
                const widget = this.widgets?.find((w) => w.name === name);
                if (widget && typeof widget.value !== "number") widget.value = options.default;
            }
        };
    },
});
