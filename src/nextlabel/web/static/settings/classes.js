// The rows of the classes: name, key, colour, merge, remove.

import { post } from "../base/api.js";
import { toast } from "../base/announce.js";
import { openDialog } from "../base/dialog.js";
import { h } from "../base/dom.js";
import { newKey } from "../base/identity.js";
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

/** Draw a row for each class into `area`. */
export function drawClassRows(area, project, editable) {
  area.replaceChildren(...project.classes.map((one) => row(one, project, editable)));
  if (!project.classes.length) area.append(h("p", { className: "faint", textContent: "No class yet. Name the first one below." }));
}

function row(one, project, editable) {
  // A change that is refused leaves the field as it was.
  const edit = (action, before) => async (event) => {
    const field = event.target;
    if (!(await change(project, { action, class: one.id, value: field.value.trim() }))) field.value = before;
  };
  const shade = hex(project.colourOf(one.id));
  const colour = h("input", { type: "color", value: shade, disabled: !editable, aria: { label: `Colour of ${one.name}` }, on: { change: edit("colour", shade) } });
  const name = h("input", { value: one.name, maxLength: 200, disabled: !editable, aria: { label: `Name of ${one.name}` }, on: { change: edit("rename", one.name) } });
  const key = h("input", { value: one.key ?? "", className: "key", maxLength: 1, disabled: !editable, autocomplete: "off", aria: { label: `Key of ${one.name}` }, on: { change: edit("key", one.key ?? ""), focus: (event) => event.target.select() } });
  const merge = h("button", { type: "button", className: "quiet", textContent: "Merge", disabled: !editable || project.classes.length < 2, on: { click: () => mergeDialog(one, project) } });
  const labelled = h("span", { className: "n", textContent: many(one.labelled ?? 0, "label") });
  const remove = h("button", { type: "button", className: "quiet", textContent: "Remove", disabled: !editable || one.labelled > 0, title: one.labelled ? "Only a class without labels can be removed; merge it instead." : "", on: { click: () => change(project, { action: "remove", class: one.id }) } });
  return h("div", { className: "class-row" }, colour, name, key, labelled, h("span", {}, merge, remove));
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
