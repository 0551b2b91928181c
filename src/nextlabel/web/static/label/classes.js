// The buttons of the classes, with their keys.

import { cap, h } from "../base/dom.js";
import { count, percent } from "../base/numbers.js";

const SHORT = 14; // letters of a name that fits into half of the panel

/** Draw the buttons into `area`; `give(id)` runs on a press. `Keys.draw` writes the keys on them. */
export function drawClasses(area, project, give) {
  const buttons = project.classes.map((one) =>
    h(
      "button",
      { type: "button", className: "class", data: { id: one.id, key: one.key ?? "" }, aria: { pressed: "false" }, on: { click: () => give(one.id) } },
      cap(""),
      h("span", { className: "swatch" }),
      h("span", { className: "class-name", textContent: one.name }),
      h("span", { className: "class-sure" }),
      h("span", { className: "class-count", title: "labelled", textContent: count(one.labelled ?? 0) }),
    ),
  );
  for (const button of buttons) {
    const id = Number(button.dataset.id);
    button.querySelector(".swatch").style.background = project.colourOf(id);
  }
  area.classList.toggle("dense", buttons.length > 10 && project.classes.every((one) => one.name.length <= SHORT));
  area.replaceChildren(...buttons);
}

/** Write how many images have each class. */
export function drawCounts(area, project) {
  for (const one of project.classes) {
    const counter = area.querySelector(`[data-id="${one.id}"] .class-count`);
    if (counter) counter.textContent = count(one.labelled ?? 0);
  }
}

/** Mark the classes of the image, and what is predicted where that is shown. */
export function markClasses(area, chosen, predicted) {
  for (const button of area.querySelectorAll(".class")) {
    const id = Number(button.dataset.id);
    const pressed = String(chosen.includes(id));
    if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
    const sure = button.querySelector(".class-sure");
    const text = predicted?.classes.includes(id) ? percent(predicted.confidence) : "";
    if (sure.textContent !== text) {
      sure.textContent = text;
      sure.title = text && "predicted";
    }
  }
}
