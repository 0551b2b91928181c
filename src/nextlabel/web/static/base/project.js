// The project as the server describes it: classes, counts, settings, model, activities.

import { get, post } from "./api.js";

const QUIET = 4000; // milliseconds between two requests
const BUSY = 1500;

const NO_COLOUR = "#7f7f7f"; // of a class that is not known yet

/** What is known of the project. Event "change" after each reply. */
class Project extends EventTarget {
  data = null;
  error = null;

  /** Load and keep loading; resolve after the first reply, reject if it fails. */
  async start() {
    await this.refresh();
    this.#later();
  }

  /** Load once. */
  async refresh() {
    const data = await get("/api/project");
    if (this.data?.id !== undefined && data.id !== this.data.id) location.reload();
    this.data = data;
    this.dispatchEvent(new Event("change"));
    return data;
  }

  /** Let work in the background that failed begin again. */
  async again(name) {
    await post(`/api/activities/${encodeURIComponent(name)}/again`);
    return this.refresh();
  }

  /** Take newer counts from the reply to another request. */
  count(counts) {
    if (!counts) return;
    this.data.counts = { ...this.data.counts, ...counts };
    this.dispatchEvent(new Event("change"));
  }

  /** Count a label that changed before the server does: `before` and `after` are ids of classes. */
  recount(before, after) {
    for (const [ids, step] of [[before, -1], [after, 1]]) {
      for (const id of ids) {
        const one = this.class(id);
        if (one) one.labelled = Math.max(0, (one.labelled ?? 0) + step);
      }
    }
  }

  #later() {
    const busy = this.data.activities?.some((activity) => activity.state === "running");
    setTimeout(async () => {
      if (!document.hidden) await this.refresh().catch(() => {});
      this.#later();
    }, busy ? BUSY : QUIET);
  }

  /** The classes that can be given, in order. */
  get classes() {
    return (this.data?.classes ?? []).filter((one) => !one.removed && (one.merged_into ?? null) === null);
  }

  /** Return a class by its id; a merged one leads to the one that stays. */
  class(id) {
    const one = this.data?.classes.find((each) => each.id === id);
    return one?.merged_into !== undefined && one?.merged_into !== null ? this.class(one.merged_into) : one;
  }

  /** Return the name of a class. */
  nameOf(id) {
    return this.class(id)?.name ?? `class ${id}`;
  }

  /** Return the names of classes as one text. */
  namesOf(ids) {
    return ids.length ? ids.map((id) => this.nameOf(id)).join(", ") : "none of the classes";
  }

  /** Return the colour of a class. */
  colourOf(id) {
    return this.class(id)?.colour || NO_COLOUR;
  }

  get multilabel() {
    return this.data?.task === "multilabel";
  }
}

export const project = new Project();
