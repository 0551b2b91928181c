// Requests to the server: JSON in, JSON out, one class of error.

const PATIENCE = 60_000; // milliseconds; a server that is gone is noticed at once, this is for a slow one

/** A request that failed. `code` is "offline" when no answer came, else the server's code. */
export class ApiError extends Error {
  constructor(code, message, status = 0) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE), ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("offline", "The server does not answer. Is `nextlabel label` still running?");
  }
  const body = await response.json().catch(() => null);
  if (response.ok) {
    if (body === null) throw new ApiError("bad-answer", "The server answered with something other than JSON.", response.status);
    return body;
  }
  const error = new ApiError(
    body?.error?.code ?? `http-${response.status}`,
    body?.error?.message ?? `The server answered ${response.status} to ${path.split("?")[0]}.`,
    response.status,
  );
  if (response.status === 401 && document.body.dataset.view !== "login") {
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
  throw error;
}

/** Return the JSON of `path`; `query` is an object whose empty values are left out. */
export function get(path, query = {}, { signal } = {}) {
  const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== ""));
  return request(text.size ? `${path}?${text}` : path, signal ? { signal } : {});
}

/** Post `body` as JSON and return the JSON of the reply. */
export function post(path, body = {}) {
  return request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

/** Post a file as it is. */
export function upload(path, file) {
  return request(path, { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file, signal: undefined });
}

/** Send `body` while the page closes; no reply is waited for. */
export function sendLast(path, body) {
  navigator.sendBeacon?.(path, new Blob([JSON.stringify(body)], { type: "application/json" }));
}
