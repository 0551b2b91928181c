// The images that come next: asked from the server ahead of time, and leased to this tab.

import { giveBack, keepLeased, nextImages } from "../base/leases.js";
import { depthFor } from "../image/pixels.js";

const SEEN_SOON = 3; // images that a newer model does not replace
const PAUSE = 1500; // milliseconds after a failure, or while all images are with others

/** The items ahead. Events: "change" when `ahead` or `left` changed. */
export class Queue extends EventTarget {
  ahead = [];
  left = null;
  settled = false; // whether the server had all answers when it counted what is left
  error = null;
  model = null;
  #asking = false;
  #timer = 0;
  #busy; // returns ids that must not be asked: answers on their way
  #unsent; // returns how many answers the server does not have yet
  #passed = 0; // items that were taken away
  #stale = false;

  constructor(busy, unsent) {
    super();
    this.#busy = busy;
    this.#unsent = unsent;
    keepLeased(() => this.ahead.map((item) => item.image));
  }

  /** The item on the screen, or undefined. */
  get head() {
    return this.ahead[0];
  }

  /** How many items to hold. */
  get depth() {
    return depthFor(this.head);
  }

  /** Take the head away, and ask for more. */
  shift() {
    const item = this.ahead.shift();
    this.#passed += 1;
    this.settled = false;
    this.fill();
    return item;
  }

  /** Leave these images out of what is ahead: they were answered elsewhere. */
  drop(images) {
    this.ahead = this.ahead.filter((item) => !images.has(item.image));
    this.fill();
  }

  /** A newer model has another order: all but the next few items are asked again. */
  renew(model) {
    if (model === undefined || model === null || model === this.model) return;
    const first = this.model === null;
    this.model = model;
    if (first) return;
    this.#stale = true;
    this.fill();
  }

  /** Ask until enough items are ahead. */
  async fill() {
    clearTimeout(this.#timer);
    const wanted = this.depth;
    if (this.#asking || (!this.#stale && this.ahead.length > wanted - Math.max(1, wanted / 4))) return;
    this.#asking = true;
    const stale = this.#stale;
    this.#stale = false;
    const before = this.#unsent() ? null : this.#passed;
    const kept = () => (stale ? this.ahead.slice(0, SEEN_SOON) : this.ahead);
    try {
      const held = [...new Set([...kept().map((item) => item.image), ...this.#busy()])];
      const reply = await nextImages(Math.max(1, wanted - kept().length), held);
      this.#merge(reply, kept());
      this.settled = before === this.#passed;
      this.error = null;
      if (!reply.items.length && !this.ahead.length) this.#later();
      else if (reply.items.length && this.ahead.length < wanted / 2) this.#later(0);
    } catch (error) {
      this.error = error;
      this.#later();
    } finally {
      this.#asking = false;
      this.dispatchEvent(new Event("change"));
    }
  }

  // Keys may have been pressed while the reply was under way: what was answered since must not come back.
  #merge(reply, kept) {
    const busy = this.#busy();
    const have = new Set(kept.map((item) => item.image));
    const fresh = reply.items.filter((item) => !have.has(item.image) && !busy.has(item.image));
    const next = [...kept, ...fresh];
    const stays = new Set(next.map((item) => item.image));
    const released = this.ahead.map((item) => item.image).filter((image) => !stays.has(image));
    giveBack(released);
    this.ahead = next;
    this.left = reply.left;
    const [first] = fresh;
    if (first && this.model === null) this.model = first.model;
  }

  #later(pause = PAUSE) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.fill(), pause);
  }
}
