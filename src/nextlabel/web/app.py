"""The application: routes, static files and the guard in front of them."""

import os
from asyncio import Lock
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

from nextlabel.web import routes
from nextlabel.web.attempts import Attempts
from nextlabel.web.errors import RESPONSES, add_handlers
from nextlabel.web.security import Access, Guard
from nextlabel.web.workspace import Workspace

STATIC = Path(__file__).parent / "static"
THEME = Path(__file__).parents[1] / "files" / "theme.css"
LAST = "pages"
"""The routes that are added last, since they take every single word."""


class Assets(StaticFiles):
    """Files of the page; browsers ask each time whether they have changed."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Return a file and its facts; none for a path with a zero byte, which cannot be one."""
        return ("", None) if "\0" in path else super().lookup_path(path)  # starlette < 1 raises

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Return a file, or the answer that it has not changed."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def create_app(
    workspace: Workspace,
    access: Access,
    background: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> Guard:
    """Return the application, behind its guard.

    Parameters
    ----------
    workspace : Workspace
        The open project.
    access : Access
        Who may do what.
    background : callable
        Makes a context in which the scan and the trainer run, for as long as the server does.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with background():
            yield

    page = FastAPI(
        title="nextlabel",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses=RESPONSES,
        redirect_slashes=False,
    )
    page.state.workspace, page.state.access = workspace, access
    page.state.attempts, page.state.one_log_in = Attempts(5), Lock()
    add_handlers(page)
    for name in sorted(one.name for one in iter_modules(routes.__path__)):
        if name != LAST:
            page.include_router(import_module(f"{routes.__name__}.{name}").router)
    page.add_route("/static/theme.css", _theme)
    page.mount("/static", Assets(directory=STATIC, check_dir=False))
    page.include_router(import_module(f"{routes.__name__}.{LAST}").router)
    return Guard(page, access)


def _theme(request: Request) -> Response:
    """Return the colours that all pages of nextlabel share."""
    return FileResponse(THEME, headers={"Cache-Control": "no-cache"})
