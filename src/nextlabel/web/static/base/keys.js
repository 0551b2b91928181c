// Keys: one table of actions and classes for a view, and the help that lists it.

import { cap, h } from "./dom.js";
import { openDialog } from "./dialog.js";

const NAMES = { " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc", Backspace: "⌫" };
const ARROWS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown", " ", "Enter"]);

/** Return the text on a key: "Shift+z" is ⇧Z, "ArrowLeft" is ←. */
export function keyName(key) {
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
  }

  /** Add an action: {id, keys: [...], label, run, group}. `keys` are values of KeyboardEvent.key, or "Ctrl+z". */
  action(action) {
    this.#actions.push({ group: "Actions", ...action });
    return this;
  }

  /** Set the classes; `give(id)` runs on the key of one. */
  classes(classes, give) {
    this.#classes = classes;
    this.#give = give;
  }

  /** Return the first key of an action that works now, as text. */
  capOf(id) {
    const [first] = this.#usable(this.#actions.find((action) => action.id === id));
    return first ? keyName(first) : "";
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
    if (!event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey) {
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

  /** Show all keys of the view. */
  help() {
    const groups = new Map();
    if (this.#classes.length) groups.set("Classes", this.#classes.map((one) => [[one.key ?? "–"], one.name]));
    for (const action of this.#actions) {
      if (!action.label) continue;
      if (!groups.has(action.group)) groups.set(action.group, []);
      groups.get(action.group).push([this.#usable(action).slice(0, 3), action.label]);
    }
    const columns = [...groups].map(([name, rows]) =>
      h(
        "section",
        {},
        h("h3", { textContent: name }),
        h(
          "dl",
          {},
          ...rows.map(([keys, label]) =>
            h("div", {}, h("dt", {}, ...keys.flatMap((key, i) => (i ? [" ", cap(keyName(key))] : [cap(keyName(key))]))), h("dd", { textContent: label })),
          ),
        ),
      ),
    );
    openDialog(this.title, h("div", { className: "help" }, ...columns), { className: "wide" });
  }
}

function nameOf(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const letter = /^[a-z]$/.test(key) || key.length > 1;
  return (event.ctrlKey || event.metaKey ? "Ctrl+" : "") + (event.altKey ? "Alt+" : "") + (event.shiftKey && letter ? "Shift+" : "") + key;
}
