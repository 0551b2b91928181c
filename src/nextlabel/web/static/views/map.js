// Map: all images in two dimensions; a lasso leads to the grid.

import { get } from "../base/api.js";
import { announce, toast } from "../base/announce.js";
import { byId, h } from "../base/dom.js";
import { count, many, percent } from "../base/numbers.js";
import { start } from "../base/shell.js";
import { Camera } from "../map/camera.js";
import { Painter, pixelOf } from "../map/painter.js";
import { NO_CLASS, NOTHING, Points } from "../map/points.js";

const REACH = 14; // CSS pixels around the pointer
const RETRY = 3000; // milliseconds
const OF_NO_CLASS = "#6b6f76"; // a grey apart from the palette of the classes and from what is empty

start("Map", async ({ project, keys }) => {
  const canvas = byId("canvas");
  const camera = new Camera(canvas);
  const hidden = new Set(); // classes that are switched off
  const pointers = new Map();
  let points = null;
  let painter = null;
  let tool = "pan";
  let corners = [];
  let frame = 0;
  let asking = 0; // the timer of the next request, while there is no map

  const by = () => byId("by").value;
  const groupOf = (i) => (by() === "label" ? points.label[i] : points.predicted[i]);
  const shown = (i) => !hidden.has(groupOf(i));

  function theme() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    return { paper: pixelOf(colour("--paper")), ink: pixelOf(colour("--ink")), faint: pixelOf(colour("--line")), inkText: colour("--ink"), faintText: colour("--line"), accent: colour("--link") };
  }
  let colours = theme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => ((colours = theme()), paint()));

  function paint() {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      if (!points) return;
      const began = performance.now();
      const inSight = painter.paint(camera, { by: by(), shown, theme: colours, corners });
      canvas.dataset.paint = (performance.now() - began).toFixed(1);
      const text = `${count(inSight)} of ${many(points.count, "image")} in sight`;
      canvas.setAttribute("aria-label", `Map of all images: ${text}`);
      byId("about").textContent = `${text}. Rings are labelled images. Near each other means alike to the model.`;
      byId("sight").disabled = inSight === 0;
    });
  }

  async function load() {
    let reply;
    clearTimeout(asking);
    try {
      reply = await get("/api/map");
    } catch (error) {
      if (!points) showEmpty("The map could not be loaded", error.message, h("button", { type: "button", textContent: "Try again", on: { click: load } }));
      return;
    }
    clearTimeout(asking); // of another request that ended in the meantime
    if (!reply.count) {
      const activity = activityOf("map");
      const failed = [activity ?? activityOf("features")].find((one) => one?.again);
      asking = setTimeout(load, RETRY);
      if (failed) {
        const again = () => project.again(failed.name).then(load, (error) => toast(error.message));
        return showEmpty("The map could not be made", sentence(failed.message), h("button", { type: "button", textContent: "Try again", on: { click: again } }));
      }
      const text = activity?.total ? `It is made in the background: ${percent(activity.done / activity.total)}.` : activity?.message || "It is made in the background, from the space of the model.";
      return showEmpty("The map is not there yet", text);
    }
    byId("empty").hidden = true;
    const first = points === null;
    points = new Points(reply);
    painter = new Painter(canvas, points, colourOf);
    painter.repaint = paint;
    if (!points.predicted.some((one) => one !== NOTHING)) byId("by").value = "label";
    if (first) camera.fit();
    drawLegend();
    paint();
  }

  const activityOf = (name) => project.data.activities?.find((one) => one.name === name);
  const sentence = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1)}.` : "");

  const nameOf = (id) => project.namesOf(id === NO_CLASS ? [] : [id]);
  const colourOf = (id) => (id === NO_CLASS ? OF_NO_CLASS : project.colourOf(id));

  function showEmpty(heading, text, button = null) {
    const words = `${heading} ${text}`;
    if (!byId("empty").hidden && byId("empty").dataset.words === words) return; // the focus stays
    byId("empty").hidden = false;
    byId("empty").dataset.words = words;
    byId("empty").replaceChildren(h("div", { className: "empty" }, h("h2", { textContent: heading }), h("p", { textContent: text }), button));
  }

  function drawLegend() {
    const counts = new Map();
    for (let i = 0; i < points.count; i++) counts.set(groupOf(i), (counts.get(groupOf(i)) ?? 0) + 1);
    const groups = [...project.classes.map((one) => [one.id, one.name]), [NO_CLASS, project.namesOf([])], [NOTHING, by() === "label" ? "not labelled" : "no prediction"]];
    byId("classes").replaceChildren(
      ...groups
        .filter(([id]) => id >= 0 || counts.get(id))
        .map(([id, name]) => {
          const box = h("input", { type: "checkbox", checked: !hidden.has(id), on: { change: () => (box.checked ? hidden.delete(id) : hidden.add(id), paint()) } });
          const swatch = h("span", { className: "swatch" });
          if (id !== NOTHING) swatch.style.background = colourOf(id);
          return h("li", {}, h("label", { className: "check" }, box, swatch, h("span", { className: "legend-name", textContent: name }), h("span", { className: "faint", textContent: count(counts.get(id) ?? 0) })));
        }),
    );
  }

  /** Show these points in the grid. */
  function toGrid(chosen) {
    if (!chosen.length) return announce("No image is inside.");
    sessionStorage.setItem("nextlabel.lasso", JSON.stringify(chosen.map((i) => points.ids[i])));
    location.assign("/grid?lasso=1");
  }

  function inSight() {
    if (!points) return;
    const [left, top, right, bottom] = camera.sight;
    toGrid(points.inside([[left, top], [right, top], [right, bottom], [left, bottom]], shown));
  }

  function setTool(name) {
    tool = name;
    byId("pan").setAttribute("aria-pressed", String(name === "pan"));
    byId("lasso").setAttribute("aria-pressed", String(name === "lasso"));
    canvas.classList.toggle("drawing", name === "lasso");
    announce(name === "lasso" ? "Lasso: draw around images. With the keyboard: zoom to a part and press Enter." : "Move");
  }

  const placeOf = (event) => [event.offsetX, event.offsetY];

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, placeOf(event));
    corners = (tool === "lasso" || event.shiftKey) && pointers.size === 1 ? [placeOf(event)] : [];
    hideTip();
  });
  canvas.addEventListener("pointermove", (event) => {
    const now = placeOf(event);
    const before = pointers.get(event.pointerId);
    if (!before) return hover(now);
    const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    pointers.set(event.pointerId, now);
    if (others.length) {
      const distance = (a) => Math.hypot(a[0] - others[0][0], a[1] - others[0][1]) || 1;
      corners = [];
      camera.zoom(distance(now) / distance(before), (now[0] + others[0][0]) / 2, (now[1] + others[0][1]) / 2);
    } else if (corners.length) corners.push(now);
    else camera.move(now[0] - before[0], now[1] - before[1]);
    paint();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => {
      pointers.delete(event.pointerId);
      if (!corners.length) return;
      const drawn = corners.map(([x, y]) => camera.toMap(x, y));
      corners = [];
      paint();
      if (name === "pointerup" && drawn.length > 3 && points) toGrid(points.inside(drawn, shown));
    });
  }
  canvas.addEventListener("pointerleave", hideTip);
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      camera.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.06 : 0.0018)), ...placeOf(event));
      hideTip();
      paint();
    },
    { passive: false },
  );

  function hideTip() {
    byId("tip").hidden = byId("ring").hidden = true;
  }

  function hover([x, y]) {
    if (!points) return;
    const [mx, my] = camera.toMap(x, y);
    const next = points.nearest(mx, my, REACH / camera.scale, shown);
    const tip = byId("tip");
    byId("ring").hidden = tip.hidden = next < 0;
    if (next < 0) return;
    const [label, predicted] = [points.label[next], points.predicted[next]];
    byId("ring").style.transform = `translate(${points.xy[2 * next] * camera.scale + camera.x}px, ${points.xy[2 * next + 1] * camera.scale + camera.y}px)`;
    byId("tip-image").src = points.thumb(next);
    byId("tip-text").textContent = label !== NOTHING ? `labelled ${nameOf(label)}` : predicted !== NOTHING ? `predicted ${nameOf(predicted)}` : "not labelled";
    tip.style.transform = `translate(${Math.min(x + 18, canvas.clientWidth - 150)}px, ${Math.min(y + 18, canvas.clientHeight - 150)}px)`;
  }

  const step = (right, down) => (camera.move(-right * 80, -down * 80), paint());
  const zoom = (factor) => (camera.zoom(factor), paint());
  const fit = () => (camera.fit(), paint());
  keys
    .action({ id: "lasso", keys: ["o"], label: "Lasso, or move; Shift and drag also draws", run: () => setTool(tool === "lasso" ? "pan" : "lasso"), group: "Map" })
    .action({ id: "sight", keys: ["Enter"], label: "What is in sight as a grid", run: inSight, group: "Map" })
    .action({ id: "in", keys: ["+", "="], label: "Zoom in; also the wheel", run: () => zoom(1.5), repeats: true, group: "Map" })
    .action({ id: "out", keys: ["-"], label: "Zoom out", run: () => zoom(1 / 1.5), repeats: true, group: "Map" })
    .action({ id: "fit", keys: ["x"], label: "Show the whole map", run: fit, group: "Map" })
    .action({ id: "left", keys: ["ArrowLeft"], label: "Move the map; all arrows, or drag", run: () => step(-1, 0), repeats: true, group: "Map" })
    .action({ id: "right", keys: ["ArrowRight"], run: () => step(1, 0), repeats: true })
    .action({ id: "up", keys: ["ArrowUp"], run: () => step(0, -1), repeats: true })
    .action({ id: "down", keys: ["ArrowDown"], run: () => step(0, 1), repeats: true });
  byId("pan").addEventListener("click", () => setTool("pan"));
  byId("lasso").addEventListener("click", () => setTool("lasso"));
  byId("in").addEventListener("click", () => zoom(1.5));
  byId("out").addEventListener("click", () => zoom(1 / 1.5));
  byId("fit").addEventListener("click", fit);
  byId("sight").addEventListener("click", inSight);
  byId("by").addEventListener("change", () => (hidden.clear(), drawLegend(), paint()));
  new ResizeObserver(() => paint()).observe(canvas);
  let making = false;
  project.addEventListener("change", () => {
    const made = making && activityOf("map")?.state !== "running";
    making = activityOf("map")?.state === "running";
    if (made) load();
  });
  await load();
  canvas.focus({ preventScroll: true });
});
