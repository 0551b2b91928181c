// One picture on a stage, zoomed and moved: image pixels are squares above 1:1.

import { announce } from "../base/announce.js";

const LEVELS = [1 / 16, 1 / 8, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
const MARGIN = 12; // CSS pixels around a fitted picture

/**
 * A stage for one picture.
 *
 * `scale` is device pixels per image pixel, so that 1 is exact on every screen. In the mode "fit" the whole
 * picture is visible; a whole number is used where it fills the stage nearly as well, so that all pixels are
 * equally large. In the mode
 * "actual" the scale is 1. Zooming makes the mode "free" until the next picture.
 */
export class Viewer extends EventTarget {
  mode = "fit";
  #usual = "fit";
  #picture = null;
  #size = [1, 1];
  #scale = 1;
  #at = [0, 0]; // CSS pixels of the picture's corner on the stage
  #pointers = new Map();

  constructor(stage) {
    super();
    this.stage = stage;
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, (event) => this.#pointers.delete(event.pointerId));
    stage.addEventListener("dblclick", (event) => this.toggle(event));
    new ResizeObserver(() => this.#picture && (this.mode === "free" ? this.#draw() : this.#settle())).observe(stage);
  }

  /** Show a decoded picture. `keep` leaves zoom and place as they are. */
  show(picture, { keep = false } = {}) {
    this.#picture = picture;
    this.#size = [picture.naturalWidth || 1, picture.naturalHeight || 1];
    this.stage.replaceChildren(picture);
    if (keep) this.#draw();
    else {
      this.mode = this.#usual;
      this.#settle();
    }
  }

  /** Show something other than a picture. */
  clear(element) {
    this.#picture = null;
    this.stage.replaceChildren(element);
    this.dispatchEvent(new Event("change"));
  }

  /** The CSS filter of the picture. */
  filter(text) {
    if (this.#picture) this.#picture.style.filter = text;
  }

  /** The zoom as text, empty without a picture. */
  get zoom() {
    if (!this.#picture) return "";
    return this.#scale >= 1 ? `${Number(this.#scale.toFixed(1))}×` : `${Math.round(100 * this.#scale)}%`;
  }

  /** Show all of the picture, now and for the next ones. */
  fit() {
    this.mode = this.#usual = "fit";
    this.#settle();
  }

  /** One image pixel for each pixel of the screen, now and for the next ones. */
  actual() {
    this.mode = this.#usual = "actual";
    this.#settle();
  }

  /** Change between the whole picture and 1:1. */
  toggle() {
    if (this.mode === "fit") this.actual();
    else this.fit();
    announce(this.mode === "fit" ? "Whole image" : "One to one");
  }

  /** Zoom by one step in (+1) or out (-1). */
  step(direction) {
    const current = this.#scale;
    const next = direction > 0 ? LEVELS.find((level) => level > current * 1.01) : LEVELS.findLast((level) => level < current * 0.99);
    if (next) this.#zoomTo(next, this.stage.clientWidth / 2, this.stage.clientHeight / 2);
  }

  /** Move the picture by a part of the stage: (1, 0) shows what is to the right. */
  pan(right, down) {
    this.#at[0] -= (right * this.stage.clientWidth) / 5;
    this.#at[1] -= (down * this.stage.clientHeight) / 5;
    this.#draw();
  }

  #ratio() {
    return globalThis.devicePixelRatio || 1;
  }

  #settle() {
    if (!this.#picture) return;
    const { clientWidth, clientHeight } = this.stage;
    const ratio = this.#ratio();
    let scale = 1;
    if (this.mode === "fit") {
      scale = Math.min(((clientWidth - 2 * MARGIN) * ratio) / this.#size[0], ((clientHeight - 2 * MARGIN) * ratio) / this.#size[1]);
      const whole = Math.floor(scale);
      scale = whole > 0.85 * scale ? whole : Math.max(scale, 0.01);
    }
    this.#scale = scale;
    this.#at = [(clientWidth - (this.#size[0] * scale) / ratio) / 2, (clientHeight - (this.#size[1] * scale) / ratio) / 2];
    this.#draw();
  }

  #zoomTo(scale, x, y) {
    if (!this.#picture) return;
    const factor = scale / this.#scale;
    this.#at = [x - (x - this.#at[0]) * factor, y - (y - this.#at[1]) * factor];
    this.#scale = scale;
    this.mode = "free";
    this.#draw();
  }

  #draw() {
    if (!this.#picture) return;
    const ratio = this.#ratio();
    const { clientWidth, clientHeight } = this.stage;
    const [width, height] = this.#size.map((side) => (side * this.#scale) / ratio);
    // At least a corner of the picture stays on the stage, and its corner is on a pixel of the screen.
    this.#at = [
      Math.min(clientWidth - 40, Math.max(40 - width, this.#at[0])),
      Math.min(clientHeight - 40, Math.max(40 - height, this.#at[1])),
    ];
    const [x, y] = this.#at.map((value) => Math.round(value * ratio) / ratio);
    const style = this.#picture.style;
    style.transform = `translate(${x}px, ${y}px) scale(${this.#scale / ratio})`;
    style.imageRendering = this.#scale > 1 ? "pixelated" : "auto";
    this.stage.classList.toggle("movable", this.mode !== "fit");
    this.dispatchEvent(new Event("change"));
  }

  #wheel(event) {
    if (!this.#picture) return;
    event.preventDefault();
    const [x, y] = this.#place(event);
    const scale = this.#scale * Math.exp(-event.deltaY * (event.deltaMode ? 0.06 : 0.002));
    this.#zoomTo(Math.min(64, Math.max(1 / 32, scale)), x, y);
  }

  #place(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #down(event) {
    if (event.button !== 0 || !this.#picture || !this.stage.contains(event.target)) return;
    this.#pointers.set(event.pointerId, this.#place(event));
    if (this.mode !== "fit" || this.#pointers.size > 1) this.stage.setPointerCapture(event.pointerId);
  }

  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = this.#place(event);
    const others = [...this.#pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    this.#pointers.set(event.pointerId, now);
    if (others.length) {
      const [other] = others;
      const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
      const scale = (this.#scale * distance(now, other)) / distance(before, other);
      this.#zoomTo(Math.min(64, Math.max(1 / 32, scale)), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    } else if (this.mode !== "fit") {
      this.#at = [this.#at[0] + now[0] - before[0], this.#at[1] + now[1] - before[1]];
      this.#draw();
    }
  }
}
