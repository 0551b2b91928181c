// The dialog that adds a class.

import { post } from "../base/api.js";
import { toast } from "../base/announce.js";
import { askText } from "../base/dialog.js";
import { byId } from "../base/dom.js";
import { newKey } from "../base/new_key.js";

/** Ask for a name and add it to the classes of the project. */
export async function addClass(project) {
  const name = await askText("Add a class", "Name", { save: "Add" });
  if (!name) return;
  try {
    await post("/api/classes", { action: "add", value: name, key: newKey() });
    await project.refresh();
  } catch (error) {
    toast(error.message);
  }
  byId("stage").focus();
}
