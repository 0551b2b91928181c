// Log in with name and password.

import { post } from "../base/api.js";
import { byId } from "../base/dom.js";

byId("login")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  byId("error").textContent = "";
  try {
    await post("/login", { name: byId("name").value, password: byId("password").value });
    location.assign(destination());
  } catch (error) {
    byId("error").textContent = error.message;
    byId("password").select();
  }
});

/** Return the page that asked for the log-in; an address of another server is not used. */
function destination() {
  const next = new URLSearchParams(location.search).get("next") ?? "/";
  const address = new URL(next, location.origin);
  return address.origin === location.origin ? address.pathname + address.search : "/";
}
