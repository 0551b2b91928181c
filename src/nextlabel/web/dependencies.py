"""Parameters that routes share: the open project, the person, and bodies."""

import json
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from nextlabel.project.people.people import Person
from nextlabel.web.errors import HttpRefusal
from nextlabel.web.workspace import Workspace

MOST_ID = 2**31 - 1


# These are coroutines, since each other function takes a turn of a thread.
async def workspace_of(request: Request) -> Workspace:
    """Return the open project."""
    workspace: Workspace = request.app.state.workspace
    return workspace


async def person_of(request: Request) -> Person:
    """Return the person who sent a request; `Guard` has let only known ones pass."""
    person: Person | None = request.state.person
    if person is None:
        raise HttpRefusal(401, "no-session", "open the address that nextlabel printed, or log in")
    return person


async def owner_of(person: Annotated[Person, Depends(person_of)]) -> Person:
    """Return the person who sent a request, if an owner."""
    check_owner(person)
    return person


def check_owner(person: Person) -> None:
    """Raise HttpRefusal unless a person is an owner."""
    if person.role != "owner":
        raise HttpRefusal(403, "owners-only", f"{person.name} may label; only an owner may do this")


Shared = Annotated[Workspace, Depends(workspace_of)]
Someone = Annotated[Person, Depends(person_of)]
Owner = Annotated[Person, Depends(owner_of)]
Number = Annotated[int, Field(ge=0, le=MOST_ID)]
Tab = Annotated[str, Field(min_length=1, max_length=100)]
Key = Annotated[str, Field(min_length=1, max_length=200)]
Json = dict[str, Any]
JSON = "application/json"


def reply(values: Json) -> Response:
    """Return values that are JSON already as a response; FastAPI would copy and check them all."""
    return Response(json.dumps(values, ensure_ascii=False).encode(), media_type=JSON)


class Body(BaseModel):
    """A body in JSON; keys that are not expected are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
