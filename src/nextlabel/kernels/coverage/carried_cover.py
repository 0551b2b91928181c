"""A cover that continues from an earlier round, instead of from the beginning."""

from collections.abc import Callable
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.carried import Carried
from nextlabel.core.pool import Pool
from nextlabel.core.types import Ids


class Cover(Protocol):
    """A cover whose candidates are the images that had no label when it began."""

    unpicked: NDArray[np.bool_]
    """True for candidates that are neither picked nor labelled since."""

    @property
    def ids(self) -> Ids:
        """The ids of the candidates, ascending."""
        ...

    def take(self, position: int) -> None:
        """Make a candidate a centre."""
        ...


C = TypeVar("C", bound=Cover)


def resumed(
    carried: Carried | None,
    name: str,
    content: Callable[[], bytes],
    pool: Pool,
    begin: Callable[[], C],
) -> C:
    """Return a carried cover with all labels of a pool in it, or begin one and carry it.

    A carried cover can continue when all that it picked is labelled now: a centre cannot be taken
    back.

    Parameters
    ----------
    carried : Carried or None
        What an earlier round left.
    name : str
        The name of the cover in it.
    content : callable
        Returns the digest of all that the cover depends on but labels.
    pool : Pool
        The pool to choose from.
    begin : callable
        Begins the cover with the labels of the pool.
    """
    if carried is None:
        return begin()
    of = content()
    cover: C | None = carried.get(name, of)
    if cover is not None:
        free = cover.ids[cover.unpicked]
        if np.isin(pool.unlabelled, free, assume_unique=True).all():
            labelled = np.setdiff1d(free, pool.unlabelled, assume_unique=True)
            for position in np.searchsorted(cover.ids, labelled):
                cover.take(int(position))
            return cover
    cover = begin()
    carried.keep(name, of, cover)
    return cover
