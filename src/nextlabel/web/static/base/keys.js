// Keys: one table of actions and classes for a view, and the help that lists it.

import { cap, h } from "./dom.js";
import { openDialog } from "./dialog.js";
import { keyMode, keyModeField, onKeyMode } from "./key_mode.js";

const NAMES = { " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc", Backspace: "⌫" };
const ARROWS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown", " ", "Enter"]);

/** Say whether a key types a character other than space, and so works as `keyMode` says. */
const types = (key) => /^(Shift\+)?[^ ]$/u.test(key);

/** Return the text on a key: "Shift+z" is ⇧Z, "ArrowLeft" is ←; "" for a key that does not work. */
export function keyName(key) {
  if (!key || (types(key) && keyMode() === "off")) return "";
  return (types(key) && keyMode() === "alt" ? "Alt+" : "") + plainName(key);
}

function plainName(key) {
  const parts = key === "+" ? ["+"] : key.split("+");
  const last = parts.pop();
  const shown = NAMES[last] ?? (last.length === 1 ? last.toUpperCase() : last);
  return parts.map((part) => (part === "Shift" ? "⇧" : `${part}+`)).join("") + shown;
}

/**
 * The keys of a view.
 *
 * A class's key comes first. An action whose letter a class has is reached with Shift; the texts on the
 * buttons and in the help say so.
 */
export class Keys {
  #actions = [];
  #classes = [];
  #give = null;

  constructor(title = "Keys") {
    this.title = title;
    document.addEventListener("keydown", (event) => this.#pressed(event));
    onKeyMode(() => this.draw());
  }

  /** Add an action: {id, keys: [...], label, run, group}. `keys` are values of KeyboardEvent.key, or "Ctrl+z"; `shown` are names in the help alone. */
  action(action) {
    this.#actions.push({ group: "Actions", ...action });
    return this;
  }

  /** Set the classes; `give(id)` runs on the key of one. */
  classes(classes, give) {
    this.#classes = classes;
    this.#give = give;
    this.draw();
  }

  /** Write the keys on all that has `data-action` (the id of an action) or `data-key` (of a class). */
  draw() {
    for (const element of document.querySelectorAll("[data-action], [data-key]")) {
      const { action, key } = element.dataset;
      const text = action ? this.capOf(action) : keyName(key);
      const shown = element.querySelector("kbd");
      if (shown) shown.textContent = text || (action ? "" : "–");
      if (text) element.setAttribute("aria-keyshortcuts", text.replace("⇧", "Shift+"));
      else element.removeAttribute("aria-keyshortcuts");
    }
  }

  /** Return the first key of an action that works now, as text. */
  capOf(id) {
    const action = this.#actions.find((one) => one.id === id);
    const [first] = action ? this.#usable(action) : [];
    return keyName(first);
  }

  #taken(key) {
    return this.#classes.some((one) => one.key && one.key.toLowerCase() === key);
  }

  // A letter that a class uses becomes Shift and the letter.
  #usable(action) {
    return action.keys.map((key) => (this.#taken(key) ? (/^[a-z]$/.test(key) ? `Shift+${key}` : null) : key)).filter(Boolean);
  }

  #pressed(event) {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    const target = event.target;
    if (target.matches?.("textarea, select, [contenteditable], input:not([type=range], [type=checkbox], [type=radio])")) return;
    if (target.matches?.("input") && ARROWS.has(event.key)) return;
    if (target.matches?.("button, a, summary, [role=button]") && (event.key === "Enter" || event.key === " ")) return;
    const name = nameOf(event);
    if (name === null) return;
    if (!/^(Ctrl|Alt|Shift)\+/.test(name)) {
      const one = this.#classes.find((each) => each.key && each.key.toLowerCase() === name);
      if (one) {
        event.preventDefault();
        if (!event.repeat) this.#give(one.id, event);
        return;
      }
    }
    const action = this.#actions.find((each) => this.#usable(each).includes(name));
    if (!action) return;
    event.preventDefault();
    if (event.repeat && !action.repeats) return;
    action.run(event);
  }

  /** Show all keys of the view, and how they work. */
  help() {
    const columns = h("div", { className: "help" }, ...this.#columns());
    const field = keyModeField("help-keys");
    field.addEventListener("change", () => columns.replaceChildren(...this.#columns()));
    openDialog(this.title, h("div", {}, columns, field), { className: "wide" });
  }

  #columns() {
    const groups = new Map();
    if (this.#classes.length) groups.set("Classes", this.#classes.map((one) => [[one.key || "–"], one.name]));
    for (const action of this.#actions) {
      if (!action.label) continue;
      if (!groups.has(action.group)) groups.set(action.group, []);
      groups.get(action.group).push([this.#usable(action).slice(0, 3), action.label, action.shown]);
    }
    return [...groups].map(([name, rows]) =>
      h("section", {}, h("h3", { textContent: name }), h("dl", {}, ...rows.map(([keys, label, shown = []]) => h("div", {}, h("dt", {}, ...shown.map((name) => cap(name)), ...caps(keys)), h("dd", { textContent: label }))))),
    );
  }
}

const caps = (keys) =>
  keys
    .map(keyName)
    .filter(Boolean)
    .flatMap((name, i) => (i ? [" ", cap(name)] : [cap(name)]));

/** Return the name of what was pressed, as actions and classes have it; null for a character that does not work now. */
function nameOf(event) {
  const ctrl = event.ctrlKey || event.metaKey;
  const key = keyOf(event);
  let alt = event.altKey;
  if (!ctrl && types(key)) {
    if (keyMode() === "off" || (keyMode() === "alt" && !alt)) return null;
    if (keyMode() === "alt") alt = false;
  }
  const letter = /^[a-z]$/.test(key) || key.length > 1;
  return (ctrl ? "Ctrl+" : "") + (alt ? "Alt+" : "") + (event.shiftKey && letter ? "Shift+" : "") + key;
}

// With Alt some keyboards type another sign, and no letter: then the place of the key counts.
function keyOf(event) {
  const place = /^(?:Key|Digit)(.)$/.exec(event.code ?? "");
  if (event.altKey && place && !/^[\x20-\x7e]$/.test(event.key)) return place[1].toLowerCase();
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}
