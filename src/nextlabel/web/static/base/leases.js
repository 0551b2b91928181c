// The images that this page holds: asked from the server, leased to it for a while, given back.

import { get, post, sendLast } from "./api.js";
import { newKey } from "./new_key.js";

const CLOSED = "nextlabel.tab.closed"; // in the storage of the browser's tab: its last page that held images
const RENEWAL = 45_000; // milliseconds; a lease lasts 120 s
const MOST_HELD = 1500; // ids in a request

/** The name under which this page holds images. */
export const tab = newKey();
let closed = pageBefore();
let asked = false;

function pageBefore() {
  try {
    return sessionStorage.getItem(CLOSED) ?? "";
  } catch {
    return ""; // without storage the message at the end of the page must do
  }
}

/** Return images to ask and how many are left; `held`, the important ones first, are not among them. */
export async function nextImages(count, held) {
  asked = true;
  const reply = await get("/api/next", { count, held: held.slice(0, MOST_HELD).join(","), tab, closed });
  closed = "";
  return reply;
}

/** Give images back, so that others can be asked them. */
export async function giveBack(images) {
  if (images.length) await post("/api/release", { tab, images }).catch(() => {});
}

/** Keep the images that `held` returns, for as long as the page is in sight. */
export function keepLeased(held) {
  setInterval(() => {
    const images = held();
    if (images.length && !document.hidden) post("/api/leases", { tab, images }).catch(() => {});
  }, RENEWAL);
}

// Images that a request under way would still lease are free as well: the server leases nothing more to this
// name. The next page sends the name again with its first request, in case this message is lost or late.
addEventListener("pagehide", () => {
  if (!asked) return;
  sendLast("/api/release", { tab });
  try {
    sessionStorage.setItem(CLOSED, tab);
  } catch {}
});

// A page that the browser has kept and shows again has lost its images. One that never had any stays as it is.
addEventListener("pageshow", (event) => event.persisted && asked && location.reload());
