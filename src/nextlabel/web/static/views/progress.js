// Progress: what is labelled, how good the model is, what further labels bring, and exports.

import { toast } from "../base/announce.js";
import { get } from "../base/api.js";
import { byId, h } from "../base/dom.js";
import { count, interval, many, percent, tooEarly } from "../base/numbers.js";
import { start } from "../base/shell.js";
import { curve, curveTable } from "../progress/chart.js";
import { classTable, table } from "../progress/tables.js";

const EVERY = 5000; // milliseconds
const FIRST_MINUTE = 1; // minutes at work before a speed is shown
const FEWEST = 10; // labels before a speed is shown
const FORMATS = { csv: "CSV", jsonl: "JSON lines", parquet: "Parquet", label_studio: "Label Studio", npz: "NumPy", class_folders: "Folders by class", answers: "Log of answers" };

const WORK = { scan: "Folder read", trainer: "Model trained", space: "Images described quickly", features: "Images described well", map: "Map", strategy: "Choice of images" };
const ORDER = Object.keys(WORK);

start("Progress", async ({ project }) => {
  let drawn = "";
  let listed = "";

  async function load() {
    let progress;
    try {
      progress = await get("/api/progress");
    } catch (error) {
      byId("accuracy-text").textContent = error.message;
      return;
    }
    const signature = JSON.stringify(progress);
    if (signature === drawn) return;
    drawn = signature;
    drawHint(progress.hint);
    drawFigures(progress);
    drawAccuracy(progress);
    byId("commands").textContent = (progress.commands ?? []).join("\n");
    byId("class-table").replaceChildren(progress.classes?.length ? classTable(progress.classes, project) : h("p", { className: "faint", textContent: "No class yet." }));
    const people = progress.people ?? [];
    byId("people-section").hidden = people.length < 2;
    byId("people-table").replaceChildren(table(["Person", "Labelled"], people.map((one) => [one.name, count(one.labelled)])));
    if (project.data.users) drawAgreement();
  }

  function drawHint(hint) {
    byId("hint").hidden = !hint?.text;
    if (!hint?.text) return;
    byId("hint").classList.toggle("stop", Boolean(hint.stop));
    const text = `${hint.text[0].toUpperCase()}${hint.text.slice(1)}${hint.text.endsWith(".") ? "" : "."}`;
    if (byId("hint").textContent !== text) byId("hint").textContent = text;
  }

  function drawFigures({ counts, per_hour, minutes, audit, expected }) {
    const figures = [
      [count(counts.labelled), "labelled", `of ${many(counts.images, "image")}`],
      per_hour && minutes >= FIRST_MINUTE && counts.labelled >= FEWEST
        ? [count(Math.round(per_hour)), "images per hour", `${many(Math.round(minutes), "minute")} at work, without pauses`]
        : ["–", "images per hour", "too early to say"],
      [count(counts.skipped + counts.unsure), "skipped or unsure", counts.flagged ? `${count(counts.flagged)} flagged` : "none is flagged"],
    ];
    if (expected) {
      const gain = 100 * expected.gain;
      const span = expected.low === undefined || expected.low === null ? "points of accuracy" : `points of accuracy (${(100 * expected.low).toFixed(1)} to ${(100 * expected.high).toFixed(1)})`;
      figures.push([`${gain >= 0 ? "+" : "−"}${Math.abs(gain).toFixed(1)}`, `expected of the next ${expected.next}`, span]);
    }
    if (audit) figures.push([count(audit.answered), "random images answered", `${percent(audit.share)} of what is asked is drawn at random; those with a label estimate the accuracy`]);
    if (counts.problems) figures.push([count(counts.problems), "cannot be shown", "damaged or empty files"]);
    byId("figures").replaceChildren(...figures.map(([value, name, more]) => h("li", {}, h("strong", { textContent: value }), h("span", { textContent: name }), h("small", { className: "faint", textContent: more }))));
  }

  function drawAccuracy({ curve: points = [], missing, audit }) {
    const shown = points.filter((point) => point.value !== null && point.value !== undefined);
    const last = shown[shown.length - 1];
    byId("accuracy-text").textContent = missing || !last
      ? `${tooEarly(missing)} ${audit?.share ? "Some of the images that are asked are drawn at random for this." : "None are asked at present: the settings say how many are."}`
      : `${percent(last.value)} of the images without a label are classified right, as estimated from ${many(last.audited, "labelled image")} drawn at random; the interval is ${interval(last.low, last.high)}.`;
    byId("curve").hidden = byId("curve-details").hidden = shown.length < 2;
    if (shown.length < 2) return;
    byId("curve").replaceChildren(curve(shown));
    byId("curve-table").replaceChildren(curveTable(shown));
  }

  async function drawAgreement() {
    const agreement = await get("/api/agreement").catch(() => null);
    if (!agreement?.images) return;
    const rows = agreement.pairs.map((pair) => [`${pair.a} and ${pair.b}`, count(pair.images), pair.kappa === null ? "–" : pair.kappa.toFixed(2)]);
    byId("people-section").hidden = false;
    byId("people-table").append(
      h("p", { textContent: `${many(agreement.images, "image has", "images have")} labels of several people${agreement.alpha === null ? "" : `; Krippendorff's alpha is ${agreement.alpha.toFixed(2)}`}.` }),
      table(["Two people", "Images", "Cohen's kappa"], rows),
    );
  }

  // A format whose package is missing is shown, but cannot be chosen; a line below says why.
  const download = (one) =>
    one.lack
      ? h("button", { type: "button", disabled: true, title: one.lack, textContent: FORMATS[one.name] ?? one.title })
      : h("a", { className: "button", href: `/api/export/${encodeURIComponent(one.name)}`, attributes: { download: "" }, textContent: FORMATS[one.name] ?? one.title });

  const again = (one) => h("button", { type: "button", textContent: "Try again", on: { click: () => project.again(one.name).catch((error) => toast(error.message)) } });

  function drawProject() {
    const rank = (one) => (ORDER.includes(one.name) ? ORDER.indexOf(one.name) : ORDER.length);
    const activities = [...(project.data.activities ?? [])].sort((a, b) => rank(a) - rank(b));
    const signature = JSON.stringify([activities, project.data.model]);
    if (signature === listed) return; // the focus stays
    listed = signature;
    byId("activities").replaceChildren(
      ...(activities.length
        ? activities.map((one) => {
            const name = WORK[one.name] ?? one.name;
            const part = one.state === "done" ? 1 : one.total ? one.done / one.total : null;
            const text = one.message || (one.state !== "running" ? one.state : part === null ? "at work with each answer" : percent(part));
            const bar = part === null ? h("span") : h("progress", { max: 1, value: part, aria: { label: name } });
            return h("li", { className: one.state }, h("span", { textContent: name }), bar, h("span", { className: "faint" }, h("span", { textContent: text }), one.again ? again(one) : null));
          })
        : [h("li", { className: "faint", textContent: "Nothing runs." })]),
    );
    const model = project.data.model;
    if (model) byId("activities").append(h("li", {}, h("span", { textContent: "Model" }), h("span", {}), h("span", { className: "faint", textContent: `version ${model.version}, from ${many(model.labelled, "label")} and ${model.space}; ${model.strategy} chooses the images` })));
    if (byId("exports").children.length) return;
    const lacks = (project.data.formats ?? []).map((one) => one.lack).filter(Boolean);
    byId("exports").replaceChildren(...(project.data.formats ?? []).map(download), ...lacks.map((text) => h("p", { className: "faint", textContent: `${text}.` })));
  }

  project.addEventListener("change", drawProject);
  drawProject();
  await load();
  setInterval(() => !document.hidden && load(), EVERY);
});
