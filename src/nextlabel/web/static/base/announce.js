// What just happened, in words: for screen readers always, on the screen for a moment where it helps.

import { byId, h } from "./dom.js";

let clearing = 0;

/** Say `text` to screen readers, without a trace on the screen. */
export function announce(text) {
  const live = byId("live");
  // A repeated text is read again only if it differs.
  live.textContent = live.textContent === text ? `${text}\u00a0` : text;
}

/** Show `text` at the foot of the page for some seconds, with at most one button. It stays under the pointer or the focus. */
export function toast(text, { label, run, seconds = label ? 12 : 5 } = {}) {
  const area = byId("toasts");
  const note = h("div", { className: "toast" }, h("span", { textContent: text }));
  if (label) {
    const act = () => {
      note.remove();
      run();
    };
    note.append(h("button", { type: "button", textContent: label, on: { click: act } }));
  }
  area.replaceChildren(note);
  announce(text);
  const leave = () => {
    clearTimeout(clearing);
    clearing = setTimeout(() => (note.matches(":hover, :focus-within") ? leave() : note.remove()), 1000 * seconds);
  };
  leave();
}
