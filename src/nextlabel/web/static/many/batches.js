// Labels for many images at once, and their undo.

import { announce, toast } from "../base/announce.js";
import { many } from "../base/numbers.js";

const STATES = { label: "labelled", skip: "skipped", unsure: "unsure" };

/** Write answers for many images, and take whole batches back. `view()` names the page for the log. */
export class Batches {
  #done = []; // [{events, items, before}]

  constructor(outbox, project, { view, redraw }) {
    Object.assign(this, { outbox, project, view, redraw });
  }

  /** Label items; `classesOf(item)` returns their classes. Return how many were labelled. */
  label(items, classesOf, shownAt) {
    return this.#write("label", items.filter((item) => !item.problem), classesOf, shownAt);
  }

  /** Skip items, or mark them as unsure. */
  mark(state, items, shownAt) {
    return this.#write(state, items, () => [], shownAt);
  }

  #write(kind, items, classesOf, shownAt) {
    if (!items.length) {
      announce("No image is selected.");
      return 0;
    }
    const before = items.map((item) => ({ label: item.label, state: item.state }));
    const events = items.map((item) => {
      const classes = classesOf(item);
      const event = this.outbox.add({ kind, image: item.image, classes, shown_at: shownAt, model: item.model, position: item.position, view: this.view() });
      item.label = classes;
      item.state = STATES[kind];
      return event;
    });
    this.#done.push({ events, items, before });
    this.redraw(items);
    const mixed = new Set(events.map((event) => String(event.classes))).size > 1;
    const text = kind === "label" ? (mixed ? "labelled" : `labelled ${this.project.namesOf(events[0].classes)}`) : STATES[kind];
    toast(`${many(items.length, "image")} ${text}.`, { label: "Undo", run: () => this.undo() });
    return items.length;
  }

  /** Remember answers that the server wrote in one call, so that they can be undone. */
  remember(saved) {
    this.#done.push({ events: saved, items: [], before: [] });
  }

  /** Take back the last batch. Return whether all of it is drawn again, as nothing is after `remember`. */
  undo() {
    const last = this.#done.pop();
    if (!last) {
      announce("Nothing to undo.");
      return true;
    }
    for (const event of last.events) this.outbox.add({ kind: "undo", image: event.image, undoes: event.key, view: this.view() });
    last.items.forEach((item, i) => Object.assign(item, last.before[i]));
    this.redraw(last.items);
    toast(`Undone for ${many(last.events.length, "image")}.`);
    return last.items.length > 0;
  }
}
