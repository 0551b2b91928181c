"""Upper bounds on the squared distance of every row to its nearest centre.

N images, R rows in the reservoir, W top rows; n values of any of them, k of which are the largest.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Ids
from nextlabel.kernels.distance.exact import Floats
from nextlabel.kernels.k_centre.tuning import STANDARD

CLOSED = -np.inf
"""The bound of a row that cannot be picked: it is labelled, excluded or picked already."""


class TopRows(NamedTuple):
    """Rows of the largest bounds, and of all others the largest bound and the smallest id with it.

    A row can be the next pick only when it comes before (`bound_outside`, `id_outside`).
    """

    ids: Ids
    bound_outside: float
    id_outside: int

    def ahead(self, bounds: Floats, ids: Ids) -> NDArray[np.bool_]:
        """Return which rows come before all outside: larger, or equal with a smaller id."""
        tied = (bounds == self.bound_outside) & (ids < self.id_outside)  # [n]
        return np.asarray((bounds > self.bound_outside) | tied)


class UpperBounds:
    """Upper bounds on every candidate's squared distance to its nearest centre; they only fall.

    Parameters
    ----------
    value
        The bounds, float64 (N); `CLOSED` marks rows that cannot be picked.
    reservoir
        Rows from which the top rows are drawn.

    """

    def __init__(self, value: Floats, reservoir: int = STANDARD.reservoir) -> None:
        self.value, self.size = value, reservoir
        self._refill()

    def _refill(self) -> None:
        # Bounds outside the reservoir do not change, so the best outside stays the same.
        self.reservoir = highest_first(self.value, self.size)  # [R]
        self.bound_outside, self.id_outside = _best_outside(self.value, self.reservoir)

    def top(self, count: int) -> TopRows:
        """Return the `count` rows of the largest (bound, smallest id); fewer when fewer are left.

        Ties are cut by id: another cut through the middle of a tie could return the same rows for
        ever.
        """
        count = min(count, self.size)
        whole = TopRows(self.reservoir, self.bound_outside, self.id_outside)
        ids = self.reservoir[whole.ahead(self.value[self.reservoir], self.reservoir)]  # [≤ R]
        if len(ids) < count and self.bound_outside > CLOSED:
            self._refill()
            ids = self.reservoir
        values = self.value[ids]  # [≤ R]
        positions = highest_first(values, count)  # [W]
        bound, position = _best_outside(values, positions)
        if bound == CLOSED:  # all of the reservoir is in: the best outside is outside that
            return TopRows(ids[positions], self.bound_outside, self.id_outside)
        return TopRows(ids[positions], bound, int(ids[position]))


def highest_first(values: Floats, count: int) -> NDArray[np.int64]:
    """Return the positions, ascending, of the `count` largest above CLOSED; the smaller at ties."""
    if count < len(values):
        least = np.partition(values, len(values) - count)[len(values) - count]
        if least > CLOSED:
            above = np.flatnonzero(values > least)  # [< k]
            tied = np.flatnonzero(values == least)[: count - len(above)]
            return np.sort(np.concatenate([above, tied]))  # [k]
    return np.flatnonzero(values > CLOSED)


def _best_outside(values: Floats, inside: NDArray[np.int64]) -> tuple[float, int]:
    """Return the largest value outside some positions and its smallest position."""
    if not len(values):
        return CLOSED, 0
    others = values.copy()  # [n]
    others[inside] = CLOSED
    best = int(others.argmax())
    return float(others[best]), best
