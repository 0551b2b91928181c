// The list of classes next to a gallery: it chooses what is shown, and takes cards that are dropped on it.

import { h } from "../base/dom.js";
import { count } from "../base/numbers.js";

/** Draw the shelves into `area`: all, and one for each class. */
export function drawShelves(area, project, { current, totals, all: everything, show, drop }) {
  const all = shelf("All images", null, current === null, everything ?? (totals && Object.values(totals).reduce((sum, n) => sum + n, 0)), null);
  const shelves = project.classes.map((one) => shelf(one.name, one.id, one.id === current, totals?.[one.id], project.colourOf(one.id)));
  for (const button of [all, ...shelves]) {
    const id = button.dataset.id === "" ? null : Number(button.dataset.id);
    button.addEventListener("click", () => show(id));
    if (id === null) continue;
    button.addEventListener("dragover", (event) => {
      event.preventDefault();
      button.classList.add("over");
    });
    button.addEventListener("dragleave", () => button.classList.remove("over"));
    button.addEventListener("drop", (event) => {
      event.preventDefault();
      button.classList.remove("over");
      drop(id);
    });
  }
  area.replaceChildren(h("h2", { textContent: "Show, or drop images on" }), all, ...shelves);
}

function shelf(name, id, pressed, total, colour) {
  const swatch = h("span", { className: "swatch" });
  if (colour) swatch.style.background = colour;
  return h(
    "button",
    { type: "button", data: { id: id ?? "" }, aria: { pressed: String(pressed) } },
    swatch,
    h("span", { textContent: name }),
    h("span", { className: "n", textContent: total === undefined ? "" : count(total) }),
  );
}
