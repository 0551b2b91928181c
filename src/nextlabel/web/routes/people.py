"""People: who may log in, and how far they agree."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from nextlabel.project.people.agreement import agreement
from nextlabel.project.people.people import People, Role
from nextlabel.web.dependencies import Body, Json, Owner, Shared, Someone
from nextlabel.web.errors import HttpRefusal
from nextlabel.web.workspace import Workspace

router = APIRouter()


class PersonBody(Body):
    """A person to add or to change; what is left out stays."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    password: Annotated[str, Field(max_length=2000)] | None = None
    role: Role | None = None
    active: bool | None = None


@router.get("/api/people")
def show(workspace: Shared, person: Owner) -> Json:
    """Return the people who may log in."""
    return people_facts(workspace)


@router.post("/api/people")
def change(body: PersonBody, workspace: Shared, person: Owner) -> Json:
    """Add a person, or change one."""
    people = People(workspace.project.database)
    if any(one.name == body.name for one in people.all()):
        people.change(body.name, password=body.password, role=body.role, active=body.active)
    elif body.password is None:
        raise HttpRefusal(422, "password-missing", f"give a password for {body.name!r}")
    else:
        people.add(body.name, body.password, body.role or "labeller")
    return people_facts(workspace)


@router.get("/api/agreement")
def agree(workspace: Shared, person: Someone) -> Json:
    """Return how far people agree on the images that several of them labelled."""
    made = agreement(workspace.state, workspace.project.task)
    pairs = [
        {
            "a": pair.people[0],
            "b": pair.people[1],
            "images": pair.images,
            "same": pair.same,
            "kappa": pair.kappa,
        }
        for pair in made.pairs
    ]
    return asdict(made) | {"pairs": pairs}


def people_facts(workspace: Workspace) -> Json:
    """Return all people as JSON values."""
    return {"people": [asdict(one) for one in People(workspace.project.database).all()]}
