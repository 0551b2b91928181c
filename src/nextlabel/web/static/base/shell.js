// The frame of every view: names, links, what is saved, what runs in the background, what is wrong.

import { toast } from "./announce.js";
import { byId, h } from "./dom.js";
import { Keys } from "./keys.js";
import { many, percent } from "./numbers.js";
import { Outbox } from "./outbox.js";
import { project } from "./project.js";

const LONGEST = 32; // letters of a message that fits into the bar
const VIEWS = [
  ["label", "Label"],
  ["grid", "Grid"],
  ["gallery", "Gallery"],
  ["map", "Map"],
  ["review", "Review"],
  ["progress", "Progress"],
  ["settings", "Settings"],
];

/**
 * Start a view: load the project, then run `main({project, outbox, keys})`.
 *
 * While the project cannot be loaded nothing can be answered: `main` does not run, and the page offers to
 * try again.
 */
export async function start(title, main) {
  drawViews();
  const keys = new Keys(`Keys: ${title}`);
  byId("help-button").addEventListener("click", () => keys.help());
  try {
    await project.start();
  } catch (error) {
    showFailure(error);
    return;
  }
  const outbox = new Outbox(project.data.id ?? project.data.folder, project.data.person);
  project.addEventListener("change", drawProject);
  outbox.addEventListener("change", () => drawSaving(outbox));
  outbox.addEventListener("saved", (event) => project.count(event.detail.counts));
  drawProject();
  drawSaving(outbox);
  const running = main({ project, outbox, keys });
  keys.action({ id: "help", keys: ["?"], label: "Show these keys", run: () => keys.help(), group: "Page" });
  keys.draw();
  await running;
}

function drawViews() {
  const here = document.body.dataset.view;
  byId("views").replaceChildren(
    ...VIEWS.map(([view, name]) => h("a", { href: `/${view}`, textContent: name, ...(view === here ? { aria: { current: "page" } } : {}) })),
  );
  byId("views").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}

let space; // of the last model

/** Say that the model uses other features from now on. */
function saySpace() {
  const now = project.data.model?.space;
  if (space && now && now !== space) toast(`The model and the queue now use ${now}.`);
  space = now ?? space;
}

function drawProject() {
  saySpace();
  byId("project-name").textContent = project.data.name;
  const view = VIEWS.find(([name]) => name === document.body.dataset.view)?.[1] ?? "";
  document.title = `${view} – ${project.data.name}`;
  const activity = byId("activity");
  const failed = project.data.activities?.find((one) => one.state === "failed");
  const running = project.data.activities?.find((one) => one.state === "running" && one.total > 0);
  const shown = failed ?? running;
  activity.hidden = !shown;
  activity.classList.toggle("failed", Boolean(failed));
  if (!shown) return;
  const text = failed ? `${failed.name}: failed` : `${running.message && running.message.length <= LONGEST ? running.message : running.name}: ${percent(running.done / running.total)}`;
  if (activity.textContent !== text) activity.textContent = text;
  activity.title = shown.message || text;
}

function drawSaving(outbox) {
  const saving = byId("saving");
  const waits = outbox.size;
  const state = outbox.problem && waits ? "offline" : waits ? "sending" : "saved";
  const text = { offline: `Not saved: ${waits}`, sending: "Saving", saved: "Saved" }[state];
  if (saving.dataset.state !== state || state === "offline") {
    saving.dataset.state = state;
    saving.textContent = text;
  }
  drawBanner(outbox, state);
}

function drawBanner(outbox, state) {
  const banner = byId("banner");
  const refused = outbox.refused;
  const parts = [];
  if (state === "offline") {
    parts.push(
      h("span", { textContent: `${outbox.problem.message} ${many(outbox.size, "answer is kept", "answers are kept")} in this browser and sent as soon as possible. You can continue.` }),
      h("button", { type: "button", textContent: "Send now", on: { click: () => outbox.retry() } }),
    );
  } else if (outbox.problem) {
    parts.push(h("span", { textContent: outbox.problem.message }));
  } else if (refused.length) {
    parts.push(
      h("span", { textContent: `${many(refused.length, "answer was", "answers were")} refused: ${refused[0].refused.message}` }),
      h("button", { type: "button", textContent: "Try again", on: { click: () => outbox.retry({ again: true }) } }),
      h("button", { type: "button", textContent: "Discard", on: { click: () => outbox.discardRefused() } }),
    );
  }
  const text = parts.map((part) => part.textContent).join();
  if (banner.dataset.text === text) return;
  banner.dataset.text = text;
  banner.hidden = !parts.length;
  banner.replaceChildren(...parts);
}

/** Put a failure in place of the view, with a button that tries again. */
export function showFailure(error) {
  byId("main").replaceChildren(
    h(
      "div",
      { className: "empty" },
      h("h1", { textContent: "The project cannot be loaded" }),
      h("p", { textContent: error.message }),
      h("p", { className: "faint", textContent: "Nothing can be answered until it is loaded; answers that are not sent yet stay in this browser." }),
      h("button", { type: "button", className: "primary", textContent: "Try again", on: { click: () => location.reload() } }),
    ),
  );
}
