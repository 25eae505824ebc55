// The emotion pad as a thing to see and to touch: it draws a mix and says where the handle is dragged to. It knows
// nothing of ComfyUI's nodes. Colours are the page's own theme variables, so it is dark or light with everything else.

import { MOST, cornersOf, placeOf, strengthOf, within } from "./emotion_pad_geometry.js";

const HELP = "Drag to mix neighbouring emotions; the straight line from name to name is full strength. \
Arrow keys move the handle (with Shift in larger steps), Home and double-click return to neutral.";
const RINGS = [0.5, 1, MOST];
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const STYLE = `
.ecgan-pad { box-sizing: border-box; width: 100%; height: 100%; min-height: 230px; border-radius: 8px; outline: none;
  background: var(--component-node-widget-background, var(--comfy-input-bg, #222)); color: var(--input-text, #ddd);
  touch-action: none; user-select: none; cursor: crosshair; font-family: Inter, Arial, sans-serif; overflow: hidden; }
.ecgan-pad:focus-visible { box-shadow: inset 0 0 0 2px var(--p-primary-color, #60a5fa); }
.ecgan-pad[aria-disabled=true] { opacity: 0.45; cursor: not-allowed; }
.ecgan-pad svg { display: block; width: 100%; height: 100%; min-height: inherit; overflow: visible; }
.ecgan-pad .line { fill: none; stroke: currentColor; stroke-opacity: 0.22; stroke-width: 0.012; }
.ecgan-pad .full { fill: currentColor; fill-opacity: 0.05; stroke-opacity: 0.5; stroke-width: 0.016; }
.ecgan-pad .most { stroke-dasharray: 0.05 0.05; }
.ecgan-pad .part { stroke: var(--p-primary-color, #60a5fa); stroke-width: 0.075; stroke-linecap: round; }
.ecgan-pad .away { stroke: var(--error-text, #f44); stroke-opacity: 0.8; }
.ecgan-pad .handle { fill: var(--p-primary-color, #60a5fa); stroke: var(--fg-color, #fff); stroke-width: 0.045; }
.ecgan-pad text { fill: currentColor; fill-opacity: 0.75; text-anchor: middle; dominant-baseline: central; }
.ecgan-pad .right { text-anchor: start; }
.ecgan-pad .left { text-anchor: end; }
.ecgan-pad text.in { fill-opacity: 1; font-weight: 600; }
.ecgan-pad .mix { font-size: 0.16px; fill-opacity: 1; }`;

