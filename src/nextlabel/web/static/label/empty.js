// The stage without an image: loading, all done, waiting for others, damaged, lost connection.

import { cap, h } from "../base/dom.js";
import { many } from "../base/numbers.js";

const link = (href, text) => h("a", { href, className: "button", textContent: text });

/** While the first images are on their way. */
export const loading = () => h("div", { className: "empty quietly" }, h("span", { className: "spinner" }), h("p", { textContent: "Loading" }));

/** All images have an answer. */
export const allDone = (counts) =>
  h(
    "div",
    { className: "empty" },
    h("h1", { textContent: "Every image has an answer" }),
    h("p", { textContent: `${many(counts.labelled, "image is", "images are")} labelled, ${counts.skipped} skipped, ${counts.unsure} unsure.` }),
    h("div", { className: "row" }, link("/review", "Review doubtful labels"), link("/gallery", "Check the gallery"), link("/progress", "Export")),
  );

/** The images that are left are leased to other people or tabs. */
export const withOthers = (left) =>
  h(
    "div",
    { className: "empty" },
    h("h1", { textContent: "Others have the last images" }),
    h("p", { textContent: `${many(left, "image is", "images are")} open in another tab or with another person. They come back here if they are not answered.` }),
  );

/** The project has no image. */
export const noImages = (folder) =>
  h("div", { className: "empty" }, h("h1", { textContent: "No images yet" }), h("p", { textContent: `No image was found in ${folder}. Images that are added to the folder appear here within a minute or two.` }));

/** The project has no class. */
export const noClasses = (add) =>
  h(
    "div",
    { className: "empty" },
    h("h1", { textContent: "Which classes are there?" }),
    h("p", { textContent: "Name the first class. More can be added at any time, also while labelling." }),
    h("button", { type: "button", className: "primary", textContent: "Add a class", on: { click: add } }),
  );

/** An image that cannot be shown. */
export const damaged = (item, keys) =>
  h(
    "div",
    { className: "empty" },
    h("h1", { textContent: "This image cannot be shown" }),
    h("p", { textContent: item.problem }),
    h("p", { className: "faint", textContent: item.path }),
    h("p", {}, cap(keys.capOf("skip") || "Skip"), " skips it, ", cap(keys.capOf("flag") || "Flag"), " flags it."),
  );

/** The server does not answer and nothing is held. */
export const lost = (error, retry) =>
  h(
    "div",
    { className: "empty" },
    h("h1", { textContent: "No image could be loaded" }),
    h("p", { textContent: error.message }),
    h("p", { className: "faint", textContent: "The page tries again by itself." }),
    h("button", { type: "button", textContent: "Try now", on: { click: retry } }),
  );

/** Return what the stage shows while the queue has no image for it. */
export function withoutImage(queue, outbox, { counts, folder }) {
  if (queue.error) return lost(queue.error, () => queue.fill());
  if (queue.left === null) return loading();
  if (!counts.images) return noImages(folder);
  if (queue.left > outbox.images.size) return queue.settled ? withOthers(queue.left) : loading();
  return allDone(counts);
}
