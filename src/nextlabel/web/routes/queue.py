"""The queue: the next images to ask, and their leases."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from nextlabel.web.dependencies import Body, Json, Number, Shared, Someone, Tab
from nextlabel.web.errors import HttpRefusal
from nextlabel.web.workspace import LEASE, guess

router = APIRouter()


class ImagesBody(Body):
    """Images that a tab shows."""

    tab: Tab
    images: Annotated[list[Number], Field(max_length=2000)]


@router.get("/api/next")
def ask(
    workspace: Shared,
    person: Someone,
    tab: Annotated[str, Query(min_length=1, max_length=100)],
    count: Annotated[int, Query(ge=1, le=500)] = 6,
    held: Annotated[str, Query(max_length=20_000)] = "",
) -> Json:
    """Return images to ask next; they belong to the tab for a while. `held` are not returned."""
    chosen, left = workspace.next(count, image_list(held), person.name, tab)
    images, state, project = workspace.images, workspace.state, workspace.project
    predicted = None if project.settings.hide_predictions else workspace.predictions()
    items = []
    for of in chosen:
        item = workspace.item(of.image, images, state) | {
            "model": of.model or None,
            "position": of.position,
        }
        if predicted is not None:
            item["predicted"] = guess(predicted, of.image)
        items.append(item)
    return {"items": items, "left": left}


@router.post("/api/leases")
def renew(body: ImagesBody, workspace: Shared, person: Someone) -> Json:
    """Keep images for a tab; return those that no other tab has."""
    return {"images": workspace.project.lease(body.images, person.name, body.tab, LEASE)}


@router.post("/api/release")
def release(body: ImagesBody, workspace: Shared, person: Someone) -> Json:
    """Give images back, so that others can be asked them."""
    workspace.project.release(body.images, person.name, body.tab)
    return {"released": len(body.images)}


def image_list(text: str) -> list[int]:
    """Return the numbers in "3,9", each once; HttpRefusal when it has others."""
    try:
        return list(dict.fromkeys(int(part) for part in text.split(",") if part.strip()))
    except ValueError as error:
        raise HttpRefusal(422, "malformed", f"{text!r:.60} is not a list of images") from error
