// Review: labels that the model doubts most, and conflicts between people, to confirm or correct.

import { get } from "../base/api.js";
import { byId, h } from "../base/dom.js";
import { many, percent } from "../base/numbers.js";
import { start } from "../base/shell.js";
import { drawBar } from "../many/bar.js";
import { Batches } from "../many/batches.js";
import { card, isLabelled } from "../many/card.js";
import { showFailure, showInstead, showWall } from "../many/empty.js";
import { look } from "../many/look.js";
import { Wall } from "../many/wall.js";

const MOST = 500;

start("Review", async ({ project, outbox, keys }) => {
  const conflicts = () => byId("what").value === "conflicts";
  let items = [];
  let shownAt = Date.now() / 1000;
  const wall = new Wall(byId("wall"), { load, draw, width: 168, height: 186 });
  const batches = new Batches(outbox, project, { view: () => (conflicts() ? "resolve" : "review"), redraw: (changed) => wall.redraw(changed) });

  async function load(offset, limit) {
    if (offset) return { total: items.length, items: items.slice(offset, offset + limit) };
    const { items: all, facts } = await get(conflicts() ? "/api/conflicts" : "/api/review", { limit: MOST });
    return { total: all.length, items: all.slice(0, limit), all, facts };
  }

  function draw(item) {
    if (!item.by_person) {
      const doubt = item.checked ? "checked" : `doubt ${percent(item.doubt)}`;
      const guess = item.suggested?.length ? `model: ${project.namesOf(item.suggested)}, ` : "";
      return card(item, project, { predicted: false, note: guess + doubt });
    }
    const said = Object.entries(item.by_person).map(([person, ids]) => `${person}: ${project.namesOf(ids)}`);
    return card(item, project, { predicted: false, note: said.join(" · ") });
  }

  function give(id) {
    const classesOf = project.multilabel ? (item) => (item.label.includes(id) ? item.label.filter((one) => one !== id) : [...item.label, id].sort((a, b) => a - b)) : () => [id];
    write(classesOf);
  }

  /** The label stays; the answer says that a person has checked it. */
  const keep = () => write((item) => item.label);

  function write(classesOf) {
    const chosen = wall.chosen.filter((item) => isLabelled(item) || item.by_person);
    for (const item of chosen) item.checked = true;
    if (!batches.label(chosen, classesOf, shownAt)) return;
    wall.selectNone();
    wall.goAfter(chosen);
  }

  function drawEmpty() {
    byId("keep").disabled = wall.total === 0;
    if (wall.total) return showWall();
    const [heading, text] = conflicts()
      ? ["No conflicts", "All people who labelled the same image agree."]
      : project.data.model
        ? ["No doubtful labels", "The model agrees with all labels that it could check."]
        : ["There is no model yet", "Labels are checked as soon as there is a model: label some images of each class first."];
    showInstead(h("h2", { textContent: heading }), h("p", { textContent: text }), h("a", { href: "/label", className: "button", textContent: "Label images" }));
  }

  wall.addEventListener("load", ({ detail }) => {
    shownAt = Date.now() / 1000;
    items = detail.all ?? items;
    byId("facts").textContent = detail.facts ?? (wall.total ? `${many(wall.total, "image")} with different labels. A class key gives the right one; Enter keeps the one that is shown.` : "");
    drawEmpty();
  });
  wall.addEventListener("open", (event) => look(event.detail, project));
  wall.addEventListener("fail", (event) => showFailure(event.detail, wall));
  byId("what").addEventListener("change", () => wall.reload());
  byId("what-field").hidden = !project.data.users;

  keys
    .action({ id: "move", keys: [], shown: ["Arrows"], label: "Move; with Shift: select", group: "Select" })
    .action({ id: "toggle", keys: [" "], label: "Select or leave out one image", run: () => {}, group: "Select" })
    .action({ id: "all", keys: ["Ctrl+a"], label: "Select all", run: () => wall.selectAll(), group: "Select" })
    .action({ id: "look", keys: ["l"], label: "Show the image large; also a double click", run: () => wall.item(wall.active) && look(wall.item(wall.active), project), group: "Select" })
    .action({ id: "keep", keys: ["Enter"], label: "The label is right", run: keep, group: "Answer" })
    .action({ id: "undo", keys: ["z", "Ctrl+z", "Backspace"], label: "Undo", run: () => batches.undo(), group: "Answer" });
  byId("keep").addEventListener("click", (event) => (keep(), event.detail && byId("wall").focus()));
  byId("undo").addEventListener("click", () => batches.undo());

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
