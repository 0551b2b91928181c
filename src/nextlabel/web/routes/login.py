"""Log-in: by name and password, or by the token that the command printed."""

import json
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from nextlabel.web.attempts import Attempts
from nextlabel.web.errors import HttpRefusal, refusal
from nextlabel.web.security import Access, client_of, is_local, too_many

router = APIRouter()


@router.post("/login", response_class=JSONResponse)
async def log_in(request: Request) -> Response:
    """Begin a session. The body has name and password, or token, as JSON or as a form."""
    fields = await _fields(request)
    access: Access = request.app.state.access
    attempts: Attempts = request.app.state.attempts
    sources = [client_of(request.scope)]
    if "name" in fields:
        sources.append(f"name {fields['name'][:200]}")
    async with request.app.state.one_log_in:  # a hash takes much memory, and failures must count
        if (seconds := attempts.wait(sources)) > 0:
            return too_many(seconds)
        secret = await run_in_threadpool(_secret, access, fields, is_local(request.scope))
        if secret is None:
            attempts.failed(sources)
            return refusal(401, "wrong-password", "name and password, or the token, do not fit")
    response = _answer(request, fields.get("next", "/"))
    access.keep(response, secret, request.url.scheme == "https")
    return response


@router.post("/logout", response_class=JSONResponse)
def log_out(request: Request) -> Response:
    """End the session of this browser."""
    access: Access = request.app.state.access
    secret = request.cookies.get(access.cookie)
    if access.sessions is not None and secret:
        access.sessions.end(secret)
    response = _answer(request, "/login")
    response.delete_cookie(access.cookie, httponly=True, samesite="strict")
    return response


def _secret(access: Access, fields: dict[str, str], local: bool) -> str | None:
    """Return the secret of a new session; None when the fields do not fit."""
    if "token" in fields:
        return access.owner_secret if local and access.is_token(fields["token"]) else None
    if access.sessions is None:
        return None
    return access.sessions.begin(fields.get("name", ""), fields.get("password", ""))


async def _fields(request: Request) -> dict[str, str]:
    content = await request.body()
    try:
        if request.headers.get("content-type", "").startswith("application/json"):
            values: Any = json.loads(content)
        else:
            values = dict(parse_qsl(content.decode(), keep_blank_values=True))
    except (ValueError, RecursionError) as error:
        raise HttpRefusal(422, "malformed", "the body is neither JSON nor a form") from error
    if not isinstance(values, dict) or not all(_is_text(v) for v in values.values()):
        raise HttpRefusal(422, "malformed", "give name and password, or token, as text")
    return values


def _is_text(value: Any) -> bool:
    """Return whether a value is text that can be stored, without half a pair of code units."""
    return isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value)


def _answer(request: Request, target: str) -> Response:
    """Return a redirect for a form, JSON for a script; targets lie on this server."""
    path = target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/"
    if "application/json" in request.headers.get("content-type", ""):
        return JSONResponse({"next": path})
    return RedirectResponse(path, 303)
