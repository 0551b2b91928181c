// How keys with a character work in this browser: alone, with Alt, or not at all. Speech input types characters.

import { h } from "./dom.js";

const STORED = "nextlabel.keys";
const MODES = [
  ["alone", "alone, such as S"],
  ["alt", "with Alt, such as Alt+S"],
  ["off", "not at all: buttons, arrows and Enter do"],
];
const listeners = new EventTarget();
let mode = stored();

function stored() {
  try {
    const value = localStorage.getItem(STORED);
    return MODES.some(([name]) => name === value) ? value : "alone";
  } catch {
    return "alone";
  }
}

/** Return "alone", "alt" or "off". */
export const keyMode = () => mode;

/** Run `listener` when the mode changes, here or in another tab. */
export const onKeyMode = (listener) => listeners.addEventListener("change", listener);

function set(value) {
  mode = value;
  listeners.dispatchEvent(new Event("change"));
}

addEventListener("storage", (event) => event.key === STORED && set(stored()));

/** Return a field that sets the mode; `id` names it. */
export function keyModeField(id) {
  const select = h("select", { id }, ...MODES.map(([value, name]) => h("option", { value, textContent: name, selected: value === mode })));
  select.addEventListener("change", () => {
    try {
      localStorage.setItem(STORED, select.value);
    } catch {
      // The choice holds until the tab closes.
    }
    set(select.value);
  });
  return h(
    "div",
    { className: "field" },
    h("label", { htmlFor: id, textContent: "Keys of letters, digits and signs" }),
    select,
    h("p", { textContent: "For this browser alone. Where a stray key or dictated text could label an image, let keys need Alt, or switch them off." }),
  );
}
