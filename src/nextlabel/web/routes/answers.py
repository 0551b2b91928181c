"""Answers: recorded once each, whichever way and however often they are sent."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from nextlabel.core.errors import UsageError
from nextlabel.project.labelling.answer import Kind, NewAnswer
from nextlabel.project.people.people import Person
from nextlabel.web.dependencies import Body, Json, Key, Number, Shared, Someone, Tab, reply
from nextlabel.web.errors import HttpRefusal
from nextlabel.web.workspace import Workspace

router = APIRouter()

Moment = Annotated[float, Field(ge=0, le=1e11)]


class AnswerBody(Body):
    """An answer as the page sends it; `NewAnswer` explains the fields."""

    key: Key
    image: Number
    kind: Kind
    classes: Annotated[tuple[Number, ...], Field(max_length=1000)] = ()
    note: Annotated[str, Field(max_length=10_000)] = ""
    undoes: Key | None = None
    shown_at: Moment | None = None
    answered_at: Moment | None = None
    model: Number | None = None
    position: Number | None = None
    view: Annotated[str, Field(max_length=20)] = "one"


class AnswersBody(Body):
    """Answers of one tab, in the order in which they were given."""

    tab: Tab
    answers: Annotated[list[AnswerBody], Field(max_length=2000)]
    project: str | None = None
    """The project that they are meant for; another one refuses them."""


@router.post("/api/answers", response_model=Json)
def save(body: AnswersBody, workspace: Shared, person: Someone) -> Response:
    """Record answers; those in `saved` are on the disk."""
    if body.project not in (None, workspace.id):
        raise HttpRefusal(409, "other-project", "these answers belong to another project")
    new = [NewAnswer(**vars(answer)) for answer in body.answers]
    model = workspace.project.model()
    version = None if model is None else model.version
    saved, refused = record(workspace, new, person)
    if workspace.project.settings.overlap:  # other people may be asked these images now
        workspace.leases.give_back([answer.image for answer in new], person.name, body.tab)
    return reply(
        {"saved": saved, "refused": refused, "counts": workspace.counts(), "model": version}
    )


def record(
    workspace: Workspace, answers: list[NewAnswer], person: Person
) -> tuple[list[Json], list[Json]]:
    """Record answers; a wrong one is refused alone. Return what was saved, and what was not."""
    project = workspace.project
    wrong: Mapping[str, UsageError] = {}
    try:
        saved = project.record(answers, person.name)
    except UsageError:
        wrong = project.faults(answers)
        saved = project.record([one for one in answers if one.key not in wrong], person.name)
    refused = [
        {"key": key, "code": error.code, "message": str(error)} for key, error in wrong.items()
    ]
    return [asdict(one) for one in saved], refused
