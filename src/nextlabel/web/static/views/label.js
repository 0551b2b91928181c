// One image: a key labels it, saves and shows the next.

import { get } from "../base/api.js";
import { announce, toast } from "../base/announce.js";
import { askText } from "../base/dialog.js";
import { byId } from "../base/dom.js";
import { count } from "../base/numbers.js";
import { start } from "../base/shell.js";
import { Adjust } from "../image/adjust.js";
import { Pixels } from "../image/pixels.js";
import { View } from "../image/view.js";
import { Viewer } from "../image/viewer.js";
import { connectZoom } from "../image/zoom.js";
import { drawButtons } from "../label/actions.js";
import { drawClasses, drawCounts, markClasses } from "../label/classes.js";
import * as empty from "../label/empty.js";
import { addClass } from "../label/new_class.js";
import { Queue } from "../label/queue.js";
import { drawRecent, stateText } from "../label/recent.js";
import { Session } from "../label/session.js";
import { drawCaption, drawNotice, drawSave, drawTally } from "../label/texts.js";
import { drawWhy } from "../label/why.js";

const HISTORY = 100; // events that are loaded at a time
const BEHIND = 6; // pictures of passed images that stay decoded
const PAUSE = 1500; // milliseconds until a picture that did not arrive is asked again

start("Label", async ({ project, outbox, keys }) => {
  const view = new View();
  const pixels = new Pixels(view);
  const viewer = new Viewer(byId("stage"));
  const adjust = new Adjust(byId("adjust"), view);
  const queue = new Queue(
    () => new Set([...outbox.images, ...session.past.slice(-50).map((item) => item.image)]),
    () => outbox.size,
  );
  const session = new Session(queue, (event) => outbox.add(event));
  let shown = null; // {image, at}: the picture on the screen, and since when
  let toggled = []; // classes of a multi-label image, before they are saved
  let finishing = 0;
  let retrying = 0;

  // ---- the picture

  function render() {
    const item = session.current;
    if (item && shown?.image !== item.image) toggled = [...(item.label ?? [])];
    if (!item) return renderNothing();
    if (item.problem) put(item, () => viewer.clear(empty.damaged(item, keys)));
    else {
      const record = pixels.get(item);
      if (record.ready) put(item, () => viewer.show(record.picture, { keep: shown?.image === item.image }));
      else if (record.failed) {
        put(null, () => viewer.clear(empty.lost({ message: `${item.name} did not arrive.` }, () => retry(item))));
        clearTimeout(retrying);
        retrying = setTimeout(() => retry(item), PAUSE);
      } else {
        put(null, () => viewer.clear(empty.loading()));
        record.promise.then(() => session.current === item && render());
      }
    }
    viewer.filter(view.filter);
    markClasses(byId("classes"), project.multilabel ? toggled : (item.label ?? []), item.predicted);
    // All that is not needed to answer comes after the picture is painted.
    cancelAnimationFrame(finishing);
    finishing = requestAnimationFrame(() => setTimeout(finish));
  }

  function put(item, draw) {
    draw();
    const image = item?.image ?? null;
    if (shown?.image !== image) shown = item ? { image, at: Date.now() / 1000 } : null;
    if (item) document.dispatchEvent(new CustomEvent("nextlabel:shown", { detail: { image } }));
  }

  function renderNothing() {
    shown = null;
    viewer.clear(empty.withoutImage(queue, outbox, project.data));
    markClasses(byId("classes"), [], null);
    finish();
  }

  async function retry(item) {
    if (session.current !== item) return;
    await pixels.retry(item);
    if (session.current === item) render();
  }

  function finish() {
    const item = session.current;
    const behind = session.past.slice(-BEHIND - session.back, session.past.length);
    pixels.keep([...(item ? [item] : []), ...queue.ahead.slice(0, queue.depth), ...behind.reverse()]);
    if (item) queue.fill(); // its size, now known, decides how many to hold
    drawCaption(item);
    drawNotice(item, session, project, toQueue);
    drawRecent(byId("recent"), session, project, (image) => (session.goTo(image), render(), byId("stage").focus()));
    drawActions(item);
    drawTally(project.data);
    adjust.show(item);
    if (byId("why").open && item) drawWhy(byId("why-body"), item, project);
  }

  function drawActions(item) {
    const off = !item || shown?.image !== item.image;
    const buttons = [
      ["skip", "Skip", off, () => give("skip")],
      ["unsure", "Unsure", off, () => give("unsure")],
      ["flag", item?.flagged ? "Unflag" : "Flag", !item, flag],
      ["note", "Note", !item, note],
      ["undo", "Undo", !session.canUndo, undo],
      ["redo", "Redo", !session.canRedo, redo],
      ["back", "Back", !session.canGoBack, back],
      ["forward", "Forward", !session.back, forward],
    ];
    drawButtons(byId("actions"), buttons, keys);
  }

  // ---- answers

  /** May the current image be answered? Only what is on the screen may. */
  function ready() {
    if (shown && shown.image === session.current?.image) return true;
    announce(session.current ? "Wait until the image is shown." : "There is no image to answer.");
    return false;
  }

  function give(kind, classes = []) {
    if (!ready()) return;
    const item = session.current;
    if (kind === "label" && item.problem) return toast("An image that cannot be shown has no label. Skip or flag it.");
    const corrects = session.back > 0;
    const before = item.label ?? [];
    session.answer(kind, { classes, shown_at: shown.at, model: item.model, position: item.position, view: "one" });
    if (kind === "label" && !corrects) project.data.counts.labelled += 1;
    recount(before, item.label ?? []);
    render();
    const text = kind === "label" ? project.namesOf(classes) : kind === "skip" ? "Skipped" : "Unsure";
    announce(`${text}. ${corrects ? "Corrected." : `${count(project.data.counts.labelled)} labelled.`}`);
  }

  function recount(before, after) {
    project.recount(before, after);
    drawCounts(byId("classes"), project);
  }

  function giveClass(id, event) {
    if (!project.multilabel) give("label", [id]);
    else if (ready()) {
      toggled = toggled.includes(id) ? toggled.filter((one) => one !== id) : [...toggled, id];
      markClasses(byId("classes"), toggled, session.current.predicted);
      announce(`${project.nameOf(id)} ${toggled.includes(id) ? "on" : "off"}`);
      drawSave(project, toggled);
    }
    if (event?.detail) byId("stage").focus({ preventScroll: true });
  }

  function save() {
    if (project.multilabel) give("label", [...toggled].sort((a, b) => a - b));
    drawSave(project, toggled);
  }

  function flag() {
    const item = session.current;
    if (!item) return;
    const key = session.keyOf("flag");
    if (item.flagged && key) session.undo(key);
    else if (!item.flagged) session.remark("flag", { model: item.model, position: item.position, view: "one" });
    announce(item.flagged ? "Flagged" : "Flag removed");
    render();
  }

  async function note() {
    const item = session.current;
    if (!item) return;
    const text = await askText("Note", `For ${item.name}`, { value: item.note ?? "", long: true });
    if (text === null || session.current !== item) return;
    session.remark("note", { note: text, model: item.model, position: item.position, view: "one" });
    render();
    byId("stage").focus();
  }

  function undo() {
    const event = session.undo();
    if (!event) return announce("Nothing to undo.");
    if (event.kind === "label") project.data.counts.labelled = Math.max(0, project.data.counts.labelled - 1);
    if (event.kind === "label") recount(event.classes, session.labelOf(event.image));
    render();
    announce(`Undone: ${event.kind === "label" ? project.namesOf(event.classes) : event.kind}.`);
    if (session.depth < 10) loadHistory();
  }

  function redo() {
    const before = session.labelOf(session.undone?.image);
    const event = session.redo();
    if (!event) return announce("Nothing to redo.");
    if (event.kind === "label") project.data.counts.labelled += 1;
    if (event.kind === "label") recount(before, event.classes);
    render();
    announce("Done again.");
  }

  function back() {
    if (!session.canGoBack) return announce("This is the first image.");
    session.goBack();
    render();
    announce(`Earlier image: ${stateText(session.current, project)}`);
  }

  function toQueue() {
    session.back = 0;
    render();
  }

  function forward() {
    if (!session.back) return;
    session.goForward();
    render();
  }

  async function loadHistory() {
    const reply = await get("/api/history", { limit: HISTORY }).catch(() => null);
    if (!reply) return;
    const waiting = outbox.waiting.map((event) => event.undoes).filter(Boolean);
    session.load(reply.items.filter((event) => !waiting.includes(event.key)));
    finish();
  }

  // ---- keys and buttons

  keys
    .action({ id: "save", keys: ["Enter"], label: project.multilabel ? "Save and next" : undefined, run: save, group: "Answer" })
    .action({ id: "skip", keys: ["s"], label: "Skip: leave it without a label", run: () => give("skip"), group: "Answer" })
    .action({ id: "unsure", keys: ["u"], label: "Unsure", run: () => give("unsure"), group: "Answer" })
    .action({ id: "flag", keys: ["f"], label: "Flag, or take the flag away", run: flag, group: "Answer" })
    .action({ id: "note", keys: ["n"], label: "Write a note", run: note, group: "Answer" })
    .action({ id: "undo", keys: ["z", "Ctrl+z", "Backspace"], label: "Undo, as often as you like", run: undo, repeats: true, group: "Go back" })
    .action({ id: "redo", keys: ["Shift+z", "Ctrl+Shift+z", "Ctrl+y"], label: "Redo", run: redo, repeats: true, group: "Go back" })
    .action({ id: "back", keys: ["ArrowLeft"], label: "Earlier image; a class key corrects it", run: back, repeats: true, group: "Go back" })
    .action({ id: "forward", keys: ["ArrowRight"], label: "Later image", run: forward, repeats: true, group: "Go back" })
    .action({ id: "now", keys: ["End"], label: "To the queue", run: toQueue, group: "Go back" });
  connectZoom(viewer, keys);
  keys
    .action({ id: "adjust", keys: ["b"], label: "Brightness, contrast, channels", run: () => (byId("adjust").open = !byId("adjust").open), group: "Look" })
    .action({ id: "why", keys: ["w"], label: "Why this image", run: () => (byId("why").open = !byId("why").open), group: "Look" });

  byId("save").addEventListener("click", save);
  byId("add-class").addEventListener("click", () => addClass(project));
  byId("adjust").addEventListener("toggle", () => adjust.show(session.current));
  byId("why").addEventListener("toggle", async () => {
    if (!byId("why").open || !session.current) return;
    await drawWhy(byId("why-body"), session.current, project);
    byId("why").scrollIntoView({ block: "nearest" });
  });
  view.addEventListener("change", () => {
    viewer.filter(view.filter);
    if (session.current && pixels.get(session.current).picture !== byId("stage").firstChild) redraw(session.current);
  });

  /** The same image under another window or other channels: the old picture stays until the new one is there. */
  async function redraw(item) {
    const record = pixels.get(item);
    await record.promise;
    if (session.current !== item || record !== pixels.get(item)) return;
    if (record.ready) render();
    else toast("The server cannot show the image like this; Reset shows it as before.");
  }

  let drawnClasses = "";
  function drawProject() {
    const signature = JSON.stringify(project.data.classes.map((one) => ({ ...one, labelled: 0 }))); // with new counts the buttons stay
    if (signature !== drawnClasses) {
      drawnClasses = signature;
      drawClasses(byId("classes"), project, giveClass);
      if (!project.classes.length) byId("classes").append(empty.noClasses(() => addClass(project)));
      keys.classes(project.classes, giveClass);
      if (session.current) markClasses(byId("classes"), project.multilabel ? toggled : (session.current.label ?? []), session.current.predicted);
    }
    drawCounts(byId("classes"), project);
    byId("add-class").hidden = project.data.role !== "owner";
    drawActions(session.current);
    drawTally(project.data);
    drawSave(project, toggled);
    queue.renew(project.data.model?.version);
    if (!session.current) render();
  }

  queue.addEventListener("change", () => {
    if (!session.current || shown?.image !== session.current.image) render();
    else pixels.keep([session.current, ...queue.ahead.slice(0, queue.depth), ...session.past.slice(-BEHIND)]);
  });
  outbox.addEventListener("saved", (event) => {
    queue.renew(event.detail.model);
    if (!queue.head) queue.fill(); // is anything left, now that the server has these answers?
  });
  project.addEventListener("change", drawProject);
  drawProject();
  render();
  byId("stage").focus({ preventScroll: true });
  await Promise.all([queue.fill(), loadHistory()]);
});
