// Puts an emotion pad on the node "Mix Emotions": a handle to drag instead of eight inputs to set.
//
// The pad has no value of its own. It reads the node's (emotion, weight) inputs and writes them as a hand would, so
// workflows are the same with and without it; where it cannot be made, the inputs are all there is. The page draws
// nodes in two styles, on a canvas or as HTML ("Nodes 2.0"), and a DOM widget whose changes go through the inputs' own
// callbacks serves both.

import { app } from "../../../scripts/app.js";
import { arranged, pairsWith, weightsAt, weightsIn } from "./emotion_pad_geometry.js";
import { EmotionPad } from "./emotion_pad_view.js";

const NODE = "ECGANEmotionMix";
let padsMade = 0;

/** The node's inputs two by two: emotion_1 and weight_1, … */
function pairedInputs(node) {
  const named = (name) => node.widgets?.find((widget) => widget.name === name);
  const pairs = [];
  for (let number = 1; named(`emotion_${number}`) && named(`weight_${number}`); number += 1)
    pairs.push({ emotion: named(`emotion_${number}`), weight: named(`weight_${number}`) });
  return pairs;
}

/** The emotions that the node offers. In brackets stands a remark, such as that there is no model. */
function offered(inputs) {
  const { values } = inputs[0].emotion.options;
  const names = typeof values === "function" ? values() : (values ?? []);
  return names.filter((name) => typeof name === "string" && !name.startsWith("("));
}

/** Call `after` whenever the page calls that method. */
function follow(object, method, after) {
  const original = object[method];
  object[method] = function (...args) {
    const answer = original?.apply(this, args);
    after();
    return answer;
  };
}

function addPad(node) {
  const inputs = pairedInputs(node);
  if (!inputs.length) return;
  const widgets = inputs.flatMap(({ emotion, weight }) => [emotion, weight]);
  let writing = false;
  let names = []; // in the order of their corners

  const pairs = () => inputs.map(({ emotion, weight }) => ({ emotion: emotion.value, weight: Number(weight.value) || 0 }));

  // Corners stay where they are while the handle or a slider is dragged; choosing another emotion may move them.
  function arrange() {
    if (writing) return;
    names = arranged(offered(inputs), pairs());
    show();
  }

  function show() {
    if (writing) return;
    const connected = node.inputs?.some((slot) => slot.link != null && widgets.some((w) => w.name === slot.widget?.name));
    pad.show(names, weightsIn(pairs(), names), !connected);
  }

  function write(place) {
    writing = true;
    pairsWith(pairs(), names, weightsAt(place, pad.corners)).forEach(({ emotion, weight }, index) => {
      set(inputs[index].emotion, emotion);
      set(inputs[index].weight, weight);
    });
    writing = false;
    show();
    node.setDirtyCanvas?.(true, true);
  }

  // The input's own callback tells the page; in Nodes 2.0 nothing else does.
  function set(widget, value) {
    if (widget.value === value) return;
    widget.value = value;
    widget.callback?.(value, app.canvas, node);
  }

  const pad = new EmotionPad(write, keepForUndo, handToCanvas);
  // When a node takes over another's id, as in undo, Nodes 2.0 keeps the HTML of a widget that has the same name.
  const name = `emotion pad ${(padsMade += 1)}`;
  const widget = node.addDOMWidget(name, "ECGAN_EMOTION_PAD", pad.element, { serialize: false, getMinHeight: () => 250 });
  widget.serialize = false; // the option keeps it out of prompts, this out of workflow files
  for (const { emotion, weight } of inputs) {
    follow(emotion, "callback", arrange);
    follow(weight, "callback", show);
  }
  follow(node, "onConfigure", arrange);
  follow(node, "onConnectionsChange", show);
  node.arrangeEmotionPad = arrange;
  const [width, height] = node.computeSize();
  node.setSize([Math.max(node.size[0], width, 300), Math.max(node.size[1], height)]);
  arrange();
}

/** A drag is one step of the page's undo. */
function keepForUndo() {
  app.canvas?.emitBeforeChange?.();
  app.canvas?.emitAfterChange?.();
}

/** What is not for the pad is for the canvas beneath it: the wheel zooms, the middle button pans. */
function handToCanvas(event) {
  event.preventDefault();
  event.stopPropagation();
  app.canvas?.canvas.dispatchEvent(new event.constructor(event.type, event));
}

app.registerExtension({
  name: "ecgan.emotionPad",
  nodeCreated(node) {
    if (node.comfyClass !== NODE) return;
    try {
      addPad(node);
    } catch (error) {
      console.warn("EC-GAN: no emotion pad on this page; the node's inputs do the same.", error);
    }
  },
  refreshComboInNodes() {
    const arrange = (graph) => {
      for (const node of graph?.nodes ?? []) {
        node.arrangeEmotionPad?.();
        arrange(node.subgraph);
      }
    };
    arrange(app.rootGraph ?? app.graph);
  },
});
