// Our nodes' texts in the page's language, on pages that would not show them.
//
// ComfyUI serves `locales/` of every pack, and its page looks texts up there by itself. But pages of late 2025, 1.32
// among them, forget those of packs as soon as they load a language of their own (Comfy-Org/ComfyUI_frontend, issue
// 6748; its pull request 7214 repairs it). So the same texts go into the nodes once more, through hooks that every page
// has. On a page that knows them already this changes nothing. It can go when nobody uses such a page any more.

import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";

// The folder that this file is served from is the pack's, and ComfyUI names the nodes' module after it.
const PACK = `custom_nodes.${decodeURIComponent(new URL(import.meta.url).pathname.split("/").at(-3))}`;

/** language → node id → texts, from all packs. */
const served = await (async () => {
  try {
    return await (await api.fetchApi("/i18n")).json();
  } catch (error) {
    console.warn("EC-GAN: the nodes stay in English.", error);
    return {};
  }
})();

/** The texts of a node by its definition; undefined if it is not ours, or nothing is to be done. */
function textsOf(definition) {
  const language = app.extensionManager?.setting?.get("Comfy.Locale") ?? "en";
  if (definition?.python_module !== PACK || language === "en") return undefined;
  return served[language]?.nodeDefs?.[definition.name];
}

app.registerExtension({
  name: "ecgan.translations",

  /** Names and tooltips as the page will look for them in the node's definition. Names of slots stay: files hold them. */
  beforeRegisterNodeDef(_, definition) {
    const texts = textsOf(definition);
    if (!texts) return;
    definition.display_name = texts.display_name;
    definition.description = texts.description;
    for (const inputs of Object.values(definition.input ?? {}))
      for (const [name, spec] of Object.entries(inputs)) {
        const tooltip = texts.inputs[name]?.tooltip;
        if (tooltip) spec[1] = { ...spec[1], tooltip };
      }
    definition.output_tooltips = definition.output_tooltips?.map((text, index) => texts.outputs[index]?.tooltip ?? text);
  },

  /** What is written beside the slots and in the widgets. */
  nodeCreated(node) {
    const texts = textsOf(node.constructor.nodeData);
    if (!texts) return;
    for (const widget of node.widgets ?? []) widget.label = texts.inputs[widget.name]?.name ?? widget.label;
    for (const slot of node.inputs ?? []) slot.localized_name = texts.inputs[slot.name]?.name ?? slot.localized_name;
    node.outputs?.forEach((slot, index) => (slot.localized_name = texts.outputs[index]?.name ?? slot.localized_name));
    node.setSize?.(node.computeSize().map((least, axis) => Math.max(least, node.size[axis])));
  },
});
