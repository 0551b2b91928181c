"""Pages: shells of HTML, whose scripts fetch all else."""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from nextlabel.files.html import page_environment
from nextlabel.web.errors import HttpRefusal

router = APIRouter(include_in_schema=False)

TEMPLATES = Path(__file__).parents[1] / "templates"
VIEWS = ("label", "grid", "gallery", "map", "review", "progress", "settings", "login")


@router.get("/")
def start() -> Response:
    """Lead to the view in which most labels are given."""
    return RedirectResponse("/label", 303)


@router.get("/{view}", response_class=HTMLResponse)
def shell(view: str, request: Request) -> Response:
    """Return the shell of a view."""
    if view not in VIEWS or not (TEMPLATES / f"{view}.html").is_file():
        raise HttpRefusal(404, "no-such-page", f"there is no page {view!r:.60}")
    access = request.app.state.access
    page = page_environment(TEMPLATES).get_template(f"{view}.html")
    return HTMLResponse(page.render(view=view, users=access.sessions is not None))
