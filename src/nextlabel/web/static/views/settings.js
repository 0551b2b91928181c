// Settings: classes, what is asked, import, people.

import { get, post, upload } from "../base/api.js";
import { announce, toast } from "../base/announce.js";
import { byId, h } from "../base/dom.js";
import { keyModeField } from "../base/key_mode.js";
import { many } from "../base/numbers.js";
import { start } from "../base/shell.js";
import { table } from "../progress/tables.js";
import { change, drawClassRows } from "../settings/classes.js";

const SHARES = [0, 0.05, 0.1, 0.2, 0.3, 0.5, 1];

start("Settings", async ({ project }) => {
  const owner = () => project.data.role === "owner";

  async function set(settings) {
    try {
      await post("/api/settings", settings);
      announce("Saved");
    } catch (error) {
      toast(error.message);
    }
    await project.refresh().catch(() => {});
  }

  function drawShare(select, value, none) {
    const shares = SHARES.includes(value) ? SHARES : [...SHARES, value].sort((a, b) => a - b);
    const text = (share) => (share === 0 ? none : share === 1 ? "all" : `${Math.round(100 * share)}%, one in ${Number((1 / share).toFixed(1))}`);
    select.replaceChildren(...shares.map((share) => h("option", { value: share, textContent: text(share), selected: share === value })));
  }

  let drawn = "";
  function draw() {
    const { settings, classes, role } = project.data;
    const signature = JSON.stringify([settings, classes, role]);
    if (signature === drawn || document.activeElement?.closest(".class-row")?.matches(":focus-within") && drawn && sameNames(drawn, signature)) return;
    drawn = signature;
    drawClassRows(byId("class-rows"), project, owner());
    const strategies = settings.strategies ?? [];
    byId("strategy").replaceChildren(...strategies.map((one) => h("option", { value: one.name, textContent: one.name === "default" ? "as recommended" : `${one.name}: ${one.evidence}`, selected: one.name === settings.strategy })));
    byId("evidence").textContent = strategies.find((one) => one.name === settings.strategy)?.evidence ?? "";
    drawShare(byId("audit"), settings.audit ?? 0.2, "none: no estimate");
    drawShare(byId("overlap"), settings.overlap ?? 0, "none");
    byId("overlap").closest(".field").hidden = !project.data.users;
    byId("predictions").checked = !settings.hide_predictions;
    for (const id of ["strategy", "audit", "overlap", "predictions"]) byId(id).disabled = !owner();
    byId("add").hidden = byId("import-section").hidden = !owner();
    byId("owners").hidden = owner();
    byId("people-section").hidden = !project.data.users || !owner();
    byId("logout").hidden = !project.data.users;
  }

  // Counts of labels change while a person edits a row; the row is not drawn again for that.
  function sameNames(a, b) {
    const plain = (text) => text.replace(/"labelled":\d+/g, "");
    return plain(a) === plain(b);
  }

  async function drawPeople() {
    if (!project.data.users || !owner()) return;
    const { people } = await get("/api/people");
    const role = (one) => h("select", { aria: { label: `Role of ${one.name}` }, on: { change: (event) => person({ name: one.name, role: event.target.value }) } }, ...["labeller", "owner"].map((name) => h("option", { value: name, textContent: name, selected: name === one.role })));
    const active = (one) => h("button", { type: "button", textContent: one.active ? "Lock" : "Unlock", on: { click: () => person({ name: one.name, active: !one.active }) } });
    byId("people-table").replaceChildren(table(["Name", "Role", ""], people.map((one) => [one.active ? one.name : `${one.name} (locked)`, role(one), active(one)])));
  }

  async function person(fields) {
    try {
      await post("/api/people", fields);
      await drawPeople();
      return true;
    } catch (error) {
      toast(error.message);
      return false;
    }
  }

  byId("add").addEventListener("submit", async (event) => {
    event.preventDefault();
    const value = byId("new-class").value.trim();
    if (value && (await change(project, { action: "add", value }))) byId("new-class").value = "";
    byId("new-class").focus();
  });
  byId("strategy").addEventListener("change", (event) => set({ strategy: event.target.value }));
  byId("audit").addEventListener("change", (event) => set({ audit: Number(event.target.value) }));
  byId("overlap").addEventListener("change", (event) => set({ overlap: Number(event.target.value) }));
  byId("predictions").addEventListener("change", (event) => set({ hide_predictions: !event.target.checked }));
  byId("import").addEventListener("submit", async (event) => {
    event.preventDefault();
    const [file] = byId("file").files;
    byId("imported").textContent = "Importing";
    byId("imported").className = "";
    try {
      const reply = await upload(`/api/import?name=${encodeURIComponent(file.name)}`, file);
      byId("imported").textContent = importedText(reply);
      await project.refresh();
    } catch (error) {
      byId("imported").textContent = error.message;
      byId("imported").className = "error";
    }
  });
  byId("person").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await person({ name: byId("person-name").value.trim(), password: byId("person-password").value, role: byId("person-role").value })) event.target.reset();
  });
  byId("logout").addEventListener("click", async () => {
    await post("/logout").catch(() => {});
    location.assign("/login");
  });

  byId("keys").replaceChildren(keyModeField("key-mode"));
  project.addEventListener("change", draw);
  draw();
  await drawPeople().catch((error) => toast(error.message));
});

function importedText({ taken, unchanged, kept, classes_added: added, unmatched, unmatched_count: lost }) {
  const [missing] = unmatched;
  return [
    `${many(taken, "label")} imported${unchanged ? `; ${many(unchanged, "was", "were")} here already` : ""}.`,
    kept && `${many(kept, "image keeps", "images keep")} another label, which you gave here.`,
    added.length && `New classes: ${added.join(", ")}.`,
    missing !== undefined && `${many(lost, "path is", "paths are")} not in the folder, such as ${missing}.`,
  ]
    .filter(Boolean)
    .join(" ");
}
