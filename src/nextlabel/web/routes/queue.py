"""The queue: the next images to ask, and their leases."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from nextlabel.web.dependencies import Body, Json, Number, Shared, Someone, Tab, reply
from nextlabel.web.errors import HttpRefusal
from nextlabel.web.workspace import guess

router = APIRouter()


class ImagesBody(Body):
    """Images that a tab shows."""

    tab: Tab
    images: Annotated[list[Number], Field(max_length=2000)]


class ReleaseBody(Body):
    """Images that a tab does not need; without `images` it is gone, and needs none."""

    tab: Tab
    images: Annotated[list[Number], Field(max_length=2000)] | None = None


@router.get("/api/next", response_model=Json)
def ask(
    workspace: Shared,
    person: Someone,
    tab: Annotated[str, Query(min_length=1, max_length=100)],
    count: Annotated[int, Query(ge=1, le=500)] = 6,
    held: Annotated[str, Query(max_length=20_000)] = "",
    closed: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Return images to ask next; they belong to the tab for a while.

    `held` are not returned. Those of the tab `closed`, which is gone, are free.
    """
    if closed:
        workspace.leases.close(person.name, closed)
    chosen, state = workspace.next(count, image_list(held), person.name, tab)
    images = workspace.images
    hidden = workspace.project.settings.hide_predictions
    predicted = None if hidden else workspace.predictions()
    items = []
    for of in chosen:
        item = workspace.item(of.image, images, state) | {
            "model": of.model or None,
            "position": of.position,
        }
        if predicted is not None:
            item["predicted"] = guess(predicted, of.image)
        items.append(item)
    return reply({"items": items, "left": workspace.counts()["left"]})


@router.post("/api/leases", response_model=Json)
def renew(body: ImagesBody, workspace: Shared, person: Someone) -> Response:
    """Keep images for a tab; return those that no other tab has."""
    return reply({"images": workspace.keep(body.images, person.name, body.tab)})


@router.post("/api/release", response_model=Json)
def release(body: ReleaseBody, workspace: Shared, person: Someone) -> Response:
    """Give images back, so that others can be asked them."""
    if body.images is None:
        return reply({"released": workspace.leases.close(person.name, body.tab)})
    workspace.leases.give_back(body.images, person.name, body.tab)
    return reply({"released": len(body.images)})


def image_list(text: str) -> list[int]:
    """Return the numbers in "3,9", each once; HttpRefusal when it has others."""
    try:
        return list(dict.fromkeys(int(number) for number in text.split(",") if number.strip()))
    except ValueError as error:
        raise HttpRefusal(422, "malformed", f"{text!r:.60} is not a list of images") from error
