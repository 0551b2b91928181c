// The tables of the progress page.

import { h } from "../base/dom.js";
import { count, percent } from "../base/numbers.js";

/** Return a table of classes: labelled, share, predicted. */
export function classTable(rows, project) {
  const total = rows.reduce((sum, row) => sum + row.labelled, 0) || 1;
  return table(
    ["Class", "Labelled", "Share", "Predicted"],
    rows.map((row) => {
      const swatch = h("span", { className: "swatch" });
      swatch.style.background = project.colourOf(row.id);
      const bar = h("progress", { max: 1, value: row.labelled / total, aria: { label: `Share of ${project.nameOf(row.id)}` } });
      return [h("span", { className: "with-swatch" }, swatch, project.nameOf(row.id)), count(row.labelled), h("span", { className: "share" }, bar, percent(row.labelled / total)), row.predicted === undefined || row.predicted === null ? "–" : count(row.predicted)];
    }),
  );
}

/** Return a table from heads and rows of texts or elements; the first cell of a row names it. */
export function table(heads, rows) {
  return h(
    "div",
    { className: "scrolls", tabIndex: 0, attributes: { role: "region" }, aria: { label: heads[0] } },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { textContent: head, scope: "col" })))),
      h("tbody", {}, ...rows.map((cells) => h("tr", {}, ...cells.map((cell, i) => h(i ? "td" : "th", i ? {} : { scope: "row" }, cell))))),
    ),
  );
}
