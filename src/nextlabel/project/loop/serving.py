"""The images that a person is asked next: those of the queue that have no answer yet."""

from collections.abc import Collection, Container, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256

import numpy as np

from nextlabel.core.types import Array, Ids
from nextlabel.project.audit import AuditOrder
from nextlabel.project.labelling.answer import RESPONSES
from nextlabel.project.labelling.models import QueueItem
from nextlabel.project.labelling.state import State
from nextlabel.project.scanning.images import ProjectImages

PREDICTED = frozenset({"gallery", "map"})
"""The views in which images are labelled by the page-full, next to what the model predicts."""
AGAIN = "overlap"
"""The reason for an image that another person has labelled."""
AT_RANDOM = "random order"
"""The reason for an image that is asked since the queue is used up, or not there yet."""


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


@lru_cache(maxsize=2)
def _in_order(images: ProjectImages, share: float) -> tuple[int, ...]:
    return tuple(sorted(shared(images, share)))


def settled(state: State, image: int) -> bool:
    """Return whether an image needs no answer: labelled, skipped, unsure or flagged."""
    return image in state.settled


def settled_ids(state: State) -> Ids:
    """Return the images that need no answer, int64 (n), ascending."""
    return np.sort(np.fromiter(state.settled, np.int64, len(state.settled)))


def labelled_as_shown(state: State) -> Ids:
    """Return the images that were labelled next to their prediction alone, int64 (n)."""
    return np.array(
        [
            image
            for image, answer in state.last.items()
            if answer.view in PREDICTED
            and answer.kind == "label"
            and not any(
                event.kind == "label" and event.view not in PREDICTED and state.counts(event)
                for event in state.events(image)
            )
        ],
        np.int64,
    )


def left(state: State, images: ProjectImages) -> int:
    """Return the number of images that are still to be asked."""
    done, unfit = state.settled, _unfit(images)
    few, many = (done, unfit) if len(done) < len(unfit) else (unfit, done)
    return len(images) - len(unfit) - len(done) + sum(image in many for image in few)


@lru_cache(maxsize=2)
def _unfit(images: ProjectImages) -> frozenset[int]:
    """Return the images that cannot be asked."""
    return frozenset(np.flatnonzero(~usable(images)).tolist())


@lru_cache(maxsize=2)
def _in_random_order(images: ProjectImages, seed: int) -> tuple[int, ...]:
    """Return the images that can be asked, in their random order."""
    rows = order_of(images, seed).rows
    return tuple(rows[usable(images)[rows]].tolist())


def serve_next(
    state: State,
    queue: Sequence[QueueItem],
    images: ProjectImages,
    leased: Container[int],
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
    leased : container of int
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
    taken = set(exclude)
    fresh = _fresh(state, queue, images, seed)
    again = _again(state, images, person, overlap, len(queue)) if overlap else iter(())
    chosen: list[QueueItem] = []
    sources = [again, fresh]
    turn = 0
    while len(chosen) < count and sources:
        source = sources[turn % len(sources)]
        item = next(
            (item for item in source if item.image not in taken and item.image not in leased), None
        )
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
    fit, done = usable(images), state.settled
    for item in queue:
        if fit[item.image] and item.image not in done:
            yield item
    version = queue[0].model if queue else 0
    position = len(queue)
    for image in _in_random_order(images, seed):
        if image not in done:
            yield QueueItem(position, image, AT_RANDOM, None, False, version)
            position += 1


def _again(
    state: State, images: ProjectImages, person: str, overlap: float, position: int
) -> Iterator[QueueItem]:
    """Yield the images of the overlap that one other person has labelled."""
    fit = usable(images)
    for image in _in_order(images, overlap):
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
