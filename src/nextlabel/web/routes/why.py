"""Why an image was asked."""

from typing import Annotated

from fastapi import APIRouter, Path

from nextlabel.project.loop.pages.why import why
from nextlabel.web.dependencies import MOST_ID, Json, Shared, Someone

router = APIRouter()


@router.get("/api/why/{image}")
def show(image: Annotated[int, Path(ge=0, le=MOST_ID)], workspace: Shared, person: Someone) -> Json:
    """Return the space and the nearest labels; after the answer rank, score and reason, too."""
    workspace.check_image(image)
    images, state = workspace.images, workspace.state
    facts = why(workspace.project, image)
    facts["neighbours"] = [
        workspace.item(one["image"], images, state) | one | {"label": list(one["label"])}
        for one in facts["neighbours"]
    ]
    return facts
