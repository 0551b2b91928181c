// Answers on their way: written to the browser's storage first, then sent until the server has them.

import { ApiError, get, post } from "./api.js";
import { tab } from "./leases.js";
import { newKey } from "./new_key.js";

const ROOT = "nextlabel.outbox";
const BATCH = 200;
const LONGEST_PAUSE = 8000; // milliseconds
let counter = 0;

/**
 * The answers of one person to one project that the server has not acknowledged.
 *
 * Each is an item of its own in localStorage: other tabs cannot overwrite it, and it is there after a
 * reload, a crash, or a day without a server. The server keeps an answer once per key, so that sending
 * it again changes nothing. Events: "change", and "saved" with the server's reply.
 */
export class Outbox extends EventTarget {
  #prefix;
  #project;
  #memory = new Map(); // name in localStorage -> entry, oldest first
  #sending = false;
  #pause = 0;
  #timer = 0;
  #single = false; // send one at a time, to find the answer that the server cannot read
  problem = null;

  constructor(project, person) {
    super();
    this.#project = project;
    this.#prefix = `${ROOT}/${project}/${person ?? ""}/`;
    for (const name of Object.keys(localStorage).sort()) {
      if (!name.startsWith(this.#prefix)) continue;
      try {
        this.#memory.set(name, JSON.parse(localStorage.getItem(name)));
      } catch {
        localStorage.removeItem(name);
      }
    }
    addEventListener("online", () => this.retry());
    document.addEventListener("visibilitychange", () => !document.hidden && this.size && this.retry());
    if (this.size) this.retry();
  }

  /** How many answers wait. */
  get size() {
    return this.waiting.length;
  }

  /** The answers that wait, oldest first. */
  get waiting() {
    return this.#entries((entry) => !entry.refused).map(([, entry]) => entry.answer);
  }

  /** The answers that the server refused, with its reason. */
  get refused() {
    return this.#entries((entry) => entry.refused).map(([, entry]) => entry);
  }

  /** The images that a waiting answer labels. */
  get images() {
    return new Set(this.waiting.map((answer) => answer.image));
  }

  #entries(wanted) {
    return [...this.#memory].filter(([, entry]) => wanted(entry));
  }

  /** Keep an answer and send it. Return it with its key and time. */
  add(answer) {
    const complete = { key: newKey(), answered_at: Date.now() / 1000, ...answer };
    const order = `${String(Date.now()).padStart(15, "0")}-${String(counter++).padStart(9, "0")}`;
    this.#keep(`${this.#prefix}${order}-${complete.key}`, { answer: complete });
    this.#changed();
    this.#send();
    return complete;
  }

  /** Send now what waits, also what was refused when `again` is true. */
  retry({ again = false } = {}) {
    if (again) for (const [name, entry] of this.#entries((one) => one.refused)) this.#keep(name, { answer: entry.answer });
    this.#pause = 0;
    clearTimeout(this.#timer);
    this.#send();
  }

  /** Forget the answers that the server refused. */
  discardRefused() {
    for (const [name] of this.#entries((entry) => entry.refused)) this.#forget(name);
    this.#changed();
  }

  #keep(name, entry) {
    this.#memory.set(name, entry);
    try {
      localStorage.setItem(name, JSON.stringify(entry));
    } catch {
      this.problem = new ApiError("browser-storage", "This browser stores nothing for this page: unsent answers are lost when the tab closes.");
    }
  }

  #forget(name) {
    this.#memory.delete(name);
    localStorage.removeItem(name);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }

  async #send() {
    if (this.#sending) return;
    this.#sending = true;
    try {
      while (this.size) {
        const batch = this.#entries((entry) => !entry.refused).slice(0, this.#single ? 1 : BATCH);
        if (this.#pause) await this.#checkProject();
        await this.#post(batch);
        this.#pause = 0;
        this.problem = null;
        this.#changed();
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.problem = error;
      this.#pause = Math.min(LONGEST_PAUSE, this.#pause ? 2 * this.#pause : 400);
      this.#timer = setTimeout(() => this.#send(), this.#pause);
      this.#changed();
    } finally {
      this.#sending = false;
    }
  }

  // An answer that the server cannot read must not hold back the others.
  async #post(batch) {
    const answers = batch.map(([, entry]) => entry.answer);
    try {
      this.#acknowledge(batch, await post("/api/answers", { tab, project: this.#project, answers }));
    } catch (error) {
      if (error.status !== 422) throw error;
      if (batch.length === 1) this.#keep(batch[0][0], { answer: answers[0], refused: { key: answers[0].key, code: error.code, message: error.message } });
      this.#single = batch.length > 1;
    }
  }

  // After a failure another project may answer at this address.
  async #checkProject() {
    const { id } = await get("/api/project");
    if (id !== undefined && String(id) !== String(this.#project)) throw new ApiError("other-project", "Another project is open at this address now.");
  }

  #acknowledge(batch, reply) {
    const saved = new Set(reply.saved.map((one) => one.key));
    const refused = new Map((reply.refused ?? []).map((one) => [one.key, one]));
    for (const [name, { answer }] of batch) {
      if (saved.has(answer.key)) this.#forget(name);
      else if (refused.has(answer.key)) this.#keep(name, { answer, refused: refused.get(answer.key) });
    }
    if (!saved.size && !refused.size) throw new ApiError("bad-answer", "The server acknowledged no answer.");
    this.dispatchEvent(new CustomEvent("saved", { detail: reply }));
  }
}
