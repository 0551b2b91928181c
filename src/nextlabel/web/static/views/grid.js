// Grid: 50 images of the queue, or those of a lasso; a key labels the selection.

import { get } from "../base/api.js";
import { announce } from "../base/announce.js";
import { byId, h } from "../base/dom.js";
import { giveBack, keepLeased, nextImages } from "../base/leases.js";
import { count } from "../base/numbers.js";
import { start } from "../base/shell.js";
import { drawBar, drawChosen } from "../many/bar.js";
import { Batches } from "../many/batches.js";
import { card } from "../many/card.js";
import { showFailure, showInstead, showWall } from "../many/empty.js";
import { look } from "../many/look.js";
import { Wall } from "../many/wall.js";

const SIZE = 50;
const PAUSE = 2000; // milliseconds until an empty queue is asked again: others may give images back

start("Grid", async ({ project, outbox, keys }) => {
  const lasso = fromLasso();
  let items = [];
  let asking = 0;
  let shownAt = Date.now() / 1000;
  const predicted = lasso !== null || !project.data.settings.hide_predictions;
  const wall = new Wall(byId("wall"), { load, draw: (item) => card(item, project, { predicted }), height: predicted ? 168 : 150 });
  const batches = new Batches(outbox, project, { view: () => (lasso ? "map" : "grid"), redraw });

  async function load(offset, limit) {
    clearTimeout(asking);
    if (lasso) {
      const ids = lasso.slice(offset, offset + limit);
      const reply = await get("/api/images", { ids: ids.join(","), limit: ids.length });
      return { total: lasso.length, items: reply.items };
    }
    if (offset) return { total: items.length, items: [] };
    const reply = await nextImages(SIZE, [...outbox.images].reverse());
    items = reply.items;
    return { total: items.length, items };
  }

  function redraw(changed) {
    wall.redraw(changed);
    drawBusy();
  }

  function drawBusy() {
    const open = items.filter((item) => !item.state || item.state === "open").length;
    byId("next").disabled = false;
    byId("heading").textContent = lasso ? `${count(lasso.length)} of the map` : open === items.length ? `The next ${items.length}` : `${open} of ${items.length} left`;
    drawChosen(byId("chosen"), wall, "Arrows or a click move, Shift selects, a class key labels");
  }

  function give(id) {
    const chosen = wall.chosen;
    const classesOf = project.multilabel ? (item) => toggled(item.label ?? [], id) : () => [id];
    if (batches.label(chosen, classesOf, shownAt)) after(chosen);
  }

  function mark(state) {
    const chosen = wall.chosen;
    if (batches.mark(state, chosen, shownAt)) after(chosen);
  }

  // The active card moves to the next open one, so that neither one nor a selection needs an arrow.
  function after(chosen) {
    wall.selectNone();
    if (!project.multilabel) wall.goAfter(chosen, (item) => !item.state || item.state === "open");
    if (!lasso && !project.multilabel && items.length && items.every((item) => item.state && item.state !== "open")) next();
  }

  async function next() {
    if (lasso) location.assign("/grid");
    await giveBack(items.filter((item) => !item.state || item.state === "open").map((item) => item.image));
    await wall.reload();
    announce("The next images");
    byId("wall").focus();
  }

  wall.addEventListener("select", drawBusy);
  wall.addEventListener("open", (event) => look(event.detail, project));
  wall.addEventListener("load", () => {
    shownAt = Date.now() / 1000;
    if (wall.total) return showWall();
    showInstead(h("h2", { textContent: "No image is open" }), h("p", { textContent: "Every image has an answer, or another tab or person has the last ones. They appear here if they are given back." }));
    if (!lasso) asking = setTimeout(() => wall.reload(), PAUSE);
  });
  wall.addEventListener("fail", (event) => showFailure(event.detail, wall));

  if (lasso) byId("next").firstChild.textContent = "To the queue ";
  else keepLeased(() => items.map((item) => item.image));

  keys
    .action({ id: "move", keys: [], shown: ["Arrows"], label: "Move; with Shift: select", group: "Select" })
    .action({ id: "toggle", keys: [" "], label: "Select or leave out one image", run: () => {}, group: "Select" })
    .action({ id: "all", keys: ["Ctrl+a"], label: "Select all", run: () => wall.selectAll(), group: "Select" })
    .action({ id: "none", keys: ["Escape"], label: "Select nothing", run: () => wall.selectNone(), group: "Select" })
    .action({ id: "look", keys: ["Enter"], label: "Show the image large; also a double click", run: () => wall.item(wall.active) && look(wall.item(wall.active), project), group: "Select" })
    .action({ id: "skip", keys: ["s"], label: "Skip the selection", run: () => mark("skip"), group: "Answer" })
    .action({ id: "unsure", keys: ["u"], label: "Unsure", run: () => mark("unsure"), group: "Answer" })
    .action({ id: "undo", keys: ["z", "Ctrl+z", "Backspace"], label: "Undo", run: () => batches.undo(), group: "Answer" })
    .action({ id: "next", keys: ["n"], label: "The next 50; those without an answer come back later", run: next, group: "Answer" });
  for (const [id, run] of [["skip", () => mark("skip")], ["unsure", () => mark("unsure")], ["undo", () => batches.undo()], ["next", next]]) byId(id).addEventListener("click", run);

  let drawn = "";
  function drawProject() {
    const signature = JSON.stringify(project.classes.map((one) => [one.id, one.name, one.key, one.colour]));
    if (signature === drawn) return;
    drawn = signature;
    drawBar(byId("bar"), project, give);
    keys.classes(project.classes, give);
  }
  project.addEventListener("change", drawProject);
  drawProject();
  await wall.reload();
  byId("wall").focus({ preventScroll: true });
});

/** Return the ids that the map left for this page, or null. */
function fromLasso() {
  if (!new URLSearchParams(location.search).has("lasso")) return null;
  try {
    return JSON.parse(sessionStorage.getItem("nextlabel.lasso"));
  } catch {
    return null;
  }
}

const toggled = (classes, id) => (classes.includes(id) ? classes.filter((one) => one !== id) : [...classes, id].sort((a, b) => a - b));
