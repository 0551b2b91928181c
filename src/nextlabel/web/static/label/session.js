// What one person does at the page: images passed, answers given, undo, redo, back and forward.

/**
 * The course of a session, without a screen: it decides which image is current and which events to write.
 *
 * `write(event)` keeps an answer and returns it with its key; `queue` has `head` and `shift()`.
 * `back` is 0 at the image of the queue, and n at the nth image before it.
 */
export class Session {
  past = []; // items that were passed, oldest first
  back = 0;
  #events = []; // own effective events, oldest first
  #undone = []; // [{event, key of its undo}], the last undone last
  #gone = new Set(); // keys that were undone here: the server may not have the undo yet

  constructor(queue, write) {
    this.queue = queue;
    this.write = write;
  }

  /** Take the events of earlier sessions, newest first, as the server gives them. */
  load(items) {
    const known = new Set(this.#events.map((event) => event.key));
    const older = items.filter((event) => !known.has(event.key) && !this.#gone.has(event.key)).reverse();
    this.#events.unshift(...older);
    const passed = new Set(this.past.map((item) => item.image));
    const last = new Map(older.map((event) => [event.image, event]));
    const earlier = [...last.values()].filter((event) => !passed.has(event.image) && event.url);
    this.past.unshift(...earlier.map((event) => ({ ...event, label: event.label ?? event.classes, state: stateOf(event) })));
  }

  /** The item on the screen, or undefined. */
  get current() {
    return this.back ? this.past[this.past.length - this.back] : this.queue.head;
  }

  get canGoBack() {
    return this.back < this.past.length;
  }

  get canUndo() {
    return this.#events.length > 0;
  }

  /** The event that `redo` gives back, or undefined. */
  get undone() {
    return this.#undone[this.#undone.length - 1]?.event;
  }

  /** Return the classes that an image of this session has now. */
  labelOf(image) {
    return this.#item(image)?.label ?? [];
  }

  #item(image) {
    return this.past.find((one) => one.image === image) ?? (this.queue.head?.image === image ? this.queue.head : undefined);
  }

  /** How many own events can be taken back without asking the server. */
  get depth() {
    return this.#events.length;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Show the image before. */
  goBack() {
    if (this.canGoBack) this.back += 1;
  }

  /** Show the image after. */
  goForward() {
    if (this.back) this.back -= 1;
  }

  /** Show an image that was passed. */
  goTo(image) {
    const at = this.past.findIndex((item) => item.image === image);
    if (at >= 0) this.back = this.past.length - at;
  }

  /** Label, skip or mark as unsure the current image, and go to the next one. Return the event. */
  answer(kind, details) {
    const item = this.current;
    const event = this.#write({ ...details, kind, image: item.image });
    this.#apply(item, event);
    if (this.back) {
      // Corrections lead to the next image without an answer: those undone, or that of the queue.
      do this.back -= 1;
      while (this.back && this.current.state !== "open");
    } else {
      this.past.push(item);
      this.queue.shift();
    }
    return event;
  }

  /** Write a flag or a note on the current image; it stays on the screen. */
  remark(kind, details) {
    const item = this.current;
    const event = this.#write({ ...details, kind, image: item.image });
    this.#apply(item, event);
    return event;
  }

  /** Take back one own event, the last one by default; show its image. Return the event, or null. */
  undo(key = null) {
    const at = key === null ? this.#events.length - 1 : this.#events.findIndex((event) => event.key === key);
    if (at < 0) return null;
    const [event] = this.#events.splice(at, 1);
    const undo = this.write({ kind: "undo", image: event.image, undoes: event.key });
    this.#undone.push({ event, undo: undo.key });
    this.#gone.add(event.key);
    this.#restore(event);
    return event;
  }

  /** Give back the event that was undone last. Return it, or null. */
  redo() {
    const last = this.#undone.pop();
    if (!last) return null;
    this.write({ kind: "undo", image: last.event.image, undoes: last.undo });
    this.#events.push(last.event);
    this.#restore(last.event);
    if (this.back && this.current.state !== "open") this.#toOpen();
    return last.event;
  }

  /** The key of the own event of this kind on the current image, or null. */
  keyOf(kind) {
    const image = this.current?.image;
    return this.#events.findLast((event) => event.kind === kind && event.image === image)?.key ?? null;
  }

  #write(event) {
    this.#undone = [];
    const written = this.write(event);
    this.#events.push(written);
    return written;
  }

  #apply(item, event) {
    if (event.kind === "flag") item.flagged = true;
    else if (event.kind === "note") item.note = event.note;
    else {
      item.state = stateOf(event);
      item.label = event.kind === "label" ? event.classes : [];
    }
  }

  // The state of an image is that of its last own event that is left.
  #restore({ image, kind }) {
    const item = this.#item(image);
    if (!item) return;
    const events = this.#events.filter((event) => event.image === image);
    const last = events.findLast((event) => ["label", "skip", "unsure"].includes(event.kind));
    item.state = last ? stateOf(last) : "open";
    item.label = last?.kind === "label" ? last.classes : [];
    if (kind === "flag") item.flagged = events.some((event) => event.kind === "flag");
    if (kind === "note") item.note = events.findLast((event) => event.kind === "note")?.note ?? "";
    if (item === this.queue.head) this.back = 0;
    else this.goTo(image);
  }

  #toOpen() {
    while (this.back && this.current.state !== "open") this.back -= 1;
  }
}

function stateOf(event) {
  return { label: "labelled", skip: "skipped", unsure: "unsure" }[event.kind] ?? "open";
}
