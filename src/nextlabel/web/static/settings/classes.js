// The rows of the classes: name, key, colour, merge, remove.

import { post } from "../base/api.js";
import { toast } from "../base/announce.js";
import { openDialog } from "../base/dialog.js";
import { h } from "../base/dom.js";
import { newKey } from "../base/new_key.js";
import { many } from "../base/numbers.js";

/** Write a change of the classes and load the project again; a refusal is shown. Return whether it was taken. */
export async function change(project, fields) {
  try {
    await post("/api/classes", { ...fields, key: newKey() });
    await project.refresh();
    return true;
  } catch (error) {
    toast(error.message);
    await project.refresh().catch(() => {});
    return false;
  }
}

const updates = new WeakMap(); // row -> (class, editable) => void

/**
 * Draw a row for each class into `area`. Rows that are there stay, and change in place: a field in
 * which a person types keeps its text and the focus.
 */
export function drawClassRows(area, project, editable) {
  const there = new Map([...area.children].map((element) => [element.dataset.class, element]));
  const rows = project.classes.map((one) => there.get(String(one.id)) ?? row(one.id, project));
  for (const element of there.values()) if (!rows.includes(element)) element.remove();
  rows.forEach((element, place) => {
    if (area.children[place] !== element) area.insertBefore(element, area.children[place] ?? null);
    updates.get(element)(project.classes[place], editable);
  });
  if (!rows.length) area.append(h("p", { className: "faint", textContent: "No class yet. Name the first one below." }));
}

function row(id, project) {
  let shown = null;
  // A change that is refused leaves the field as it was.
  const edit = (action, before) => async (event) => {
    const field = event.target;
    if (!(await change(project, { action, class: id, value: field.value.trim() }))) field.value = before();
  };
  const colour = h("input", { type: "color", on: { change: edit("colour", () => hex(project.colourOf(id))) } });
  const name = h("input", { maxLength: 200, on: { change: edit("rename", () => shown.name) } });
  const key = h("input", { className: "key", maxLength: 1, autocomplete: "off", on: { change: edit("key", () => shown.key ?? ""), focus: (event) => event.target.select() } });
  const merge = h("button", { type: "button", className: "quiet", textContent: "Merge", on: { click: () => mergeDialog(shown, project) } });
  const labelled = h("span", { className: "n" });
  const remove = h("button", { type: "button", className: "quiet", textContent: "Remove", on: { click: () => change(project, { action: "remove", class: id }) } });
  const element = h("div", { className: "class-row" }, colour, name, key, labelled, h("span", {}, merge, remove));
  element.dataset.class = id;
  updates.set(element, (one, editable) => {
    for (const [field, before, value, label] of [
      [colour, shown && colour.defaultValue, hex(project.colourOf(id)), "Colour"],
      [name, shown?.name, one.name, "Name"],
      [key, shown && (shown.key ?? ""), one.key ?? "", "Key"],
    ]) {
      const typing = field === document.activeElement && shown && field.value !== before;
      if (!typing) field.value = value;
      field.disabled = !editable;
      field.setAttribute("aria-label", `${label} of ${one.name}`);
    }
    colour.defaultValue = hex(project.colourOf(id));
    shown = one;
    labelled.textContent = many(one.labelled ?? 0, "label");
    merge.disabled = !editable || project.classes.length < 2;
    remove.disabled = !editable || one.labelled > 0;
    remove.title = one.labelled ? "Only a class without labels can be removed; merge it instead." : "";
  });
  return element;
}

function mergeDialog(one, project) {
  const others = project.classes.filter((other) => other.id !== one.id);
  const select = h("select", { id: "merge-into" }, ...others.map((other) => h("option", { value: other.id, textContent: other.name })));
  const submit = (event) => {
    event.preventDefault();
    change(project, { action: "merge", class: one.id, value: Number(select.value) });
    dialog.close();
  };
  const dialog = openDialog(
    `Merge ${one.name}`,
    h("form", { on: { submit } }, h("label", { htmlFor: "merge-into", textContent: `All ${many(one.labelled ?? 0, "label")} of ${one.name} become labels of` }), select, h("p", { className: "faint", textContent: `This cannot be undone: afterwards the page does not tell the labels of ${one.name} apart. The log of answers keeps what was given.` }), h("div", { className: "dialog-foot" }, h("button", { type: "submit", className: "primary", textContent: "Merge" }))),
    { className: "small" },
  );
  select.focus();
}

// Colour fields accept #rrggbb alone.
function hex(colour) {
  return /^#[0-9a-f]{6}$/i.test(colour) ? colour : "#808080";
}
