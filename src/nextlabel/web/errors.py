"""Refusals as JSON: `{"error": {"code", "message"}}`, and a status for each sort of error."""

import errno
from typing import TYPE_CHECKING

from pydantic import BaseModel
from starlette.responses import JSONResponse

from nextlabel.core.errors import NextlabelError, StoreError, UsageError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Fault(BaseModel):
    """The code of an error, and a sentence with its remedy."""

    code: str
    message: str


class Refusal(BaseModel):
    """The body of every response that is not a success."""

    error: Fault


STATUSES = (400, 401, 403, 404, 409, 411, 413, 422, 429, 500, 503, 507)
RESPONSES: dict[int | str, dict[str, object]] = {status: {"model": Refusal} for status in STATUSES}
"""Responses that every route may give, for the OpenAPI schema."""


class HttpRefusal(NextlabelError):
    """A refusal with a status of its own."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message, code=code)
        self.status = status


def refusal(status: int, code: str, message: str) -> JSONResponse:
    """Return the response of a refusal."""
    return JSONResponse({"error": {"code": code, "message": message}}, status)


def is_disk_full(error: BaseException | None) -> bool:
    """Return whether an error, or one that it comes from, says that the disk is full."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        if isinstance(error, NextlabelError) and error.code in ("disk-full", "store-full"):
            return True
        if "disk is full" in str(error) or "No space left" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def status_of(error: Exception) -> tuple[int, str, str]:
    """Return status, code and message of an error."""
    if isinstance(error, HttpRefusal):
        return error.status, error.code, str(error)
    if is_disk_full(error):
        return 507, "disk-full", "the disk is full; free some space, nothing that was saved is lost"
    if isinstance(error, StoreError):
        return 503, error.code, str(error)
    if isinstance(error, UsageError):
        return 400, error.code, str(error)
    if isinstance(error, NextlabelError):
        return 409, error.code, str(error)
    return 500, "unexpected", f"unexpected {type(error).__name__}; the terminal shows more"


def add_handlers(app: "FastAPI") -> None:
    """Let an application answer all errors in this form."""
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException

    @app.exception_handler(RequestValidationError)
    def malformed(request: "Request", error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        return refusal(422, "malformed", f"{where}: {first['msg']}")

    @app.exception_handler(HTTPException)
    def refused(request: "Request", error: HTTPException) -> JSONResponse:
        code = {404: "no-such-page", 405: "method-unknown"}.get(error.status_code, "refused")
        response = refusal(error.status_code, code, str(error.detail))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(NextlabelError)
    def refused_by_library(request: "Request", error: NextlabelError) -> JSONResponse:
        return refusal(*status_of(error))

    @app.exception_handler(OSError)
    @app.exception_handler(Exception)
    def failed(request: "Request", error: Exception) -> JSONResponse:
        return refusal(*status_of(error))
