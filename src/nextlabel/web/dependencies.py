"""Parameters that routes share: the open project, the person, and bodies."""

from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from nextlabel.project.people.people import Person
from nextlabel.web.errors import HttpRefusal
from nextlabel.web.workspace import Workspace

MOST_ID = 2**31 - 1


def workspace_of(request: Request) -> Workspace:
    """Return the open project."""
    workspace: Workspace = request.app.state.workspace
    return workspace


def person_of(request: Request) -> Person:
    """Return the person who sent a request; `Guard` has let only known ones pass."""
    person: Person | None = request.state.person
    if person is None:
        raise HttpRefusal(401, "no-session", "open the address that nextlabel printed, or log in")
    return person


def owner_of(person: Annotated[Person, Depends(person_of)]) -> Person:
    """Return the person who sent a request, if an owner."""
    if person.role != "owner":
        raise HttpRefusal(403, "owners-only", f"{person.name} may label; only an owner may do this")
    return person


Shared = Annotated[Workspace, Depends(workspace_of)]
Someone = Annotated[Person, Depends(person_of)]
Owner = Annotated[Person, Depends(owner_of)]
Number = Annotated[int, Field(ge=0, le=MOST_ID)]
Tab = Annotated[str, Field(min_length=1, max_length=100)]
Key = Annotated[str, Field(min_length=1, max_length=200)]
Json = dict[str, Any]


class Body(BaseModel):
    """A body in JSON; keys that are not expected are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
