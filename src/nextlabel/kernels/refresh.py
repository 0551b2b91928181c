"""Bring upper bounds up to date: stale rows against the centres that they have not seen."""

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.centres import Centres
from nextlabel.kernels.metric import Metric
from nextlabel.kernels.screen import Screen, inner
from nextlabel.kernels.window import Bounds, Window

GRID = 64
"""`seen` is rounded down to this, so that rows which are almost as stale share a product."""

CHUNK = 16 * GRID
"""Centres at a time (at least GRID): then rows that have fallen behind the window are dropped."""

WASTE = 0.005
"""Share of pairs measured in vain from which float64 products are the cheaper ones."""


class Refresh:
    """The state of the greedy: bounds, centres, and how many of these each row has seen.

    A row's bound is the smallest squared distance to its first `seen` centres, or its first
    witness when that is smaller, and then its nearest centre is not among the seen.
    """

    def __init__(self, metric: Metric, screen: Screen, centres: Centres, bounds: Bounds) -> None:
        self.metric, self.screen, self.centres, self.bounds = metric, screen, centres, bounds
        self.seen = np.zeros(metric.size, np.int64)
        self.wasted, self.screened = 0, 0
        self._error()

    def _error(self) -> None:
        self.kappa, self.eta = self.screen.error(self.centres.precision)

    def sharpen(self) -> None:
        """Turn to float64 where float32 rules out too little; the picks stay the same."""
        if self.centres.precision is np.float32 and self.wasted > WASTE * self.screened + 5000:
            self.centres = self.centres.turned(np.float64)
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
        while places.size:
            level = seen[places] // GRID * GRID
            begin = int(level.min())
            later = level[level > begin]
            end = min(begin + CHUNK, total, int(later.min()) if later.size else total)
            now = places[level == begin]
            whole = len(now) == len(ids)
            own = rows if whole else [block[now] for block in rows]
            self._see(ids[now], own, norms[now], begin, end)
            seen[now] = end
            places = places[
                (seen[places] < total) & window.ahead(self.bounds.value[ids[places]], ids[places])
            ]
        self.seen[ids] = seen

    def _see(
        self, ids: Ids, rows: list[Array], norms: NDArray[np.float64], begin: int, end: int
    ) -> None:
        """Lower the bounds of rows to the nearest of centres begin … end - 1."""
        product = inner(rows, self.centres.rows(begin, end))
        self.screened += product.size
        hits, columns = self._near(product, norms, self.bounds.value[ids], begin, end)
        if hits.size:
            measured = self.metric.pair_distances(ids[hits], self.centres.ids[columns])
            before = self.bounds.value[ids]
            np.minimum.at(self.bounds.value, ids[hits], measured)
            self.wasted += hits.size - int((self.bounds.value[ids] < before).sum())

    def _near(
        self,
        product: Array,
        norms: NDArray[np.float64],
        value: NDArray[np.float64],
        begin: int,
        end: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (row, centre) of every pair that may be a row's nearest and below its bound.

        With g = z·c - ‖c‖²/2 a squared distance is ‖z‖² - 2g, and off by at most `slack`: twice
        that lies between the nearest and whatever looks nearer.
        """
        centres = self.centres.norms[begin:end]
        product -= (centres / 2).astype(product.dtype)
        best = product.max(axis=1).astype(np.float64)
        slack = self.kappa * (norms + centres.max()) + self.eta
        floor = (norms - value - slack) / 2
        # Nothing comes nearer than 0. Without slack, as near as before is not nearer.
        hits = np.flatnonzero((best > floor) & (value > 0))
        if self.screen.integral:
            return hits, product[hits].argmax(axis=1) + begin
        limit = np.maximum(floor, best - slack)[hits].astype(product.dtype)
        limit = np.nextafter(limit, product.dtype.type(-np.inf))
        places, columns = np.nonzero(product[hits] >= limit[:, None])
        return hits[places], columns + begin
