// A small image with its label, prediction and marks.

import { h } from "../base/dom.js";
import { many, percent } from "../base/numbers.js";

/**
 * Return the card of an item as an option of a list box.
 *
 * `predicted` is false where predictions must not be seen; `note` is a line of its own, such as a doubt.
 */
export function card(item, project, { predicted = true, note = "" } = {}) {
  const shown = predicted ? item.predicted : null;
  const picture = item.problem
    ? h("span", { className: "card-problem", textContent: item.problem })
    : h("img", { src: item.thumb ?? item.url.thumb, alt: "", loading: "lazy", decoding: "async", draggable: false });
  const marks = h("span", { className: "card-marks" });
  const copies = Math.max(0, (item.copies ?? 1) - 1) + (item.near_copies ?? 0); // `copies` counts the image itself
  if (copies > 0) marks.append(h("span", { title: many(copies, "copy or near-copy", "copies or near-copies"), textContent: `+${copies}` }));
  if (item.flagged) marks.append(h("span", { className: "flag", title: "flagged", textContent: "⚑" }));
  const lines = h("span", { className: "card-lines" });
  const classes = item.label?.length > 0;
  if (classes) lines.append(chip(project, item.label));
  else if (isLabelled(item)) lines.append(h("span", { textContent: "none of the classes" }));
  else if (item.state === "skipped" || item.state === "unsure") lines.append(h("span", { className: "faint", textContent: item.state }));
  if (shown) {
    const labelled = isLabelled(item);
    const same = labelled && String(item.label) === String(shown.classes);
    const guess = `${project.namesOf(shown.classes)} ${percent(shown.confidence)}`;
    const text = same ? `model: ${percent(shown.confidence)}` : labelled ? `model: ${guess}` : guess;
    lines.append(h("span", { className: labelled && !same ? "guess other" : "guess", textContent: text }));
  }
  if (note) lines.append(h("span", { className: "faint", textContent: note }));
  const element = h(
    "div",
    { className: "card", title: item.path, data: { image: item.image }, attributes: { role: "option" }, aria: { label: words(item, project, shown, note), selected: "false" } },
    picture,
    marks,
    lines,
  );
  element.classList.toggle("answered", isLabelled(item));
  if (classes) element.style.setProperty("--class", project.colourOf(item.label[0]));
  return element;
}

/** Return whether an item has a label, also one of no class. */
export const isLabelled = (item) => (item.state ? item.state === "labelled" : Boolean(item.labelled || item.label?.length));

/** Return the classes of a label with the colour of the first. */
export function chip(project, ids) {
  const swatch = h("span", { className: "swatch" });
  swatch.style.background = project.colourOf(ids[0]);
  return h("span", { className: "chip" }, swatch, h("span", { textContent: project.namesOf(ids) }));
}

function words(item, project, shown, note) {
  const parts = [item.name];
  if (item.problem) parts.push(item.problem);
  if (item.label?.length) parts.push(`labelled ${project.namesOf(item.label)}`);
  else if (isLabelled(item)) parts.push(`labelled ${project.namesOf([])}`);
  else if (item.state && item.state !== "open") parts.push(item.state);
  if (shown) parts.push(`predicted ${project.namesOf(shown.classes)}, ${percent(shown.confidence)}`);
  if (item.flagged) parts.push("flagged");
  if (note) parts.push(note);
  return parts.join(", ");
}
