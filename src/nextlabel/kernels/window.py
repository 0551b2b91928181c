"""Who may be next: the rows with the largest upper bounds, and the best bound among the others."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Ids

RESERVOIR = 16384
"""Rows from which windows are drawn, so that a window costs no look at all N."""

OUT = -np.inf
"""The bound of who cannot be picked: labelled, excluded or picked."""


class Window(NamedTuple):
    """Rows `ids`, ascending, and of all others the largest bound and the smallest id that has it.

    A row of value v can be the pick only when it stands before (`rest`, `first`).
    """

    ids: Ids
    rest: float
    first: int

    def ahead(self, values: NDArray[np.float64], ids: Ids) -> NDArray[np.bool_]:
        """Say which rows stand before all outside: of a larger value, or as large and smaller."""
        level = (values == self.rest) & (ids < self.first)
        return np.asarray((values > self.rest) | level)


class Bounds:
    """Upper bounds on every candidate's squared distance to its nearest centre; they only fall.

    `value` is float64 (N); `OUT` marks who cannot be picked and never enters a window.
    """

    def __init__(self, value: NDArray[np.float64]) -> None:
        self.value = value
        self._refill()

    def _refill(self) -> None:
        # Bounds outside the reservoir do not change, so `rest` and `first` stay what they are.
        self.reservoir = highest_first(self.value, RESERVOIR)
        self.rest, self.first = _best_outside(self.value, self.reservoir)

    def window(self, size: int) -> Window:
        """Return the `size` rows of the largest (bound, smallest id); fewer when no more are left.

        Ties are cut by id, for a cut through the middle of a tie that ignores it could bring the
        same rows for ever.
        """
        size = min(size, RESERVOIR)
        whole = Window(self.reservoir, self.rest, self.first)
        own = self.reservoir[whole.ahead(self.value[self.reservoir], self.reservoir)]
        if len(own) < size and self.rest > OUT:
            self._refill()
            own = self.reservoir
        values = self.value[own]
        places = highest_first(values, size)
        rest, first = _best_outside(values, places)
        if rest == OUT:  # all of the reservoir is in: the best outside is outside that, too
            return Window(own[places], self.rest, self.first)
        return Window(own[places], rest, int(own[first]))


def highest_first(values: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Return the positions, ascending, of the `count` largest above OUT; the smaller at a tie."""
    if count < len(values):
        least = np.partition(values, len(values) - count)[len(values) - count]
        if least > OUT:
            above = np.flatnonzero(values > least)
            level = np.flatnonzero(values == least)[: count - len(above)]
            return np.sort(np.concatenate([above, level]))
    return np.flatnonzero(values > OUT)


def _best_outside(values: NDArray[np.float64], inside: NDArray[np.int64]) -> tuple[float, int]:
    others = values.copy()
    others[inside] = OUT
    best = int(others.argmax()) if len(others) else 0
    return (float(others[best]), best) if len(others) else (OUT, 0)
