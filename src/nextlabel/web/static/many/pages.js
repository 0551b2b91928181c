// Pages of a long list, loaded when they are wanted and again after a failure.

const SIZE = 120; // items of a request
const KEPT = 60; // pages that are kept
const PAUSE = 2000; // milliseconds after a failure; twice as long after each further one
const LONGEST_PAUSE = 30_000;

/** Pages of a list: `load(offset, limit)` returns a promise of {total, items}; `fail(error)` runs after a failure. */
export class Pages {
  #items = new Map(); // number -> items, or null while they are on their way
  #run = 0;
  #pause = 0;
  #timer = 0;

  constructor(load, fail) {
    Object.assign(this, { load, fail });
  }

  /** Return the item at an index, or undefined while it is not loaded. */
  item(index) {
    return this.#items.get(Math.floor(index / SIZE))?.[index % SIZE];
  }

  /** All items that are loaded. */
  get loaded() {
    return [...this.#items.values()].flatMap((items) => items ?? []);
  }

  /** Forget all pages and load that of an index. The reply is null after a failure, when `again` runs later, and when a later call began. */
  async begin(index, again) {
    const run = ++this.#run;
    clearTimeout(this.#timer);
    this.#items.clear();
    const number = Math.floor(index / SIZE);
    try {
      const reply = await this.load(number * SIZE, SIZE);
      if (run !== this.#run) return null;
      this.#pause = 0;
      this.#items.set(number, reply.items);
      return reply;
    } catch (error) {
      if (run === this.#run) this.#failed(error, again);
      return null;
    }
  }

  /** Load the page of an index unless it is there or on its way; `arrived` runs then, or when it may be tried again. */
  async want(index, arrived) {
    const number = Math.floor(index / SIZE);
    if (this.#items.has(number)) return;
    const run = this.#run;
    this.#items.set(number, null);
    if (this.#items.size > KEPT) this.#items.delete(this.#items.keys().next().value);
    try {
      const reply = await this.load(number * SIZE, SIZE);
      if (run !== this.#run) return;
      this.#pause = 0;
      this.#items.set(number, reply.items);
      arrived();
    } catch (error) {
      if (run !== this.#run) return;
      // Until it is tried again the page counts as being on its way.
      this.#failed(error, () => {
        for (const [of, items] of this.#items) if (items === null) this.#items.delete(of);
        arrived();
      });
    }
  }

  #failed(error, again) {
    this.#pause = Math.min(LONGEST_PAUSE, 2 * this.#pause || PAUSE);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(again, this.#pause);
    this.fail(error);
  }
}
