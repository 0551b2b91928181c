"""Why an image was asked: the space, labelled neighbours, and afterwards how it was chosen."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from nextlabel.core.types import Array
from nextlabel.project.labelling.project import Project
from nextlabel.project.labelling.state import State
from nextlabel.project.loop.cache_files import FULL, QUICK, newest_space, stamp
from nextlabel.project.loop.serving import AT_RANDOM, settled
from nextlabel.project.loop.space import Space

NEIGHBOURS = 5


@dataclass(frozen=True)
class Neighbour:
    """A labelled image near another one: its distance, 1 between images on average, and classes."""

    image: int
    distance: float
    label: tuple[int, ...]


def neighbours(space: Space, state: State, image: int, count: int = NEIGHBOURS) -> list[Neighbour]:
    """Return the labelled images nearest to an image, the nearest first.

    Parameters
    ----------
    space : Space
        The space.
    state : State
        The labels.
    image : int
        The image; its own row does not count.
    count : int
        The most neighbours.
    """
    if image >= len(space) or not space.there[image]:
        return []
    labelled = np.array(
        [i for i in state.labels if i != image and i < len(space) and space.there[i]], np.int64
    )
    if not len(labelled):
        return []
    blocks = space.blocks
    apart = blocks.rows(labelled) - blocks.rows(np.array([image]))  # [n, d]
    # Each block's RMS distance is 1, so that of all blocks is the root of their number.
    distances: Array = np.sqrt((apart**2).sum(axis=1) / len(blocks.arrays))
    nearest = np.argsort(distances, kind="stable")[:count]
    return [
        Neighbour(int(labelled[k]), float(distances[k]), state.labels[int(labelled[k])])
        for k in nearest
    ]


def why(project: Project, image: int) -> dict[str, Any]:
    """Return why an image was asked, as JSON values.

    Before the image has an answer, its rank and the reason are left out: an image of the audit must
    not be recognised, since people would answer it in another way.

    Parameters
    ----------
    project : Project
        The project.
    image : int
        The image.
    """
    state = project.state()
    space = space_of(project.cache)
    shown: dict[str, Any] = {
        "image": image,
        "space": None if space is None else space.name,
        "answered": settled(state, image),
        "neighbours": [],
    }
    if space is not None:
        shown["neighbours"] = [vars(one) for one in neighbours(space, state, image)]
    if not shown["answered"]:
        return shown
    answer = state.last.get(image)
    if answer is None or answer.model is None:
        return shown
    asked = project.asked(answer.model, image)
    if asked is None:  # the queue was used up, or was of too long ago to be kept
        reason = None if project.asked(answer.model) is None else AT_RANDOM
        return shown | {"model": answer.model, "rank": answer.position, "reason": reason}
    return shown | {
        "model": answer.model,
        "rank": asked.position,
        "score": asked.score,
        "audit": asked.audit,
        "reason": asked.reason,
    }


def space_of(cache: Path) -> Space | None:
    """Return the space of a project, read again only when its file was replaced."""
    return _read(cache, stamp(cache / FULL), stamp(cache / QUICK))


@lru_cache(maxsize=1)
def _read(cache: Path, full: tuple[int, int], quick: tuple[int, int]) -> Space | None:
    return newest_space(cache)
