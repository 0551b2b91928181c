"""Picks among candidates: rows whose bound is exact and above all others.

C candidates, b of them at a time.
"""

import numpy as np

from nextlabel.core.types import Ids
from nextlabel.kernels.distance.exact import Floats
from nextlabel.kernels.distance.products import inner
from nextlabel.kernels.k_centre.bounds import CLOSED, TopRows
from nextlabel.kernels.k_centre.centres import NormedRows
from nextlabel.kernels.k_centre.state import GreedyState


class Candidates:
    """Rows with exact squared distances, and bounds on them as picks become centres.

    `upper` and `lower` enclose the squared distance to the nearest centre. Where they differ, a row
    is measured when, and only when, it would be the next pick.

    Parameters
    ----------
    state
        The state of the selection.
    top
        The top rows from which the candidates come.
    ids
        Their ids, ascending (C).
    rows
        Their rows.

    """

    def __init__(self, state: GreedyState, top: TopRows, ids: Ids, rows: NormedRows) -> None:
        self.state, self.top, self.ids, self.rows = state, top, ids, rows
        self.exact = state.bounds.value[ids]  # [C]
        self.upper, self.lower = self.exact.copy(), self.exact.copy()
        self.checked = np.zeros(len(ids), np.int64)  # [C]: picks that `exact` accounts for
        self.picks: list[int] = []  # positions
        self.lower_to_picks: list[Floats] = []  # [C] per pick
        self.ready: dict[int, tuple[Floats, Floats]] = {}

    def run(self, limit: int) -> Ids:
        """Pick up to `limit` rows while the best comes before all outside; return their ids."""
        while len(self.picks) < limit:
            best = int(self.upper.argmax())  # the smallest position, hence id, at a tie
            value = self.upper[best]
            if value < self.top.bound_outside or value == CLOSED:
                break
            if value == self.top.bound_outside and self.ids[best] > self.top.id_outside:
                break
            if self.lower[best] < value:
                self._measure(best)
            else:
                self._pick(best)
        return self.ids[self.picks]

    def _measure(self, position: int) -> None:
        """Measure a row against the picks that may be nearer than all centres before."""
        near = [
            self.picks[k]
            for k in range(self.checked[position], len(self.picks))
            if self.lower_to_picks[k][position] <= self.upper[position]
        ]
        copies = np.full(len(near), self.ids[position])
        measured = self.state.metric.pair_distances(copies, self.ids[near])
        value = min(self.exact[position], measured.min(initial=np.inf))
        self.exact[position] = self.upper[position] = self.lower[position] = value
        self.checked[position] = len(self.picks)

    def _pick(self, position: int) -> None:
        if position not in self.ready:
            self._prepare()
        high, low = self.ready.pop(position)  # [C]
        self.picks.append(position)
        self.lower_to_picks.append(low)
        np.minimum(self.upper, high, out=self.upper)
        np.minimum(self.lower, low, out=self.lower)
        self.upper[position] = self.lower[position] = CLOSED

    def _prepare(self) -> None:
        """Bound the squared distances of the next likely picks to all candidates."""
        waiting = self.upper.copy()
        waiting[list(self.ready)] = CLOSED
        likely = np.argsort(-waiting, kind="stable")[: self.state.tuning.prepared_rows]  # [b]
        centres, norms = self.state.centres, self.rows.squared_norms  # [C]
        weighted = centres.shifted.weighted(
            [block[likely] for block in self.rows.rows], centres.precision
        )
        squares = norms[likely][:, None] + norms  # [b, C]
        slack = centres.kappa * squares + centres.eta
        squares -= 2 * inner(weighted, self.rows.rows).astype(np.float64)
        high, low = squares + slack, squares - slack
        for k, position in enumerate(likely.tolist()):
            self.ready[position] = high[k], low[k]

    def close(self) -> None:
        """Turn the picks into centres, and hand the bounds of all candidates back."""
        bounds, centres = self.state.bounds, self.state.centres
        distinct = np.array([k for k in self.picks if self.exact[k] > 0], np.int64)
        bounds.value[self.ids] = self.upper
        centres.add(self.ids[distinct])
        exact = self.lower == self.upper
        self.state.seen[self.ids[exact]] = len(centres)