/** An SVG element. */
function draw(name, attributes = {}, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

/** A mix in words, strongest first: "happy 0.60 · surprised 0.20". */
function inWords(names, weights) {
  const parts = names.map((name, index) => ({ name, weight: weights[index] })).filter(({ weight }) => weight);
  parts.sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
  return parts.map(({ name, weight }) => `${name} ${weight.toFixed(2).replace("-", "−")}`).join(" · ") || "neutral";
}

export class EmotionPad {
  /**
   * @param {(place: {x: number, y: number}) => void} onMove while the handle is dragged, or a key moves it
   * @param {() => void} onMoved when that is done: one step of the page's undo
   * @param {(event: Event) => void} onOther what is not for the pad: the wheel and the middle button
   */
  constructor(onMove, onMoved, onOther) {
    Object.assign(this, { onMove, onMoved, onOther, names: null, corners: [], place: { x: 0, y: 0 }, enabled: true });
    this.element = document.createElement("div");
    this.element.className = "ecgan-pad widget-expands"; // the second is Nodes 2.0's own: takes the room there is
    const spoken = { tabindex: 0, role: "slider", "aria-label": "Emotion pad", "aria-roledescription": "2D slider" };
    const range = { "aria-valuemin": 0, "aria-valuemax": MOST, title: HELP };
    for (const [key, value] of Object.entries({ ...spoken, ...range })) this.element.setAttribute(key, value);
    this.svg = draw("svg", { viewBox: "-1.95 -1.6 3.9 3.5", "aria-hidden": true });
    this.background = draw("g");
    this.parts = draw("g");
    this.handle = draw("circle", { class: "handle", r: 0.12 });
    this.caption = draw("text", { class: "mix", y: 1.72 });
    this.written = draw("g");
    this.svg.append(this.background, this.parts, this.written, this.handle, this.caption);
    const style = document.createElement("style");
    style.textContent = STYLE;
    this.element.append(style, this.svg);
    this.listen();
  }

  listen() {
    const on = (kind, listener, options) => this.element.addEventListener(kind, listener, options);
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.drag(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", (event) => this.release(event));
    on("keydown", (event) => this.key(event));
    on("dblclick", () => this.moveTo({ x: 0, y: 0 }, true));
    on("wheel", (event) => this.onOther(event), { passive: false });
  }

  press(event) {
    if (event.button === 1) return this.onOther(event);
    if (event.button !== 0 || !event.isPrimary) return;
    event.stopPropagation(); // else the page drags the node
    if (!this.enabled) return;
    this.element.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    this.drag(event);
  }

  drag(event) {
    if (this.pointer !== event.pointerId) return;
    event.stopPropagation();
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    this.moveTo({ x, y });
  }

  release(event) {
    if (this.pointer !== event.pointerId) return;
    event.stopPropagation();
    this.pointer = undefined;
    this.onMoved();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in STEPS || event.key === "Home")) return;
    event.preventDefault();
    event.stopPropagation();
    const [right, down] = STEPS[event.key] ?? [0, 0];
    const step = event.shiftKey ? 0.25 : 0.05;
    const { x, y } = this.place;
    this.moveTo(event.key === "Home" ? { x: 0, y: 0 } : { x: x + right * step, y: y + down * step }, true);
  }

  moveTo(place, done = false) {
    if (!this.enabled || !this.corners.length) return;
    this.onMove(within(place, this.corners));
    if (done) this.onMoved();
  }

  /** Draw a mix: a weight for each name; where `enabled` is false it cannot be changed here. */
  show(names, weights, enabled) {
    if (names.join("\n") !== this.names?.join("\n")) this.arrange(names);
    this.enabled = enabled;
    // Numbers that were typed may be stronger than the pad shows: the handle stays on it, the words tell.
    this.place = within(placeOf(weights, this.corners), this.corners);
    this.handle.setAttribute("cx", this.place.x);
    this.handle.setAttribute("cy", this.place.y);
    this.parts.replaceChildren(...this.corners.flatMap((corner, index) => this.part(corner, weights[index])));
    this.labels.forEach((label, index) => label.classList.toggle("in", weights[index] !== 0));
    this.caption.textContent = inWords(names, weights);
    this.element.setAttribute("aria-disabled", !enabled);
    this.element.setAttribute("aria-valuenow", strengthOf(weights).toFixed(2));
    this.element.setAttribute("aria-valuetext", this.caption.textContent);
  }

  part(corner, weight) {
    if (!weight) return [];
    const length = Math.max(-MOST, Math.min(MOST, weight));
    return [draw("line", { class: weight < 0 ? "part away" : "part", x2: corner.x * length, y2: corner.y * length })];
  }

  /** Rings, spokes and names: all that changes only with the installed models. */
  arrange(names) {
    this.names = [...names];
    this.corners = cornersOf(names.length);
    const longest = Math.max(1, ...names.map((name) => name.length));
    const size = Math.min(0.19, 4 / Math.max(1, names.length), 1.8 / longest);
    this.labels = this.corners.map(({ x, y }, index) => {
      const side = x > 0.1 ? "right" : x < -0.1 ? "left" : "";
      return draw("text", { class: side, x: x * 1.1, y: y * 1.18, "font-size": `${size}px` }, names[index]);
    });
    const spokes = this.corners.map((corner) => draw("line", { class: "line", x2: corner.x, y2: corner.y }));
    this.background.replaceChildren(...RINGS.map((radius) => this.ring(radius)), ...spokes);
    this.written.replaceChildren(...this.labels);
  }

  ring(radius) {
    const kind = `line ${{ 1: "full", [MOST]: "most" }[radius] ?? ""}`;
    if (this.corners.length < 3) return draw("circle", { class: kind, r: radius });
    const points = this.corners.map(({ x, y }) => `${x * radius},${y * radius}`);
    return draw("polygon", { class: kind, points: points.join(" ") });
  }
}
