"""Security of the page: everything that decides whether a request is answered is in this file.

A request passes these checks, in this order:

1. Its Host header names this server. A web page whose name was made to lead to this machine (DNS
   rebinding) sends its own name, and is refused.
2. If it writes, it comes from this page: its Origin, or else Sec-Fetch-Site, says so.
3. Its body has a length, and is not too long.
4. It has a session: the cookie of a person, or the token of the address that the command printed.
   The token becomes a cookie at once, so that it stays out of the browser's history. It counts on
   this machine only. Only the paths of `OPEN` and `OPEN_FOLDER` need no session.

Every response forbids inline scripts, foreign content, frames, type sniffing and referrers.
"""

import hmac
from collections.abc import MutableMapping
from dataclasses import dataclass
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response

from nextlabel.project.people.people import Person
from nextlabel.web.attempts import Attempts
from nextlabel.web.errors import refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

OPEN, OPEN_FOLDER = "/login", "/static/"
"""Paths without a session: the form for logging in, and files that are part of nextlabel."""
LONG = ("/api/import",)
"""Paths that take long bodies."""
LONGEST, LONGEST_IMPORT = 4 * 2**20, 256 * 2**20
"""Bytes of a body, and of one on a path in `LONG`."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
        "img-src 'self' blob: data:; connect-src 'self'; manifest-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Headers of every response; a route may set another Cache-Control."""
WRONG_TOKEN = (
    "the token is not that of this server, or is used from another machine; open the address that "
    "nextlabel printed"
)
READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Sessions(Protocol):
    """Sessions of people with passwords; only digests of their secrets are stored."""

    def person(self, secret: str) -> Person | None:
        """Return the person of a session, None when there is no such session."""
        ...

    def begin(self, name: str, password: str) -> str | None:
        """Return the secret of a new session; None when the password is not that of the name."""
        ...

    def end(self, secret: str) -> None:
        """End a session."""
        ...


