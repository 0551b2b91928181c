"""The review: labels that models doubt, and images on which people disagree."""

from typing import Annotated

from fastapi import APIRouter, Query

from nextlabel.project.loop.pages.review import review
from nextlabel.web.dependencies import Json, Shared, Someone
from nextlabel.web.routes.gallery import items_of

router = APIRouter()

Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/api/review")
def doubted(workspace: Shared, person: Someone, limit: Limit = 100) -> Json:
    """Return the most doubtful labels, and what models of the other labels say."""
    doubts = review(workspace.project)
    shown = doubts[:limit]
    items = items_of(workspace, [doubt.image for doubt in shown])
    for item, doubt in zip(items, shown, strict=True):
        item["doubt"] = round(1 - doubt.quality, 4)
        item["suggested"] = list(doubt.suggested)
    facts = "Models of the other labels, each fitted to four fifths of them, disagree with these."
    return {"total": len(doubts), "items": items, "facts": facts}


@router.get("/api/conflicts")
def conflicts(workspace: Shared, person: Someone, limit: Limit = 100) -> Json:
    """Return the images on which people disagree; a label of the view "resolve" ends that."""
    state = workspace.state
    images = sorted(state.conflicts)
    items = items_of(workspace, images[:limit])
    for item in items:
        by_person = state.image(item["image"]).by_person
        item["by_person"] = {name: list(label) for name, label in by_person.items()}
    return {"total": len(images), "items": items}
