// The buttons below an image: what else than a class can be answered, and ways back.

import { byId, cap, h } from "../base/dom.js";

/** Draw `buttons`, each [id of an action, name, disabled, run], into `area`; `keys` has their keys. */
export function drawButtons(area, buttons, keys) {
  if (!area.children.length) {
    area.append(...buttons.map(([id]) => h("button", { type: "button", data: { action: id } }, cap(keys.capOf(id)), h("span"))));
  }
  buttons.forEach(([id, name, disabled, run], i) => {
    const button = area.children[i];
    button.disabled = disabled;
    button.onclick = (event) => (run(), event.detail && byId("stage").focus());
    button.querySelector("span").textContent = name;
  });
}
