"""Progress: how far a project is, how good its model, and whether to go on."""

from collections import Counter
from typing import Any

from fastapi import APIRouter, Response

from nextlabel.project.loop.pages.progress import progress_figures, random_images_missing
from nextlabel.web.commands import commands_of
from nextlabel.web.dependencies import Json, Shared, Someone, reply
from nextlabel.web.workspace import Workspace, text

router = APIRouter()


@router.get("/api/progress", response_model=Json)
def show(workspace: Shared, person: Someone) -> Response:
    """Return the figures of the page of progress."""
    share = workspace.project.settings.audit
    figures = workspace.kept("progress", lambda: _figures(workspace))
    return reply(
        figures
        | {
            "audit": {"share": share, "answered": figures["audited"]},
            "commands": [text(line) for line in commands_of(workspace.project)],
        }
    )


def _figures(workspace: Workspace) -> Json:
    """Return the figures that change with answers, images and models."""
    figures = progress_figures(workspace.project)
    state, images = workspace.state, workspace.images
    predicted = workspace.predictions()
    of_columns = predicted.findings[~images.gone].sum(axis=0).tolist()
    of_class = Counter(dict(zip(predicted.columns.tolist(), of_columns, strict=True)))
    people: Counter[str] = Counter()
    for image in state.images.values():
        people.update(image.by_person.keys())
    expected: Json | None = figures["next"]
    return {
        "counts": workspace.counts(),
        "minutes": figures["seconds"] / 60,
        "per_hour": figures["an_hour"],
        "classes": [of | {"predicted": of_class[of["id"]]} for of in figures["classes"]],
        "curve": [point for point in figures["curve"] if not random_images_missing(point)],
        "missing": random_images_missing(figures["estimate"]),
        "audited": sum(answer.audit for answer in state.last.values()),
        "expected": None if expected is None else _expected(expected),
        "hint": {"stop": figures["advice"] in ("stop", "done"), "text": figures["hint"]},
        "people": [{"name": name, "labelled": count} for name, count in people.most_common()],
    }


def _expected(rise: Json) -> dict[str, Any]:
    """Return what the next labels are expected to bring, under the names of the page."""
    return {"next": rise["labels"], "gain": rise["value"], "low": rise["low"], "high": rise["high"]}
