// A curve with its interval, as SVG; the texts around it say the same.

import { h, svg } from "../base/dom.js";
import { count, percent } from "../base/numbers.js";

const WIDTH = 720;
const HEIGHT = 260;
const EDGE = { left: 46, right: 14, top: 12, bottom: 34 };

/** Return the picture of a curve: points {labelled, value, low, high}, values in [0, 1]. */
export function curve(points) {
  const most = Math.max(...points.map((point) => point.labelled));
  const floor = Math.max(0, Math.floor(10 * Math.min(...points.map((point) => point.low))) / 10);
  const x = (labelled) => EDGE.left + ((WIDTH - EDGE.left - EDGE.right) * labelled) / (most || 1);
  const y = (value) => EDGE.top + ((HEIGHT - EDGE.top - EDGE.bottom) * (1 - value)) / (1 - floor || 1);
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT + 8}`, role: "img", "aria-label": words(points), class: "chart" });
  for (const value of steps(floor, 1, 5)) {
    picture.append(svg("line", { x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y(value), y2: y(value), class: "grid" }));
    picture.append(text(EDGE.left - 8, y(value) + 4, percent(value), "end"));
  }
  for (const labelled of steps(0, most, 5)) picture.append(text(x(labelled), HEIGHT - 14, count(labelled), "middle"));
  picture.append(text((EDGE.left + WIDTH - EDGE.right) / 2, HEIGHT + 2, "labelled images", "middle"));
  const upper = points.map((point) => `${x(point.labelled)},${y(point.high)}`);
  const lower = points.map((point) => `${x(point.labelled)},${y(point.low)}`).reverse();
  picture.append(svg("polygon", { points: [...upper, ...lower].join(" "), class: "band" }));
  picture.append(svg("polyline", { points: points.map((point) => `${x(point.labelled)},${y(point.value)}`).join(" "), class: "line" }));
  const last = points[points.length - 1];
  picture.append(svg("circle", { cx: x(last.labelled), cy: y(last.value), r: 4, class: "end" }));
  return picture;
}

/** Return the points as a table. */
export function curveTable(points) {
  return h(
    "table",
    {},
    h("thead", {}, h("tr", {}, ...["Labelled", "Accuracy", "Interval"].map((name) => h("th", { textContent: name, scope: "col" })))),
    h("tbody", {}, ...points.map((point) => h("tr", {}, ...[count(point.labelled), percent(point.value, 1), `${percent(point.low, 1)} to ${percent(point.high, 1)}`].map((cell) => h("td", { textContent: cell }))))),
  );
}

function words(points) {
  const [first, last] = [points[0], points[points.length - 1]];
  return `Accuracy against labelled images: from ${percent(first.value)} with ${count(first.labelled)} to ${percent(last.value)} with ${count(last.labelled)}, interval ${percent(last.low)} to ${percent(last.high)}.`;
}

function text(x, y, content, anchor) {
  const element = svg("text", { x, y, "text-anchor": anchor, "aria-hidden": "true" });
  element.textContent = content;
  return element;
}

// Round numbers from `low` to `high`, about `n` of them.
function steps(low, high, n) {
  const rough = (high - low) / n || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  const values = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9; k++) values.push(k * step || 0);
  return values;
}
