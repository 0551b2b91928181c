"""Picks inside a window: rows that are up to date, against each other and each new pick."""

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.distance.products import inner
from nextlabel.kernels.k_centre.bounds import OUT, Refresh, Window

BLOCK = 64
"""Rows whose products with all others are computed together when the first of them is picked."""


class Contest:
    """Rows `ids` (m, ascending) with exact values, and bounds on them as picks become centres.

    `upper` and `lower` enclose the squared distance to the nearest centre; where they differ, the
    row is measured when, and only when, it would be the next pick.
    """

    def __init__(
        self, state: Refresh, window: Window, ids: Ids, rows: list[Array], norms: Array
    ) -> None:
        self.state, self.window, self.ids, self.rows, self.norms = state, window, ids, rows, norms
        self.exact = state.bounds.value[ids]
        self.upper, self.lower = self.exact.copy(), self.exact.copy()
        self.checked = np.zeros(len(ids), np.int64)  # how many picks `exact` accounts for
        self.picks: list[int] = []
        self.lows: list[NDArray[np.float64]] = []
        self.ready: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}

    def run(self, limit: int) -> Ids:
        """Pick up to `limit` rows while the best stands before all outside; return their ids."""
        while len(self.picks) < limit:
            best = int(self.upper.argmax())  # the smallest place, hence id, at a tie
            value = self.upper[best]
            if value < self.window.rest or value == OUT:
                break
            if value == self.window.rest and self.ids[best] > self.window.first:
                break
            if self.lower[best] < value:
                self._settle(best)
            else:
                self._pick(best)
        return self.ids[self.picks]

    def _settle(self, place: int) -> None:
        """Measure a row against the picks that may be nearer than all before."""
        near = [
            self.picks[k]
            for k in range(self.checked[place], len(self.picks))
            if self.lows[k][place] <= self.upper[place]
        ]
        own = np.full(len(near), self.ids[place])
        measured = self.state.metric.pair_distances(own, self.ids[near])
        value = min(self.exact[place], measured.min(initial=np.inf))
        self.exact[place] = self.upper[place] = self.lower[place] = value
        self.checked[place] = len(self.picks)

    def _pick(self, place: int) -> None:
        if place not in self.ready:
            self._prepare()
        high, low = self.ready.pop(place)
        self.picks.append(place)
        self.lows.append(low)
        np.minimum(self.upper, high, out=self.upper)
        np.minimum(self.lower, low, out=self.lower)
        self.upper[place] = self.lower[place] = OUT

    def _prepare(self) -> None:
        """Bound the distances of the next likely picks to all rows."""
        waiting = self.upper.copy()
        waiting[list(self.ready)] = OUT
        likely = np.argsort(-waiting, kind="stable")[:BLOCK]
        precision = self.state.centres.precision
        own = self.state.screen.weighted([block[likely] for block in self.rows], precision)
        squares = self.norms[likely][:, None] + self.norms
        slack = self.state.kappa * squares + self.state.eta
        squares -= 2 * inner(own, self.rows).astype(np.float64)
        high, low = squares + slack, squares - slack
        for k, place in enumerate(likely.tolist()):
            self.ready[place] = high[k], low[k]

    def close(self) -> None:
        """Hand what is known back: picks are centres and out, the others keep their bounds."""
        bounds, centres = self.state.bounds, self.state.centres
        new = np.array([k for k in self.picks if self.exact[k] > 0], np.int64)
        bounds.value[self.ids] = self.upper
        centres.add(self.ids[new])
        known = self.lower == self.upper
        self.state.seen[self.ids[known]] = len(centres)
