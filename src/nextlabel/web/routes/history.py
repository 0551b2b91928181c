"""Histories: what a person did last, and all that was said of an image."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query

from nextlabel.project.labelling.answer import Answer
from nextlabel.web.dependencies import MOST_ID, Json, Shared, Someone
from nextlabel.web.workspace import guess

router = APIRouter()


@router.get("/api/history")
def own(
    workspace: Shared, person: Someone, limit: Annotated[int, Query(ge=1, le=5000)] = 50
) -> Json:
    """Return a person's last events that count, newest first, each with its image."""
    state, images = workspace.state, workspace.images
    newest = []
    for answer in state.newest(person.name):
        newest.append(workspace.item(answer.image, images, state) | event(answer))
        if len(newest) == limit:
            break
    return {"items": newest}


@router.get("/api/image/{image}")
def details(
    image: Annotated[int, Path(ge=0, le=MOST_ID)], workspace: Shared, person: Someone
) -> Json:
    """Return an image, its labels by person and the events that count."""
    workspace.check_image(image)
    state, images = workspace.state, workspace.images
    of = state.image(image)
    answered = person.name in of.by_person or of.response is not None
    shown = answered or not workspace.project.settings.hide_predictions
    return workspace.item(image, images, state) | {
        "by_person": {name: list(label) for name, label in of.by_person.items()},
        "conflict": of.conflict,
        "history": [event(answer) for answer in state.events(image) if state.counts(answer)],
        "predicted": guess(workspace.predictions(), image) if shown else None,
    }


def event(answer: Answer) -> Json:
    """Return an answer as JSON values; nothing says whether the image was drawn for the audit."""
    values = asdict(answer)
    del values["audit"]
    return values | {"classes": list(answer.classes)}
