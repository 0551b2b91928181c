// A wall of cards: only the rows in sight are in the document, also for 100,000 images.

import { h } from "../base/dom.js";
import { Pages } from "./pages.js";

const SPARE = 2; // rows above and below what is in sight

/**
 * A list box of `total` cards in `area`, which scrolls.
 *
 * `load(offset, limit)` returns a promise of {total, items}; `draw(item)` returns a card. One card is active:
 * arrows move it. Shift extends a selection from it; a click selects. Events: "select", "open" (a double
 * click or Space on a card), "load", "fail". What failed is tried again after a while.
 */
export class Wall extends EventTarget {
  total = 0;
  active = 0;
  selected = new Map(); // image -> item
  #anchor = 0;
  #pages;
  #cards = new Map(); // index -> element
  #columns = 1;
  #frame = 0;

  constructor(area, { load, draw, width = 132, height = 168 }) {
    super();
    Object.assign(this, { area, draw, width, height });
    this.#pages = new Pages(load, (error) => this.dispatchEvent(new CustomEvent("fail", { detail: error })));
    this.floor = h("div", { className: "wall-floor", attributes: { role: "presentation" } });
    area.append(this.floor);
    area.addEventListener("scroll", () => this.#soon(), { passive: true });
    area.addEventListener("keydown", (event) => this.#key(event));
    area.addEventListener("click", (event) => this.#click(event));
    area.addEventListener("dblclick", (event) => this.#open(event));
    new ResizeObserver(() => this.layout()).observe(area);
  }

  /** Forget all and load again; `keep` stays at the same place. */
  async reload({ keep = false } = {}) {
    if (!keep) {
      this.active = this.#anchor = 0;
      this.selected.clear();
      this.area.scrollTop = 0;
    }
    const reply = await this.#pages.begin(keep ? this.#first() : 0, () => this.reload({ keep }));
    if (!reply) return;
    this.total = reply.total;
    this.active = Math.max(0, Math.min(this.active, this.total - 1));
    this.#clear();
    this.dispatchEvent(new CustomEvent("load", { detail: reply }));
    this.layout(); // after "load", which may show or hide the area
    this.dispatchEvent(new Event("select"));
  }

  /** Return the item at an index, or undefined while it is not loaded. */
  item(index) {
    return this.#pages.item(index);
  }

  /** The selected items, or the active one where none is selected. */
  get chosen() {
    if (this.selected.size) return [...this.selected.values()];
    const item = this.item(this.active);
    return item ? [item] : [];
  }

  /** The items of the active row. */
  get row() {
    const first = Math.floor(this.active / this.#columns) * this.#columns;
    return this.#range(first, first + this.#columns - 1);
  }

  /** The items in sight. */
  get page() {
    const first = Math.ceil(this.area.scrollTop / this.height) * this.#columns;
    const rows = Math.max(1, Math.floor(this.area.clientHeight / this.height));
    return this.#range(first, first + rows * this.#columns - 1);
  }

  /** Select all that is loaded. */
  selectAll() {
    for (const item of this.#pages.loaded) this.selected.set(item.image, item);
    this.#marks();
  }

  /** Select nothing. */
  selectNone() {
    this.selected.clear();
    this.#marks();
  }

  /** Draw these items again: their label has changed. */
  redraw(items) {
    const images = new Set(items.map((item) => item.image));
    for (const [index, element] of this.#cards) {
      if (!images.has(Number(element.dataset.image))) continue;
      const fresh = this.#make(index, this.item(index));
      element.replaceWith(fresh);
      this.#cards.set(index, fresh);
    }
    this.#marks();
  }

  /** Make the card at an index the active one and bring it into sight. */
  go(index) {
    this.active = Math.max(0, Math.min(this.total - 1, index));
    const top = Math.floor(this.active / this.#columns) * this.height;
    if (top < this.area.scrollTop) this.area.scrollTop = top;
    else if (top + this.height > this.area.scrollTop + this.area.clientHeight) this.area.scrollTop = top + this.height - this.area.clientHeight;
    this.#render();
  }

  /** Go to the first card after the last of these items for which `wanted(item)` is true; stay where none is. */
  goAfter(items, wanted = () => true) {
    const images = new Set(items.map((item) => item.image));
    let index = this.total - 1;
    while (index > this.active && !images.has(this.item(index)?.image)) index -= 1;
    for (index += 1; index < this.total; index += 1) {
      const item = this.item(index);
      if (!item || wanted(item)) return this.#start(index);
    }
  }

  /** Go to the next row. */
  nextRow() {
    this.#start(Math.min(this.total - 1, (Math.floor(this.active / this.#columns) + 1) * this.#columns));
  }

  /** Go on by what is in sight. */
  nextPage() {
    this.area.scrollTop += Math.max(1, Math.floor(this.area.clientHeight / this.height)) * this.height;
    this.active = this.#anchor = Math.min(this.total - 1, this.#first());
    this.#soon();
  }

  /** Compute the columns and draw; nothing is drawn while the area is hidden. */
  layout() {
    if (!this.area.clientWidth) return;
    const columns = Math.max(1, Math.floor(this.area.clientWidth / this.width));
    if (columns !== this.#columns) this.#clear();
    this.#columns = columns;
    this.floor.style.height = `${Math.ceil(this.total / columns) * this.height}px`;
    this.#render();
  }

  // A selection begins where the cursor was put, and not where it came from.
  #start(index) {
    this.#anchor = index;
    this.go(index);
  }

  #first() {
    return Math.floor(this.area.scrollTop / this.height) * this.#columns;
  }

  #range(from, to) {
    const items = [];
    for (let index = from; index <= Math.min(to, this.total - 1); index++) if (this.item(index)) items.push(this.item(index));
    return items;
  }

  #soon() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#render());
  }

  #clear() {
    for (const element of this.#cards.values()) element.remove();
    this.#cards.clear();
  }

  #render() {
    const rows = Math.ceil(this.area.clientHeight / this.height) + 2 * SPARE;
    const top = Math.max(0, Math.floor(this.area.scrollTop / this.height) - SPARE);
    const from = top * this.#columns;
    const to = Math.min(this.total, (top + rows + 1) * this.#columns);
    for (const [index, element] of this.#cards) {
      if (index >= from && index < to) continue;
      element.remove();
      this.#cards.delete(index);
    }
    const fresh = [];
    for (let index = from; index < to; index++) {
      if (this.#cards.has(index)) continue;
      const item = this.item(index);
      if (!item) {
        this.#pages.want(index, () => this.#soon());
        continue;
      }
      const element = this.#make(index, item);
      this.#cards.set(index, element);
      fresh.push(element);
    }
    this.floor.append(...fresh);
    this.#marks();
  }

  #make(index, item) {
    const element = this.draw(item);
    const gap = (this.area.clientWidth - this.#columns * this.width) / (this.#columns + 1);
    const column = index % this.#columns;
    element.id = `card-${index}`;
    element.dataset.index = index;
    element.style.width = `${this.width}px`;
    element.style.height = `${this.height}px`;
    element.style.transform = `translate(${Math.round(gap + column * (this.width + gap))}px, ${Math.floor(index / this.#columns) * this.height}px)`;
    element.setAttribute("aria-posinset", index + 1);
    element.setAttribute("aria-setsize", this.total);
    return element;
  }

  #marks() {
    for (const [index, element] of this.#cards) {
      element.setAttribute("aria-selected", String(this.selected.has(Number(element.dataset.image))));
      element.classList.toggle("active", index === this.active);
    }
    if (this.total) this.area.setAttribute("aria-activedescendant", `card-${this.active}`);
    else this.area.removeAttribute("aria-activedescendant");
    this.dispatchEvent(new Event("select"));
  }

  #key(event) {
    if (event.target !== this.area || event.ctrlKey || event.metaKey || event.altKey || !this.total) return;
    const rows = Math.max(1, Math.floor(this.area.clientHeight / this.height));
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.#columns, ArrowDown: this.#columns, PageUp: -rows * this.#columns, PageDown: rows * this.#columns, Home: -this.active, End: this.total - 1 - this.active };
    if (event.key in steps) {
      event.preventDefault();
      const to = this.active + steps[event.key];
      if (to < 0 || to >= this.total) return;
      if (event.shiftKey) this.#extend(to);
      else this.#anchor = to;
      this.go(to);
    } else if (event.key === " ") {
      event.preventDefault();
      this.#toggle(this.active);
    } else if (event.key === "Escape") this.selectNone();
  }

  #extend(to) {
    for (const item of this.#range(Math.min(this.#anchor, this.active), Math.max(this.#anchor, this.active))) this.selected.delete(item.image);
    for (const item of this.#range(Math.min(this.#anchor, to), Math.max(this.#anchor, to))) this.selected.set(item.image, item);
  }

  #toggle(index) {
    const item = this.item(index);
    if (!item) return;
    if (!this.selected.delete(item.image)) this.selected.set(item.image, item);
    this.#anchor = index;
    this.#marks();
  }

  #click(event) {
    const element = event.target.closest?.("[data-index]");
    this.area.focus({ preventScroll: true });
    if (!element) return;
    const index = Number(element.dataset.index);
    if (event.shiftKey) {
      this.#extend(index);
      this.active = index;
      this.#marks();
    } else {
      this.active = index;
      this.#toggle(index);
    }
  }

  #open(event) {
    const element = event.target.closest?.("[data-index]");
    if (element) this.dispatchEvent(new CustomEvent("open", { detail: this.item(Number(element.dataset.index)) }));
  }
}
