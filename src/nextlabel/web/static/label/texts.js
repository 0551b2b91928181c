// The texts around an image: its name and size, what is said of it, and how far the labelling is.

import { byId, h } from "../base/dom.js";
import { count, interval, percent, tooEarly } from "../base/numbers.js";
import { stateText } from "./recent.js";

/** Write path, size and depth of an item, or nothing where there is none. */
export function drawCaption(item) {
  const parts = item ? [item.path, item.width ? `${item.width} × ${item.height}` : null, item.bits > 8 ? `${item.bits} bit` : null, item.channels > 1 ? `${item.channels} channels` : null] : [];
  byId("caption").textContent = parts.filter(Boolean).join(" · ");
  byId("caption").title = item?.path ?? "";
}

/** Write flag, note and state of an item; `toQueue` runs on the button of an earlier one. */
export function drawNotice(item, session, project, toQueue) {
  const notice = byId("notice");
  const texts = [];
  if (session.back && item) texts.push(`Earlier image, ${session.back} back: ${stateText(item, project)}.`);
  if (item?.flagged) texts.push("Flagged.");
  if (item?.note) texts.push(`Note: ${item.note}`);
  notice.hidden = !texts.length;
  notice.replaceChildren(h("span", { textContent: texts.join(" ") }));
  if (session.back) notice.append(h("button", { type: "button", on: { click: toQueue } }, "To the queue"));
}

/** Write the number of labelled images and the accuracy of the model. */
export function drawTally({ counts, model }) {
  byId("labelled").textContent = count(counts.labelled);
  const answered = counts.labelled + counts.skipped + counts.unsure;
  byId("left").textContent = `of ${count(counts.images)}`;
  byId("done").value = counts.images ? answered / counts.images : 0;
  const estimate = model?.estimate;
  byId("estimate").textContent = estimate?.missing ? tooEarly(estimate.missing) : estimate ? `Accuracy of the model: ${percent(estimate.value)} (${interval(estimate.low, estimate.high)})` : model ? "The accuracy is estimated after some more answers." : "The model starts after the first answers.";
}

/** Write what the button for several classes saves: those that are on, or none. */
export function drawSave(project, toggled) {
  byId("save").hidden = !project.multilabel;
  byId("save").firstChild.textContent = toggled.length || !project.multilabel ? "Save and next " : "None of these, next ";
}
