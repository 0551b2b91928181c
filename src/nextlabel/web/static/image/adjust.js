// The panel of brightness, contrast, window and channels.

import { get } from "../base/api.js";
import { byId, h, svg } from "../base/dom.js";
import { count } from "../base/numbers.js";

const HEIGHT = 48;

/** The panel in `area` for a `view`; it shows what the current item can have. */
export class Adjust {
  #item = null;
  #facts = new Map();
  #timer = 0;

  constructor(area, view) {
    this.area = area;
    this.view = view;
    view.addEventListener("change", () => (byId("adjust-reset").disabled = !view.changed));
  }

  /** Show the controls for an item; nothing is requested while the panel is closed. */
  async show(item) {
    this.#item = item;
    if (!this.area.open || !item || item.problem) return;
    if (item.bits && item.bits <= 8 && item.channels === 1) return this.#draw({ channels: 1, bits: 8 });
    let facts = this.#facts.get(item.image);
    if (!facts) {
      const address = item.url.pixels.replace("?", "/facts?");
      facts = await get(address).catch(() => ({ channels: item.channels ?? 1, bits: item.bits ?? 8 }));
      this.#facts.set(item.image, facts);
      item.bits ??= facts.bits;
      item.channels ??= facts.channels;
      facts.channels = Math.max(facts.channels, item.channels);
    }
    if (this.#item === item) this.#draw(facts);
  }

  #draw(facts) {
    const body = byId("adjust-body");
    const active = body.contains(document.activeElement) ? document.activeElement.id : null;
    const { view } = this;
    const parts = [
      slider("Brightness", 0.2, 3, 0.05, view.brightness, (value) => view.set({ brightness: value })),
      slider("Contrast", 0.2, 3, 0.05, view.contrast, (value) => view.set({ contrast: value })),
    ];
    if (facts.bits > 8 && facts.histogram) parts.unshift(this.#windowOf(facts));
    if (facts.channels > 1) parts.push(this.#channelsOf(facts));
    parts.push(
      h("button", { type: "button", id: "adjust-reset", textContent: "Reset", disabled: !view.changed, on: { click: () => (view.reset(), this.#draw(facts)) } }),
    );
    body.replaceChildren(...parts);
    if (active) byId(active)?.focus();
  }

  #windowOf(facts) {
    const base = facts.min ?? 0;
    const top = Math.max(facts.max ?? 2 ** facts.bits - 1, base + 1e-6);
    const step = top - base > 50 ? 1 : (top - base) / 200;
    const [low, high] = this.view.window ?? [facts.low, facts.high];
    const bars = histogram(facts.histogram);
    const shade = svg("rect", { y: 0, height: HEIGHT, class: "window" });
    bars.append(shade);
    const mark = (from, to) => {
      shade.setAttribute("x", (256 * (from - base)) / (top - base));
      shade.setAttribute("width", Math.max(1, (256 * (to - from)) / (top - base)));
    };
    mark(low, high);
    let [from, to] = [low, high];
    const set = () => {
      mark(from, to);
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.view.set({ window: [from, to] }), 80);
    };
    return h(
      "fieldset",
      {},
      h("legend", { textContent: `Window of ${facts.bits} bits` }),
      bars,
      slider("Black at", base, top, step, low, (value) => ((from = Math.min(value, to - step)), set())),
      slider("White at", base, top, step, high, (value) => ((to = Math.max(value, from + step)), set())),
    );
  }

  #channelsOf(facts) {
    const chosen = new Set(this.view.channels ?? Array.from({ length: Math.min(3, facts.channels) }, (_, i) => i));
    const boxes = Array.from({ length: facts.channels }, (_, number) => {
      const box = h("input", { type: "checkbox", checked: chosen.has(number), id: `channel-${number}` });
      box.addEventListener("change", () => {
        if (box.checked) chosen.add(number);
        else chosen.delete(number);
        if (!chosen.size) return (box.checked = true), chosen.add(number);
        this.view.set({ channels: [...chosen].sort((a, b) => a - b) });
      });
      return h("label", { className: "check" }, box, String(number + 1));
    });
    return h("fieldset", { className: "channels" }, h("legend", { textContent: "Channels" }), ...boxes);
  }
}

function slider(name, low, high, step, value, set) {
  const shown = (number) => (step >= 1 ? count(Math.round(number)) : Number(number).toFixed(2));
  const id = `adjust-${name.toLowerCase().replace(" ", "-")}`;
  const output = h("output", { textContent: shown(value), htmlFor: id });
  const input = h("input", { type: "range", id, min: low, max: high, step, value });
  input.addEventListener("input", () => {
    output.textContent = shown(input.value);
    set(Number(input.value));
  });
  return h("div", { className: "slider" }, h("label", { htmlFor: id, textContent: name }), input, output);
}

function histogram(counts) {
  const top = Math.max(1, ...counts.map((n) => Math.log1p(n)));
  const bars = counts.map((n, i) => `M${i} ${HEIGHT}v${(-HEIGHT * Math.log1p(n)) / top}h1V${HEIGHT}z`).join("");
  return svg("svg", { viewBox: `0 0 256 ${HEIGHT}`, class: "histogram", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("path", { d: bars }));
}
