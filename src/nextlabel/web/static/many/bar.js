// The row of class buttons under a wall, for people without a keyboard.

import { cap, h } from "../base/dom.js";
import { many } from "../base/numbers.js";

/** Draw the class buttons into `area`; `give(id)` labels what is chosen. `Keys.draw` writes the keys on them. */
export function drawBar(area, project, give) {
  area.replaceChildren(
    ...project.classes.map((one) => {
      const swatch = h("span", { className: "swatch" });
      swatch.style.background = project.colourOf(one.id);
      return h("button", { type: "button", data: { id: one.id, key: one.key ?? "" }, on: { click: () => give(one.id) } }, cap(""), swatch, h("span", { textContent: one.name }));
    }),
  );
}

/** Say how many are selected. */
export function drawChosen(area, wall, hint) {
  const n = wall.selected.size;
  const text = n ? `${many(n, "image")} selected` : hint;
  if (area.textContent !== text) area.textContent = text;
}
