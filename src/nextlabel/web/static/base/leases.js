// The images that this page holds: asked from the server, leased to it for a while, given back.

import { get, post, sendLast } from "./api.js";
import { newKey } from "./identity.js";

const OPEN = "nextlabel.tab"; // in the storage of the browser's tab: the page that holds images
const CLOSED = "nextlabel.tab.closed"; // the last one that held some
const RENEWAL = 45_000; // milliseconds; a lease lasts 120 s
const MOST_HELD = 1500; // ids in a request

/** The name under which this page holds images. */
export let tab = newKey();
let closed = pageBefore();
let asked = false;

// The page that was here before holds nothing any more: it is closed, or the browser has crashed. A copy of
// a tab finds the name of a page that is still open, and must leave it alone.
function pageBefore() {
  const navigation = performance.getEntriesByType("navigation")[0]?.type;
  const returns = navigation === "reload" || navigation === "back_forward";
  try {
    return (returns && sessionStorage.getItem(OPEN)) || sessionStorage.getItem(CLOSED) || "";
  } catch {
    return "";
  }
}

function note(open, last) {
  try {
    sessionStorage.setItem(OPEN, open);
    sessionStorage.setItem(CLOSED, last);
  } catch {} // without storage the leases of a crashed page end by themselves
}

/** Return images to ask and how many are left; `held`, the important ones first, are not among them. */
export async function nextImages(count, held) {
  if (!asked) note(tab, closed);
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
// name. A page that the browser shows again gets another one.
addEventListener("pagehide", () => {
  if (!asked) return;
  sendLast("/api/release", { tab });
  [closed, tab, asked] = [tab, newKey(), false];
  note("", closed);
});