@dataclass(frozen=True)
class Access:
    """The rules of one server.

    Parameters
    ----------
    token : str
        The secret of the address that the command printed.
    cookie : str
        The name of the cookie, different for each project, since cookies ignore ports.
    owner : Person
        The person who has the token.
    names : frozenset of str
        Names under which the server is reached; addresses of machines are taken in any case.
    sessions : Sessions, optional
        The sessions of people with passwords; None when the token alone counts.
    """

    token: str
    cookie: str
    owner: Person
    names: frozenset[str] = frozenset({"localhost"})
    sessions: Sessions | None = None

    @property
    def owner_secret(self) -> str:
        """The cookie of the owner; it stays the same as long as the token does."""
        return hmac.new(self.token.encode(), b"session", sha256).hexdigest()

    def is_token(self, text: str) -> bool:
        """Return whether a text is the token."""
        return hmac.compare_digest(text.encode(), self.token.encode())

    async def person(self, secret: str | None) -> Person | None:
        """Return the person of a cookie's value; the database is read in a thread."""
        if not secret:
            return None
        if hmac.compare_digest(secret.encode(), self.owner_secret.encode()):
            return self.owner
        if self.sessions is None:
            return None
        return await run_in_threadpool(self.sessions.person, secret)

    def is_this_server(self, host: str) -> bool:
        """Return whether a Host header names this server: an address, or one of `names`."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
            _ = urlsplit(f"//{host}").port
        except ValueError:
            return False
        if name in self.names:
            return True
        try:
            ip_address(name)
        except ValueError:
            return False
        return True

    def keep(self, response: Response, secret: str, secure: bool) -> None:
        """Put a session into the cookie of a response; scripts cannot read it."""
        response.set_cookie(
            self.cookie,
            secret,
            max_age=180 * 86400,
            httponly=True,
            samesite="strict",
            secure=secure,
        )


class Guard:
    """Middleware that lets a request pass, or answers it; `scope["state"]["person"]` is the person.

    Parameters
    ----------
    app : ASGI application
        The page.
    access : Access
        The rules.
    """

    def __init__(self, app: "ASGIApp", access: Access) -> None:
        self.app, self.access, self.attempts = app, access, Attempts(10)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer a request; connections other than HTTP are closed."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            answer = await self._checked(scope) or self.app
            await answer(scope, receive, _with_headers(send))
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _checked(self, scope: "Scope") -> Response | None:
        """Return the response of a request that does not pass."""
        headers, path = Headers(scope=scope), str(scope["path"])
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not self.access.is_this_server(host):
            return refusal(403, "host-unknown", f"{host!r} is not a name of this server")
        if scope["method"] not in READS:
            if not _is_same_site(headers, host):
                return refusal(403, "cross-site", "this request comes from another site")
            if (response := _check_length(headers, path)) is not None:
                return response
        elif (token := _query(scope).get("token")) is not None:
            return self._token_to_cookie(scope, token)
        person = await self.access.person(_cookie(headers, self.access.cookie))
        scope.setdefault("state", {})["person"] = person
        if person is not None or path == OPEN or path.startswith(OPEN_FOLDER):
            return None
        if path.startswith("/api/") or not _is_for_eyes(headers):
            return refusal(401, "no-session", "open the address that nextlabel printed, or log in")
        return RedirectResponse(f"/login?next={quote(path)}", 303)

    def _token_to_cookie(self, scope: "Scope", token: str) -> Response:
        source = [client_of(scope)]
        if (seconds := self.attempts.wait(source)) > 0:
            return too_many(seconds)
        if not is_local(scope) or not self.access.is_token(token):
            self.attempts.failed(source)
            if _is_for_eyes(Headers(scope=scope)):
                return RedirectResponse("/login", 303)
            return refusal(401, "token-unknown", WRONG_TOKEN)
        rest = urlencode([(k, v) for k, v in _query(scope).items() if k != "token"])
        path = "/" + str(scope["path"]).lstrip("/\\")  # two slashes would lead to another server
        response = RedirectResponse(quote(path) + (f"?{rest}" if rest else ""), 303)
        self.access.keep(response, self.access.owner_secret, scope["scheme"] == "https")
        return response


def too_many(seconds: float) -> Response:
    """Return the response to an attempt that comes too early."""
    response = refusal(429, "too-many-attempts", f"wait {seconds:.0f} s, then try again")
    response.headers["Retry-After"] = str(int(seconds) + 1)
    return response


def client_of(scope: MutableMapping[str, Any]) -> str:
    """Return the address that a request comes from."""
    return str((scope.get("client") or ("",))[0])


def is_local(scope: MutableMapping[str, Any]) -> bool:
    """Return whether a request comes from this machine."""
    try:
        return ip_address(client_of(scope)).is_loopback
    except ValueError:
        return False


def _is_same_site(headers: Headers, host: str) -> bool:
    origin = headers.get("origin")
    if origin is not None:
        return origin in (f"http://{host}", f"https://{host}")
    return headers.get("sec-fetch-site") == "same-origin"


def _is_for_eyes(headers: Headers) -> bool:
    """Return whether a person opens an address, who reads a page and not JSON."""
    asks_for_page = headers.get("sec-fetch-mode") == "navigate"
    return asks_for_page or "text/html" in headers.get("accept", "")


def _check_length(headers: Headers, path: str) -> Response | None:
    text = headers.get("content-length", "")
    if "transfer-encoding" in headers or not text.isdecimal():
        return refusal(411, "length-missing", "the body needs a Content-Length")
    most = LONGEST_IMPORT if path in LONG else LONGEST
    if int(text) > most:
        return refusal(413, "body-too-long", f"{text} bytes exceed the limit of {most}")
    return None


def _query(scope: "Scope") -> dict[str, str]:
    return dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))


def _cookie(headers: Headers, name: str) -> str | None:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return None if morsel is None else morsel.value


def _with_headers(send: "Send") -> "Send":
    async def sending(message: "Message") -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
