// Images of the queue, fetched and decoded before they are asked for.

import { get } from "../base/api.js";

const BUDGET = 24e6; // pixels that are decoded ahead
const PAUSE = 1500; // milliseconds until an image that did not arrive is asked again
const FEWEST = 5;
const MOST = 24;

/** Return how many images to hold ahead: 5 of large ones or unknown ones, up to 24 of small ones. */
export function depthFor(item) {
  if (!item?.width) return FEWEST;
  const pixels = Math.max(1, item.width * item.height);
  return Math.max(FEWEST, Math.min(MOST, Math.floor(BUDGET / pixels)));
}

/**
 * Decoded pictures by address.
 *
 * `view` decides the address of an item: window and channels of images with more than 8 bits.
 */
export class Pixels {
  #kept = new Map(); // address -> {picture, ready, failed, promise}; `failed` is false or the time of it

  constructor(view) {
    this.view = view;
  }

  /** Return the record of an item and start to load it if needed: {picture, ready, failed, promise}. */
  get(item) {
    const address = this.view.address(item);
    let record = this.#kept.get(address);
    if (!record || (record.failed && performance.now() > record.failed + PAUSE)) {
      record = this.#load(address, item);
      this.#kept.set(address, record);
    }
    return record;
  }

  /** Load these items, the first one first, and forget all others. */
  keep(items) {
    const addresses = new Set();
    for (const item of items) {
      if (item.problem) continue;
      this.get(item);
      addresses.add(this.view.address(item));
    }
    for (const address of this.#kept.keys()) if (!addresses.has(address)) this.#kept.delete(address);
  }

  /** Load an item again whose loading failed. Return a promise of its record. */
  retry(item) {
    this.#kept.delete(this.view.address(item));
    return this.get(item).promise;
  }

  #load(address, item) {
    const picture = new Image();
    picture.decoding = "sync";
    picture.draggable = false;
    picture.alt = `Image to label: ${item.name}`;
    Object.assign(picture.dataset, { image: item.image, address });
    const record = { picture, ready: false, failed: false, promise: null };
    record.promise = fill(picture, address, item).then(
      () => {
        record.ready = !item.problem;
        return record;
      },
      () => {
        record.failed = performance.now();
        return record;
      },
    );
    return record;
  }
}

// The header says that a file cannot be decoded, and that what comes is a drawing in its place.
async function fill(picture, address, item) {
  const response = await fetch(address, { priority: "low" });
  if (!response.ok) throw new Error(`status ${response.status}`);
  if (response.headers.has("X-Problem")) {
    const details = await get(`/api/image/${item.image}`);
    item.problem = details.problem ?? "The file cannot be decoded.";
    return;
  }
  picture.src = URL.createObjectURL(await response.blob());
  try {
    await picture.decode();
  } finally {
    URL.revokeObjectURL(picture.src); // the picture keeps what it has decoded
  }
  item.width ??= picture.naturalWidth;
  item.height ??= picture.naturalHeight;
}
