"""The project: its classes, counts, settings, model, and what works in the background."""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from nextlabel.project.labelling.classes import Action, NewClassChange
from nextlabel.project.labelling.settings import ProjectSettings
from nextlabel.project.loop.background import can_begin_again
from nextlabel.project.loop.pages.progress import random_images_missing
from nextlabel.project.people.people import Person
from nextlabel.project.scanning.images import ProjectImages
from nextlabel.web.dependencies import (
    Body,
    Json,
    Key,
    Number,
    Owner,
    Shared,
    Someone,
    check_owner,
    reply,
)
from nextlabel.web.routes.exchange import export_formats
from nextlabel.web.security import Access
from nextlabel.web.workspace import Workspace, text

router = APIRouter()

FOLDERS = 500
"""Folders that a person may choose from."""


class ClassBody(Body):
    """A change of the classes; `NewClassChange` explains the fields."""

    action: Action
    class_id: Annotated[Number | None, Field(alias="class")] = None
    value: Annotated[str, Field(max_length=200)] | int | None = None
    key: Key


class SettingsBody(Body):
    """Settings to change; those that are left out stay."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    audit: Annotated[float, Field(ge=0, le=1)] | None = None
    overlap: Annotated[float, Field(ge=0, le=1)] | None = None
    hide_predictions: bool | None = None
    strategy: Annotated[str, Field(max_length=100)] | None = None
    """Name of a strategy; "default" is that of the default pipeline."""
    features: dict[str, Annotated[float, Field(ge=0, le=1e6)]] | Literal["default"] | None = None


@router.get("/api/project", response_model=Json)
def show(request: Request, workspace: Shared, person: Someone) -> Response:
    """Return what every view needs."""
    return reply(project_facts(workspace, person, has_users(request)))


@router.post("/api/classes")
def change_classes(body: ClassBody, workspace: Shared, person: Someone) -> Json:
    """Change the classes, and return them; a labeller may only add some."""
    if body.action != "add":
        check_owner(person)
    value = None if body.value is None else str(body.value)
    change = NewClassChange(body.key, body.action, body.class_id, value)
    workspace.project.change_classes([change], person.name)
    return {"classes": class_facts(workspace)}


@router.post("/api/settings")
def change_settings(request: Request, body: SettingsBody, workspace: Shared, person: Owner) -> Json:
    """Change settings, and return the project."""
    changes: dict[str, Any] = body.model_dump(exclude_none=True)
    if "strategy" in changes:
        chosen = changes["strategy"]
        changes |= {"strategy": None if chosen == "default" else chosen, "options": {}}
        if chosen != "default":
            from nextlabel.strategies import create

            create(chosen)
    if changes.get("features") == "default":
        changes["features"] = None
    workspace.project.configure(**changes)
    return project_facts(workspace, person, has_users(request))


def has_users(request: Request) -> bool:
    """Return whether people log in by name and password."""
    access: Access = request.app.state.access
    return access.sessions is not None


def project_facts(workspace: Workspace, person: Person, users: bool) -> Json:
    """Return the project as JSON values."""
    project = workspace.project
    settings, model = project.settings, project.model()
    return {
        "id": workspace.id,
        "name": settings.name,
        "folder": str(project.folder).encode("utf-8", "backslashreplace").decode(),
        "task": settings.task,
        "classes": class_facts(workspace),
        "folders": folders_of(workspace.images),
        "counts": workspace.counts(),
        "person": person.name,
        "role": person.role,
        "users": users,
        "formats": export_formats(),
        "version": _version(),
        "settings": settings_facts(settings),
        "model": None
        if model is None
        else {
            "version": model.version,
            "labelled": model.facts.get("labelled"),
            "space": model.space,
            "strategy": model.strategy,
            "estimate": model.estimate and dict(model.estimate) | _missing(model.estimate),
            "after_answer": model.after_answer,
        },
        "activities": [
            {key: value for key, value in of._asdict().items() if key != "at"}
            | {"again": can_begin_again(of)}
            for of in project.activity().values()
        ],
    }


def _missing(estimate: Mapping[str, Any]) -> Json:
    """Return how many more random images it takes until the estimate is shown."""
    return {"missing": random_images_missing(estimate)}


def class_facts(workspace: Workspace) -> list[Mapping[str, object]]:
    """Return all classes, also those that were merged or removed."""
    state = workspace.state
    return [
        {
            "id": of.id,
            "name": of.name,
            "key": of.key,
            "colour": of.colour,
            "merged_into": of.merged_into,
            "removed": of.removed,
            "labelled": state.class_counts.get(of.id, 0),
        }
        for of in state.classes
    ]


def settings_facts(settings: ProjectSettings) -> Json:
    """Return the settings that people may change, and what they may choose from."""
    pipeline = settings.pipeline
    return {
        "hide_predictions": settings.hide_predictions,
        "audit": settings.audit,
        "overlap": settings.overlap,
        "strategy": settings.strategy or "default",
        "strategies": strategy_choices(settings.task),
        "space": " + ".join(pipeline.features),
        "features": dict(pipeline.features),
    }


@lru_cache(maxsize=2)
def folders_of(images: ProjectImages) -> Sequence[str]:
    """Return the folders that images lie in, sorted; the first FOLDERS of them."""
    names = {name.rpartition("/")[0] for name in images.names} - {""}
    return sorted(name for name in names if text(name) == name)[:FOLDERS]


@cache
def strategy_choices(task: str) -> Sequence[Mapping[str, str]]:
    """Return the strategies that a person may choose, each with a sentence."""
    from nextlabel.project.pipeline import DEFAULT
    from nextlabel.strategies import STRATEGIES
    from nextlabel.strategies.descriptions import describe

    then = DEFAULT.options["then"]["strategy"]
    first = {
        "name": "default",
        "evidence": f"{DEFAULT.strategy}, then {then}: beats random choice on MNIST, chest X-rays "
        "and digits",
    }
    described = [describe(name) for name in STRATEGIES]
    return [first] + [
        {"name": of.name, "evidence": of.summary}
        for of in described
        if (task == "multiclass" or of.multi_label) and not of.name.startswith("oracle")
    ]


@cache
def _version() -> str:
    return version("nextlabel")
