// Keys and buttons that zoom and move a picture.

import { byId } from "../base/dom.js";

/** Let keys and the buttons of the page zoom and move the picture of a viewer, and show its zoom. */
export function connectZoom(viewer, keys) {
  keys
    .action({ id: "in", keys: ["+", "="], label: "Zoom in; also the wheel", run: () => viewer.step(1), repeats: true, group: "Look" })
    .action({ id: "out", keys: ["-"], label: "Zoom out", run: () => viewer.step(-1), repeats: true, group: "Look" })
    .action({ id: "toggle", keys: ["v"], label: "Whole image or 1:1; also a double click", run: () => viewer.toggle(), group: "Look" })
    .action({ id: "left", keys: ["Shift+ArrowLeft"], label: "Move the image; also by dragging", run: () => viewer.pan(-1, 0), repeats: true, group: "Look" })
    .action({ id: "right", keys: ["Shift+ArrowRight"], run: () => viewer.pan(1, 0), repeats: true })
    .action({ id: "up", keys: ["Shift+ArrowUp"], run: () => viewer.pan(0, -1), repeats: true })
    .action({ id: "down", keys: ["Shift+ArrowDown"], run: () => viewer.pan(0, 1), repeats: true });

  byId("zoom-in").addEventListener("click", () => viewer.step(1));
  byId("zoom-out").addEventListener("click", () => viewer.step(-1));
  byId("zoom-toggle").addEventListener("click", () => viewer.toggle());
  viewer.addEventListener("change", () => {
    byId("zoom").textContent = viewer.zoom;
    byId("zoom-toggle").textContent = viewer.mode === "fit" ? "1:1" : "Fit";
  });
}
