// Gallery: all images by class, to confirm or correct many at once.

import { get, post } from "../base/api.js";
import { announce, toast } from "../base/announce.js";
import { ask } from "../base/dialog.js";
import { byId, h } from "../base/dom.js";
import { newKey } from "../base/new_key.js";
import { count, many, percent } from "../base/numbers.js";
import { start } from "../base/shell.js";
import { drawBar, drawChosen } from "../many/bar.js";
import { Batches } from "../many/batches.js";
import { card, isLabelled } from "../many/card.js";
import { showFailure, showInstead, showWall } from "../many/empty.js";
import { look } from "../many/look.js";
import { drawShelves } from "../many/shelves.js";
import { Wall } from "../many/wall.js";

const FILTERS = { "": {}, open: { labelled: 0 }, labelled: { labelled: 1 }, disagree: { disagree: 1 }, flagged: { flagged: 1 }, unsure: { unsure: 1 }, problem: { problem: 1 } };

start("Gallery", async ({ project, outbox, keys }) => {
  let shelf = null; // the class that is shown; null: all
  let totals = null;
  let now = null; // how many images there are after the answers since they were loaded; null: as many as then
  let shownAt = Date.now() / 1000;
  const wall = new Wall(byId("wall"), { load, draw });
  const batches = new Batches(outbox, project, { view: () => "gallery", redraw: (items) => wall.redraw(items) });
  drawFolders();
  readAddress();

  function filters() {
    return { class: shelf, by: byId("by").value, order: byId("order").value, person: byId("person").value, folder: byId("folder").value, collapse: byId("collapse").checked ? 1 : "", ...FILTERS[byId("only").value] };
  }

  function load(offset, limit) {
    return get("/api/images", { ...filters(), offset, limit });
  }

  function draw(item) {
    const element = card(item, project);
    element.draggable = true;
    element.addEventListener("dragstart", (event) => {
      if (!wall.selected.has(item.image)) {
        wall.selectNone();
        wall.selected.set(item.image, item);
      }
      event.dataTransfer.setData("text/plain", many(wall.selected.size, "image"));
      event.dataTransfer.effectAllowed = "copy";
    });
    return element;
  }

  function show(id) {
    shelf = id;
    writeAddress();
    wall.reload();
    drawShelfList();
  }

  const drawShelfList = () => drawShelves(byId("shelves"), project, { current: shelf, totals, all: shelf === null && wall.total ? now ?? wall.total : null, show, drop: give });

  function give(id) {
    const chosen = wall.chosen;
    const classesOf = project.multilabel ? (item) => ((item.label ?? []).includes(id) ? item.label.filter((one) => one !== id) : [...(item.label ?? []), id].sort((a, b) => a - b)) : () => [id];
    if (batches.label(chosen, classesOf, shownAt)) after(chosen);
  }

  function after(chosen) {
    wall.selectNone();
    wall.goAfter(chosen);
  }

  // Only predictions can be confirmed, and only of images that have no label yet.
  const confirmable = (items) => items.filter((item) => item.predicted && !item.problem && !isLabelled(item));

  async function confirm(items, next) {
    const open = confirmable(items);
    if (!open.length) return announce("All of these are labelled."), next();
    const shares = new Map();
    for (const { predicted } of open) {
      const name = project.namesOf(predicted.classes);
      shares.set(name, (shares.get(name) ?? 0) + 1);
    }
    if (shares.size > 1 && !(await agree(open, shares))) return byId("wall").focus();
    batches.label(open, (item) => item.predicted.classes, shownAt);
    next();
    byId("wall").focus();
  }

  // Images of one class are checked at a glance; of several classes a wrong one is overlooked.
  function agree(items, shares) {
    const least = Math.min(...items.map((item) => item.predicted.confidence));
    const parts = [...shares].sort((a, b) => b[1] - a[1]).map(([name, n]) => `${name}: ${count(n)}`);
    return ask(
      `Label ${many(items.length, "image")} as predicted?`,
      `${parts.join("; ")}. The model is ${percent(least)} sure of the least sure one. Undo takes all of them back.`,
      `Label ${count(items.length)}`,
    );
  }

  async function confirmAll() {
    const above = Number(byId("above").value) / 100;
    if (shelf === null) return toast("Choose a class first: its surest images are confirmed together.");
    const name = project.nameOf(shelf);
    const folder = byId("folder").value;
    const asked = { class: shelf, above, ...(folder && { folder }) };
    try {
      const { count: total, model } = await post("/api/confirm", { ...asked, dry: true, key: newKey() });
      if (!total) return toast(`No unlabelled image is predicted as ${name} with more than ${percent(above, 1)}.`);
      const agreed = await ask(
        `Label ${many(total, "image")} as ${name}?`,
        `All unlabelled images${folder && ` in ${folder}`} that the model calls ${name} with at least ${percent(above, 1)} get ${project.multilabel ? "the findings that it predicts" : "this label"}. Undo takes all of them back.`,
        `Label ${count(total)}`,
      );
      if (!agreed) return;
      const reply = await post("/api/confirm", { ...asked, model, key: newKey() });
      project.count(reply.counts);
      batches.remember(reply.saved);
      toast(`${many(reply.saved.length, "image")} labelled as ${name}.`, { label: "Undo", run: () => undo() });
      await wall.reload({ keep: true });
    } catch (error) {
      toast(error.message);
    }
    byId("wall").focus();
  }

  function undo() {
    const drawn = batches.undo();
    if (drawn) return;
    // What the server labelled in one call is not drawn here: load it once all of the undo is saved.
    const loaded = () => {
      if (outbox.size) return;
      outbox.removeEventListener("change", loaded);
      wall.reload({ keep: true });
    };
    outbox.addEventListener("change", loaded);
  }

  function drawTotal() {
    const gone = now === null ? 0 : wall.total - now;
    byId("total").textContent = gone > 0 ? `${many(now, "image")}, and ${count(gone)} just answered` : many(wall.total, "image");
    drawChosen(byId("chosen"), wall, "");
    byId("confirm-all").disabled = shelf === null;
    if (wall.total) return showWall();
    const model = project.data.model;
    showInstead(
      h("h2", { textContent: model ? "No image here" : "There is no model yet" }),
      h("p", { textContent: model ? "No image has this class and these filters." : "Label some images first; then all the others are sorted by what the model thinks of them." }),
      model ? h("button", { type: "button", textContent: "Show all", on: { click: () => ((byId("only").value = byId("folder").value = ""), show(null)) } }) : h("a", { href: "/label", className: "button", textContent: "Label images" }),
    );
  }

  wall.addEventListener("load", (event) => {
    shownAt = Date.now() / 1000;
    if (event.detail.by_class) totals = event.detail.by_class;
    now = null;
    drawTotal();
    drawShelfList();
  });
  // The cards stay after an answer, so that it can be undone; the counts do not wait for the next load.
  outbox.addEventListener("saved", async () => {
    if (outbox.size) return;
    const reply = await get("/api/images", { ...filters(), offset: 0, limit: 1 }).catch(() => null);
    if (!reply) return;
    if (reply.by_class) totals = reply.by_class;
    now = reply.total;
    drawTotal();
    drawShelfList();
  });
  wall.addEventListener("select", () => drawChosen(byId("chosen"), wall, ""));
  wall.addEventListener("open", (event) => look(event.detail, project));
  wall.addEventListener("fail", (event) => showFailure(event.detail, wall));
  for (const id of ["by", "order", "only", "folder", "person", "collapse"]) {
    // Keys work on the wall. A choice by the arrows may go on, until Enter; any other one is made.
    let choosing = false;
    byId(id).addEventListener("keydown", (event) => {
      choosing = event.key !== "Enter" && event.key !== "Tab";
      if (event.key === "Enter") byId("wall").focus({ preventScroll: true });
    });
    byId(id).addEventListener("pointerdown", () => (choosing = false));
    byId(id).addEventListener("change", () => {
      writeAddress();
      wall.reload();
      if (!choosing) byId("wall").focus({ preventScroll: true });
    });
  }
  byId("fold").addEventListener("click", () => byId("fold").setAttribute("aria-expanded", String(byId("fold").getAttribute("aria-expanded") !== "true")));
  byId("above").addEventListener("input", () => (byId("above-value").textContent = percent(byId("above").value / 100, byId("above").value % 1 ? 1 : 0)));

  const row = () => confirm(wall.row, () => wall.nextRow());
  const page = () => confirm(wall.page, () => wall.nextPage());
  const chosen = () => {
    const items = wall.chosen;
    return confirm(items, () => after(items));
  };
  keys
    .action({ id: "move", keys: [], shown: ["Arrows"], label: "Move; with Shift: select", group: "Select" })
    .action({ id: "toggle", keys: [" "], label: "Select or leave out one image", run: () => {}, group: "Select" })
    .action({ id: "all-loaded", keys: ["Ctrl+a"], label: "Select all that is loaded", run: () => wall.selectAll(), group: "Select" })
    .action({ id: "none", keys: ["Escape"], label: "Select nothing", run: () => wall.selectNone(), group: "Select" })
    .action({ id: "look", keys: ["l"], label: "Show the image large; also a double click", run: () => wall.item(wall.active) && look(wall.item(wall.active), project), group: "Select" })
    .action({ id: "chosen", keys: ["Enter"], label: "Confirm the selection as predicted", run: chosen, group: "Confirm" })
    .action({ id: "row", keys: ["r"], label: "Confirm the row, go to the next", run: row, group: "Confirm" })
    .action({ id: "page", keys: ["p"], label: "Confirm what is in sight, go on", run: page, group: "Confirm" })
    .action({ id: "all", keys: ["a"], label: "Confirm all of the class that are sure enough", run: confirmAll, group: "Confirm" })
    .action({ id: "undo", keys: ["z", "Ctrl+z", "Backspace"], label: "Undo", run: undo, group: "Confirm" });
  for (const [id, run] of [["confirm-row", row], ["confirm-page", page], ["confirm-all", confirmAll], ["undo", undo]]) {
    byId(id).addEventListener("click", (event) => (run(), event.detail && id !== "confirm-all" && byId("wall").focus()));
  }

  /** The filters are in the address, so that a view can be kept and sent. */
  function writeAddress() {
    const query = new URLSearchParams(Object.entries({ class: shelf, by: byId("by").value, order: byId("order").value, only: byId("only").value, folder: byId("folder").value, person: byId("person").value }).filter(([, value]) => value !== null && value !== ""));
    history.replaceState(null, "", `?${query}`);
  }

  function readAddress() {
    const query = new URLSearchParams(location.search);
    if (query.has("class")) shelf = Number(query.get("class"));
    for (const id of ["by", "order", "only", "folder"]) if (query.has(id)) byId(id).value = query.get(id);
  }

  function drawFolders() {
    byId("folder").append(...project.data.folders.map((name) => h("option", { value: name, textContent: name })));
    byId("folder-field").hidden = !project.data.folders.length;
  }

  async function drawPeople() {
    if (!project.data.users) return;
    const reply = await get("/api/people").catch(() => null);
    if (!reply) return;
    byId("person").append(...reply.people.map((one) => h("option", { value: one.name, textContent: one.name })));
    byId("person-field").hidden = false;
  }

  let drawn = "";
  function drawProject() {
    const signature = JSON.stringify(project.classes.map((one) => [one.id, one.name, one.key, one.colour]));
    if (signature === drawn) return;
    drawn = signature;
    drawBar(byId("bar"), project, give);
    drawShelfList();
    keys.classes(project.classes, give);
  }
  project.addEventListener("change", drawProject);
  drawProject();
  drawPeople();
  await wall.reload();
  byId("wall").focus({ preventScroll: true });
});
