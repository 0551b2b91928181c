// The project as the server describes it: classes, counts, settings, model, activities.

import { get, post } from "./api.js";

const QUIET = 4000; // milliseconds between two requests
const BUSY = 1500;

/** Colours of classes that have none: distinct in light, in dark, and for most colour-blind people. */
export const PALETTE = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#8c6bb1", "#b2a400", "#7f7f7f", "#a05a2c"];

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
    return this.class(id)?.colour || PALETTE[id % PALETTE.length];
  }

  get multilabel() {
    return this.data?.task === "multilabel";
  }
}

export const project = new Project();
