"""The images that a person is asked next: those of the queue that have no answer yet."""

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256

import numpy as np

from nextlabel.core.types import Array, Ids
from nextlabel.project.audit import AuditOrder
from nextlabel.project.choice import AUDIT
from nextlabel.project.labelling.answer import RESPONSES
from nextlabel.project.labelling.models import QueueItem
from nextlabel.project.labelling.state import State
from nextlabel.project.scanning.images import ProjectImages

GALLERY = "gallery"
"""The view in which images are labelled by the page-full, next to what the model predicts."""
AGAIN = "overlap"
"""The reason for an image that another person has labelled."""


@lru_cache(maxsize=2)
def order_of(images: ProjectImages, seed: int = 0) -> AuditOrder:
    """Return the random order of the images; it is kept, since it takes a while for many."""
    return AuditOrder.of(images.digests, seed)


@lru_cache(maxsize=2)
def usable(images: ProjectImages) -> Array:
    """Return which images can be asked, bool (N): they are there, and can be shown."""
    problems = np.fromiter((p is not None for p in images.problems), bool, len(images))
    return np.asarray(~images.gone & ~problems)


@lru_cache(maxsize=2)
def shared(images: ProjectImages, share: float) -> frozenset[int]:
    """Return the images that two people are asked: a random `share` of all, by their content."""
    limit = int(share * 2**64)
    hashes = (sha256(f"overlap {digest}".encode()).digest()[:8] for digest in images.digests)
    return frozenset(i for i, digest in enumerate(hashes) if int.from_bytes(digest) < limit)


def settled(state: State, image: int) -> bool:
    """Return whether an image needs no answer: labelled, skipped, unsure or flagged."""
    return (
        image in state.labels
        or image in state.skipped
        or image in state.unsure
        or image in state.flagged
    )


def settled_ids(state: State) -> Ids:
    """Return the images that need no answer, int64 (n)."""
    parts = (state.labels, state.skipped, state.unsure, state.flagged)
    return np.unique(np.concatenate([np.fromiter(p, np.int64, len(p)) for p in parts]))


def labelled_as_shown(state: State) -> Ids:
    """Return the images whose label comes from the gallery alone, next to their prediction."""
    return np.array(
        [
            image
            for image, answer in state.last.items()
            if answer.view == GALLERY
            and answer.kind == "label"
            and not any(
                event.kind == "label" and event.view != GALLERY and state.counts(event)
                for event in state.events(image)
            )
        ],
        np.int64,
    )


def left(state: State, images: ProjectImages) -> int:
    """Return the number of images that are still to be asked."""
    to_ask = usable(images).copy()
    to_ask[settled_ids(state)] = False
    return int(to_ask.sum())


def serve_next(
    state: State,
    queue: Sequence[QueueItem],
    images: ProjectImages,
    leased: Collection[int],
    count: int,
    exclude: Collection[int] = (),
    *,
    person: str = "",
    overlap: float = 0.0,
    seed: int = 0,
) -> list[QueueItem]:
    """Return the images to ask a person next.

    When the queue is used up, the images without an answer follow in the audit's random order, so
    there is always one while any is left that no other tab shows.

    Parameters
    ----------
    state : State
        The state of the project.
    queue : sequence of QueueItem
        The queue of the newest model; it may be older than the state.
    images : ProjectImages
        The images.
    leased : collection of int
        Images that other tabs show.
    count : int
        The number of images to return.
    exclude : collection of int
        Images that the tab has already.
    person : str
        Who is asked.
    overlap : float
        The share of the images that a second person is asked too. Those come in turn with others.
    seed : int
        The seed of the random order.

    Returns
    -------
    list of QueueItem
        At most `count` different images; fewer when fewer are left.
    """
    taken = {*leased, *exclude}
    fresh = _fresh(state, queue, images, seed)
    again = _again(state, images, person, overlap, len(queue)) if overlap else iter(())
    chosen: list[QueueItem] = []
    sources = [again, fresh]
    turn = 0
    while len(chosen) < count and sources:
        source = sources[turn % len(sources)]
        item = next((item for item in source if item.image not in taken), None)
        if item is None:
            sources.remove(source)
            continue
        taken.add(item.image)
        chosen.append(item)
        turn += 1
    return chosen


def _fresh(
    state: State, queue: Sequence[QueueItem], images: ProjectImages, seed: int
) -> Iterator[QueueItem]:
    """Yield the images without an answer: those of the queue, then all others at random."""
    fit = usable(images)
    for item in queue:
        if fit[item.image] and not settled(state, item.image):
            yield item
    version = queue[0].model if queue else 0
    position = len(queue)
    for image in order_of(images, seed).rows.tolist():
        if fit[image] and not settled(state, image):
            yield QueueItem(position, image, AUDIT, None, True, version)
            position += 1


def _again(
    state: State, images: ProjectImages, person: str, overlap: float, position: int
) -> Iterator[QueueItem]:
    """Yield the images of the overlap that one other person has labelled."""
    fit = usable(images)
    for image in sorted(shared(images, overlap)):
        if not fit[image] or image in state.flagged or len(state.image(image).by_person) != 1:
            continue
        if not _answered(state, image, person):
            yield QueueItem(position, image, AGAIN, None, False, 0)


def _answered(state: State, image: int, person: str) -> bool:
    """Return whether a person has said anything of an image that holds."""
    return any(
        event.person == person and event.kind in RESPONSES and state.counts(event)
        for event in state.events(image)
    )
