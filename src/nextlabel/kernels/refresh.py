"""Bring upper bounds up to date: stale rows against the centres that they have not seen."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.centres import Centres
from nextlabel.kernels.metric import Metric
from nextlabel.kernels.screen import Screen
from nextlabel.kernels.window import Bounds, Window

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
