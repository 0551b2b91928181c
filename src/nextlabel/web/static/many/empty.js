// The text in the place of a wall that has nothing to show.

import { toast } from "../base/announce.js";
import { byId, h } from "../base/dom.js";

/** Show these elements in the place of the wall. The same text stays as it is, with the focus in it. */
export function showInstead(...parts) {
  const message = h("div", { className: "empty" }, ...parts);
  if (message.textContent !== byId("empty").textContent) byId("empty").replaceChildren(message);
  byId("empty").hidden = false;
  byId("wall").hidden = true;
}

/** Show the wall again, and give it the focus if nothing else has it. */
export function showWall() {
  const [wall, empty] = [byId("wall"), byId("empty")];
  const lost = wall.hidden && (document.activeElement === document.body || empty.contains(document.activeElement));
  empty.hidden = true;
  wall.hidden = false;
  if (lost) wall.focus({ preventScroll: true });
}

/** Show that images could not be loaded; the wall tries again by itself. */
export function showFailure(error, wall) {
  if (wall.total) return toast(error.message, { label: "Try again", run: () => wall.reload({ keep: true }), seconds: 30 });
  showInstead(
    h("h2", { textContent: "The images could not be loaded" }),
    h("p", { textContent: error.message }),
    h("p", { className: "faint", textContent: "The page tries again by itself." }),
    h("button", { type: "button", textContent: "Try again", on: { click: () => wall.reload() } }),
  );
}
