// One image of a wall, large, in a dialog.

import { get } from "../base/api.js";
import { openDialog } from "../base/dialog.js";
import { h } from "../base/dom.js";
import { percent } from "../base/numbers.js";
import { Viewer } from "../image/viewer.js";

/** Show an item large, with its answers so far. */
export async function look(item, project) {
  const stage = h("div", { className: "stage" });
  const facts = h("div", { className: "look-facts" }, item.path === item.name ? null : h("p", { className: "faint", textContent: item.path }));
  openDialog(item.name ?? item.path, h("div", { className: "look" }, stage, facts), { className: "wide" });
  const viewer = new Viewer(stage);
  if (item.problem) viewer.clear(h("p", { className: "empty", textContent: item.problem }));
  else {
    const picture = new Image();
    picture.alt = item.name;
    picture.draggable = false;
    picture.src = item.url?.pixels ?? `/pixels/${item.image}`;
    picture.decode().then(
      () => viewer.show(picture),
      () => viewer.clear(h("p", { className: "empty", textContent: "The image did not arrive." })),
    );
  }
  if (item.predicted) facts.append(h("p", { textContent: `Predicted: ${project.namesOf(item.predicted.classes)}, ${percent(item.predicted.confidence)}` }));
  const details = await get(`/api/image/${item.image}`).catch(() => null);
  for (const event of details?.history ?? []) {
    const what = event.kind === "label" ? project.namesOf(event.classes ?? []) : event.kind;
    const when = event.answered_at ? new Date(1000 * event.answered_at).toLocaleString() : "";
    facts.append(h("p", { textContent: [what, event.note, event.person, when].filter(Boolean).join(" · ") }));
  }
}
