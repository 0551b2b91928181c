"""The gallery: all images by class, confidence and other facts, and labels for many at once."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from nextlabel.core.types import Ids
from nextlabel.files.digest import content_digest
from nextlabel.project.labelling.answer import NewAnswer
from nextlabel.project.labelling.state import State
from nextlabel.project.loop.cache_files import COPIES, load_copies
from nextlabel.project.loop.pages.gallery import Filters, class_counts, gallery
from nextlabel.project.loop.pages.predictions import Predictions
from nextlabel.project.scanning.images import ProjectImages
from nextlabel.web.dependencies import Body, Json, Key, Number, Shared, Someone, reply
from nextlabel.web.errors import HttpRefusal
from nextlabel.web.routes.answers import record
from nextlabel.web.routes.queue import image_list
from nextlabel.web.workspace import Workspace, guess

router = APIRouter()

MOST = 500
"""Images of one reply."""
AT_A_TIME = 2000
"""Answers of one transaction."""

Share = Annotated[float | None, Query(ge=0, le=1, allow_inf_nan=False)]


class ConfirmBody(Body):
    """Images to label as they are predicted."""

    class_id: Annotated[Number, Field(alias="class")]
    above: Annotated[float, Field(ge=0, le=1)] = 0.0
    folder: Annotated[str | None, Field(max_length=4000)] = None
    """Only images below this folder."""
    images: Annotated[list[Number] | None, Field(max_length=100_000)] = None
    """Only these of them."""
    model: Number | None = None
    """The model whose predictions the person saw; another one is refused."""
    dry: bool = False
    """Count them only."""
    key: Key
    """Names the request; sent again with the same model, it changes nothing."""


@router.get("/api/images", response_model=Json)
def show(
    workspace: Shared,
    person: Someone,
    class_id: Annotated[int | None, Query(alias="class", ge=-1, le=2**31 - 1)] = None,
    by: Literal["label", "prediction", "any"] = "any",
    of_person: Annotated[str | None, Query(alias="person", max_length=200)] = None,
    disagree: bool = False,
    flagged: bool = False,
    problem: bool = False,
    unsure: bool = False,
    labelled: bool | None = None,
    folder: Annotated[str | None, Query(max_length=4000)] = None,
    order: Literal["least", "most", "new", "path"] = "least",
    above: Share = None,
    below: Share = None,
    collapse: bool = False,
    ids: Annotated[str | None, Query(max_length=20_000)] = None,
    offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Response:
    """Return images that pass the filters, or those of `ids` in that order."""
    if ids is not None:
        wanted = [image for image in image_list(ids) if 0 <= image < len(workspace.images)]
        items = items_of(workspace, wanted[offset : offset + limit])
        return reply({"total": len(wanted), "items": items})
    filters = Filters(
        class_id=class_id,
        by=by,
        person=of_person,
        disagree=disagree,
        flagged=flagged,
        problem=problem,
        unsure=unsure,
        labelled=labelled,
        above=above,
        below=below,
        folder=folder,
        order=order,
        collapse=collapse,
    )
    facts = _facts(workspace, filters)
    rows = gallery(filters, *facts)
    shown = rows.ids[offset : offset + limit].tolist()
    items = items_of(workspace, shown)
    for item, copies in zip(items, rows.copies[offset : offset + limit].tolist(), strict=True):
        item["near_copies"] = copies - 1
    counts = {} if offset else class_counts(filters, *facts)
    return reply({"total": len(rows), "items": items, "by_class": counts})


@router.post("/api/confirm")
def confirm(body: ConfirmBody, workspace: Shared, person: Someone) -> Json:
    """Label all images without a label that are predicted as a class, sure enough, as predicted.

    Where images have findings, they get all that are predicted. Images that cannot be shown are
    left out: their predictions cannot be judged.
    """
    model = workspace.project.model()
    version = None if model is None else model.version
    if body.model is not None and body.model != version:
        raise HttpRefusal(
            409, "model-changed", "a new model has other predictions; check them again"
        )
    filters = Filters(
        body.class_id, "prediction", labelled=False, above=body.above, folder=body.folder
    )
    facts = _facts(workspace, filters)
    hidden = [problem is not None for problem in facts[0].problems]
    among = None if body.images is None else set(body.images)
    labels = {
        image: predicted.classes
        for image in gallery(filters, *facts).ids.tolist()
        if (among is None or image in among) and not hidden[image]
        if (predicted := facts[2].of(image)) is not None
    }
    if body.dry:
        return {"count": len(labels), "model": version}
    answers = [
        NewAnswer(
            content_digest(f"{body.key} {image}".encode())[:40],
            image,
            "label",
            label,
            model=version,
            view="gallery",
        )
        for image, label in labels.items()
    ]
    saved, refused = [], []
    for start in range(0, len(answers), AT_A_TIME):
        batch = answers[start : start + AT_A_TIME]
        numbers, wrong = record(workspace, batch, person)
        image_of = {answer.key: answer.image for answer in batch}
        saved += [number | {"image": image_of[number["key"]]} for number in numbers]
        refused += wrong
    return {"saved": saved, "refused": refused, "counts": workspace.counts()}


def items_of(workspace: Workspace, ids: list[int]) -> list[Json]:
    """Return images as JSON values, with their predictions and the version of their model."""
    images, state, predicted = workspace.images, workspace.state, workspace.predictions()
    model = workspace.project.model()
    version = None if model is None else model.version
    return [
        workspace.item(image, images, state)
        | {"predicted": guess(predicted, image), "model": version}
        for image in ids
    ]


def _facts(
    workspace: Workspace, filters: Filters
) -> tuple[ProjectImages, State, Predictions, Ids | None]:
    """Return what `gallery` reads, in the order of its parameters."""
    images = workspace.images
    groups = None
    if filters.collapse:
        copies = load_copies(workspace.project.cache / COPIES)
        groups = None if copies is None else copies.groups(len(images))
    return images, workspace.state, workspace.predictions(), groups
