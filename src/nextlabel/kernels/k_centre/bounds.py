"""Upper bounds of the distance to the nearest centre, and how they are lowered."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.distance.products import Screen
from nextlabel.kernels.k_centre.centres import Centres

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


GRID = 64
"""`seen` is rounded down to this, so that rows which are almost as stale share a product."""

CHUNK = 16 * GRID
"""Centres at a time (at least GRID): then rows that have fallen behind the window are dropped."""

WASTE = 0.005
"""Share of pairs measured in vain from which more precise products are the cheaper ones."""

GRACE = 5000
"""Pairs that may be measured in vain before that share is looked at."""


class Refresh:
    """The state of the greedy: bounds, centres, and how many of these each row has seen.

    A row's bound is the smallest squared distance to its first `seen` centres, or its first
    witness when that is smaller, and then its nearest centre is not among the seen.
    """

    def __init__(self, metric: Metric, screen: Screen, centres: Centres, bounds: Bounds) -> None:
        self.metric, self.screen, self.centres, self.bounds = metric, screen, centres, bounds
        self.seen = np.zeros(metric.size, np.int64)
        self.wasted, self.screened = 0, 0
        self._since = 0, 0
        self._error()

    def _error(self) -> None:
        self.kappa, self.eta = self.screen.error(self.centres.precision)

    def sharpen(self) -> None:
        """Turn to more precise products where these rule out too little; picks stay the same."""
        wasted, screened = self.wasted - self._since[0], self.screened - self._since[1]
        if wasted > WASTE * screened + GRACE and (sharper := self.centres.sharper()) is not None:
            self.centres = sharper
            self._since = self.wasted, self.screened
            self._error()

    def rows(self, ids: Ids) -> tuple[list[Array], NDArray[np.float64]]:
        """Return rows in the centres' precision, block by block, and their norms ‖z‖²."""
        rows = self.screen.rows(ids, self.centres.precision)
        return rows, self.screen.squares(rows)

    def run(self, window: Window, rows: list[Array], norms: NDArray[np.float64]) -> None:
        """Let every row of the window see all centres, or fall behind the window."""
        ids, total = window.ids, len(self.centres)
        seen = self.seen[ids]
        places = np.flatnonzero(seen < total)
        lot: Any = self.centres.lot(rows, norms) if places.size else None
        while places.size:
            level = seen[places] // GRID * GRID
            begin = int(level.min())
            later = level[level > begin]
            end = min(begin + CHUNK, total, int(later.min()) if later.size else total)
            now = places[level == begin]
            self._see(ids[now], lot if len(now) == len(ids) else lot.take(now), begin, end)
            seen[now] = end
            places = places[
                (seen[places] < total) & window.ahead(self.bounds.value[ids[places]], ids[places])
            ]
        self.seen[ids] = seen

    def _see(self, ids: Ids, lot: Any, begin: int, end: int) -> None:
        """Lower the bounds of rows to the nearest of centres begin … end - 1."""
        before = self.bounds.value[ids]
        hits, columns = self.centres.near(lot, before, begin, end)
        self.screened += len(ids) * (end - begin)
        if hits.size:
            measured = self.metric.pair_distances(ids[hits], self.centres.ids[columns])
            np.minimum.at(self.bounds.value, ids[hits], measured)
            self.wasted += hits.size - int((self.bounds.value[ids] < before).sum())
