"""Exchange: labels as a file to download, and from a file that is uploaded."""

import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from nextlabel.project.exchange.formats import FORMATS, FormatOfPackage, ReadableFormat
from nextlabel.project.exchange.transfer import export, import_file
from nextlabel.web.dependencies import Json, Owner, Shared
from nextlabel.web.errors import HttpRefusal
from nextlabel.web.workspace import text

router = APIRouter()

SHOWN = 1000
"""Names that the reply to an import lists."""
FOLDERS = ".zip"
"""The suffix of a folder that is downloaded as one file."""
PROJECT = ".nextlabel"
"""The suffix of a whole project, which is a folder to copy."""


@router.get("/api/export/{name}", response_class=FileResponse)
def download(
    name: Annotated[str, InPath(max_length=100)], workspace: Shared, person: Owner
) -> FileResponse:
    """Return labels and predictions in a format."""
    formats = {one["name"]: one["suffix"] for one in export_formats()}
    if name not in formats:
        raise HttpRefusal(404, "unknown-format", f"{name!r:.60} is not a format of export")
    temporary = Path(tempfile.mkdtemp(prefix="nextlabel-"))
    try:
        suffix = FORMATS[name].suffix
        target = temporary / f"labels{suffix}"
        export(workspace.project, target, format=name)
        if not suffix:
            target = Path(shutil.make_archive(str(temporary / "packed"), "zip", target))
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return FileResponse(
        target,
        media_type="application/octet-stream",
        filename=f"{workspace.project.settings.name}-labels{formats[name]}",
        background=BackgroundTask(shutil.rmtree, temporary, ignore_errors=True),
    )


@router.post("/api/import")
async def upload(
    request: Request,
    workspace: Shared,
    person: Owner,
    name: Annotated[str, Query(min_length=1, max_length=1000)],
) -> Json:
    """Record the labels of a file, which is the body; its name tells the format."""
    fitting = [suffix for suffix in import_suffixes() if name.lower().endswith(suffix)]
    if not fitting:
        raise HttpRefusal(
            422, "unknown-format", f"{name!r:.60} ends in none of {', '.join(import_suffixes())}"
        )
    content = await request.body()
    return await run_in_threadpool(_taken_in, workspace, content, fitting[0], person.name)


def _taken_in(workspace: Shared, content: bytes, suffix: str, person: str) -> Json:
    with tempfile.TemporaryDirectory(prefix="nextlabel-") as folder:
        path = Path(folder) / f"upload{suffix}"
        path.write_bytes(content)
        taken = import_file(workspace.project, path, person=person)
    return {
        "taken": taken.recorded,
        "unchanged": taken.unchanged,
        "kept": taken.kept,
        "unmatched": [text(name) for name in taken.unknown[:SHOWN]],
        "unmatched_count": len(taken.unknown),
        "classes_added": list(taken.classes),
    }


def export_formats() -> list[dict[str, str]]:
    """Return the formats that a page can download: name, title, suffix, and what they lack."""
    return [
        {
            "name": name,
            "title": FORMATS[name].title,
            "suffix": FORMATS[name].suffix or FOLDERS,
            "lack": _lack(name) or "",
        }
        for name in FORMATS
        if FORMATS[name].suffix != PROJECT
    ]


def _lack(name: str) -> str | None:
    """Return why a format cannot be written here; None when it can."""
    made = FORMATS[name]()
    return made.lack() if isinstance(made, FormatOfPackage) else None


@cache
def import_suffixes() -> list[str]:
    """Return the ends of names of files that a page can upload, the longest first."""
    suffixes = {
        FORMATS[name].suffix for name in FORMATS if isinstance(FORMATS[name](), ReadableFormat)
    }
    return sorted(suffixes - {"", PROJECT}, key=len, reverse=True)
