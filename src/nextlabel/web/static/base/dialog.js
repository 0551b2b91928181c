// Dialogs: a question with one answer, a text, a free form.

import { h } from "./dom.js";

/** Show a dialog with this heading and content. Return the element; it leaves the page when it closes. */
export function openDialog(heading, content, { className = "" } = {}) {
  const close = h("button", { type: "button", className: "quiet close", textContent: "Close", on: { click: () => dialog.close() } }, " ", h("kbd", { textContent: "Esc" }));
  const title = h("h2", { textContent: heading, id: "dialog-title" });
  const dialog = h("dialog", { className, aria: { labelledby: "dialog-title" } }, h("div", { className: "dialog-head" }, title, close), content);
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.showModal();
  return dialog;
}

/** Ask and return a promise of true when the person agrees. The button with `agree` has the focus. */
export function ask(heading, text, agree, { danger = false } = {}) {
  return new Promise((resolve) => {
    let agreed = false;
    const yes = h("button", {
      type: "button",
      className: danger ? "primary danger" : "primary",
      textContent: agree,
      on: { click: () => ((agreed = true), dialog.close()) },
    });
    const no = h("button", { type: "button", textContent: "Cancel", on: { click: () => dialog.close() } });
    const dialog = openDialog(heading, h("div", {}, h("p", { textContent: text }), h("div", { className: "dialog-foot" }, no, yes)), { className: "small" });
    dialog.addEventListener("close", () => resolve(agreed));
    yes.focus();
  });
}

/** Ask for a text; return a promise of it, or null when the dialog is closed. */
export function askText(heading, label, { value = "", save = "Save", long = false } = {}) {
  return new Promise((resolve) => {
    let given = null;
    const input = h(long ? "textarea" : "input", { value, id: "dialog-text", maxLength: long ? 10_000 : 200, ...(long ? { rows: 4 } : {}), autocomplete: "off" });
    const submit = (event) => {
      event.preventDefault();
      given = input.value.trim();
      dialog.close();
    };
    const form = h(
      "form",
      { on: { submit } },
      h("label", { htmlFor: "dialog-text", textContent: label }),
      input,
      h("div", { className: "dialog-foot" }, h("button", { type: "submit", className: "primary", textContent: save })),
    );
    input.addEventListener("keydown", (event) => long && event.key === "Enter" && (event.ctrlKey || event.metaKey) && submit(event));
    const dialog = openDialog(heading, form, { className: "small" });
    dialog.addEventListener("close", () => resolve(given));
    input.focus();
  });
}
