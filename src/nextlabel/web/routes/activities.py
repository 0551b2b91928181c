"""Activities: work in the background that failed and should begin again."""

from typing import Annotated

from fastapi import APIRouter, Path

from nextlabel.project.loop.background import ask_again
from nextlabel.web.dependencies import Json, Shared, Someone
from nextlabel.web.errors import HttpRefusal

router = APIRouter()


@router.post("/api/activities/{name}/again")
def begin_again(
    name: Annotated[str, Path(max_length=50)], workspace: Shared, person: Someone
) -> Json:
    """Let work that failed begin again, as soon as the trainer can."""
    if not ask_again(workspace.project, name):
        raise HttpRefusal(404, "not-failed", f"there is no work {name!r:.60} that failed")
    return {"name": name}
