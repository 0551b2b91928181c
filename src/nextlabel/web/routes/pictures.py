"""Pictures: the image of an id, small or at full size; nothing else is ever read."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from nextlabel.web.dependencies import MOST_ID, Json, Shared, Someone
from nextlabel.web.errors import HttpRefusal
from nextlabel.web.pictures.full_size import Shown, View, facts, full_size, parse_channels
from nextlabel.web.pictures.image_files import Unusable
from nextlabel.web.pictures.placeholder import placeholder
from nextlabel.web.workspace import Workspace

router = APIRouter()

KEEP = "private, max-age=31536000, immutable"
"""Cache-Control of a picture: its address has a part of the digest."""

Id = Annotated[int, Path(ge=0, le=MOST_ID)]
Limit = Annotated[float | None, Query(ge=-1e38, le=1e38, allow_inf_nan=False)]
MEDIA: dict[int | str, dict[str, object]] = {
    200: {"content": {name: {} for name in ("image/png", "image/jpeg", "image/svg+xml")}}
}


@router.get("/thumb/{image}", response_class=Response, responses=MEDIA)
def thumb(image: Id, workspace: Shared, person: Someone, v: str = "") -> Response:
    """Return an image of at most 160 pixels a side."""
    return _picture(workspace, image, v, lambda: workspace.thumbnails.of(image))


@router.get("/pixels/{image}", response_class=Response, responses=MEDIA)
def pixels(
    image: Id,
    workspace: Shared,
    person: Someone,
    v: str = "",
    channels: Annotated[str | None, Query(max_length=40)] = None,
    low: Limit = None,
    high: Limit = None,
) -> Response:
    """Return an image at full size; `low` and `high` are the values that get black and white."""
    if (low is None) != (high is None) or (low is not None and high is not None and low >= high):
        raise HttpRefusal(422, "malformed", "give low and high, and low below high")
    try:
        view = View(parse_channels(channels), low, high)
    except ValueError as error:
        raise HttpRefusal(422, "malformed", f"channels: {error}") from error
    return _picture(workspace, image, v, lambda: full_size(workspace.files, image, view))


@router.get("/pixels/{image}/facts")
def facts_of(image: Id, workspace: Shared, person: Someone) -> Json:
    """Return the channels, the bits, the usual window and the histogram of an image."""
    workspace.check_image(image)
    try:
        return facts(workspace.files, image)
    except Unusable as error:
        workspace.note_problem(image, error)
        raise


def _picture(workspace: Workspace, image: int, version: str, make: Callable[[], Shown]) -> Response:
    """Return a picture; of an image that cannot be shown, one with the reason."""
    workspace.check_image(image)
    try:
        shown = make()
    except Unusable as error:
        if error.code == "no-such-channel":
            raise HttpRefusal(422, error.code, str(error)) from error
        workspace.note_problem(image, error)
        drawn = placeholder(str(error))
        return Response(drawn, media_type="image/svg+xml", headers={"X-Problem": error.code})
    exact = version and workspace.file(image)[1].startswith(version)
    headers = {"Cache-Control": KEEP} if exact and len(version) >= 8 else {}
    return Response(shown.content, media_type=shown.media, headers=headers)
