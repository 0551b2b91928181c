"""Initial upper bounds: the squared distance of every row to one centre that is near it.

The distance to any centre is at least that to the nearest, so any centre gives a valid bound. The
clusters below decide how tight the bounds are, and never the picks.

N images, n rows of a tile, L centres, P pivots, m members of a pivot, d_b columns of block b.
"""

from collections.abc import Callable

import numpy as np

from nextlabel.core.types import Array
from nextlabel.kernels.distance.exact import TILE, Floats
from nextlabel.kernels.k_centre.centres import Centres, NormedRows, Positions

STEPS = 2
"""Steps of k-means that place the pivots."""


def initial_bounds(centres: Centres, between: Callable[[], None]) -> Floats:
    """Return an upper bound (N) on each row's squared distance to its nearest centre.

    The centres are clustered around about 1.2·√L pivots; a row is compared with the members of
    its nearest pivot alone. `between` is called after every tile.
    """
    shifted = centres.shifted
    metric = shifted.metric
    clusters = _PivotClusters(centres)
    value = np.empty(metric.size)  # [N]
    height = max(centres.tuning.tile_values // metric.dimensions, 256)
    for start in range(0, metric.size, height):
        tile = slice(start, min(start + height, metric.size))
        centre, bound, slack = clusters.upper_bounds(shifted.rows(tile, centres.precision))  # [n]
        # Where the rounding is large against the distance itself, the distance is measured.
        loose = np.flatnonzero(64 * slack > bound)
        value[tile] = bound
        value[loose + start] = metric.pair_distances(loose + start, centres.ids[centre[loose]])
        between()
    return value


class _PivotClusters:
    """Pivots and, for each, the centres nearest to it."""

    def __init__(self, centres: Centres) -> None:
        self.centres, self.shifted = centres, centres.shifted
        # Very many centres are thinned, for memory and time: any centre gives a bound.
        some = _evenly(np.arange(len(centres)), centres.kept)
        count = max(1, round(1.2 * len(some) ** 0.5))
        pivots = self._place(_evenly(some, 32 * count), count)
        owner = np.concatenate(
            [self._owner(self._rows(some[s : s + TILE])) for s in range(0, len(some), TILE)]
        )
        members = (some[owner == pivot] for pivot in range(count))
        most = 4 * len(some) // count + 1
        self.members = [_evenly(some, most) for some in members if some.size]  # [m] per pivot
        self._set_pivots([block[np.unique(owner)] for block in pivots])
        self.member_rows = [
            centres.weighted(self._rows(m), centres.squared_norms[m]) for m in self.members
        ]

    def _rows(self, positions: Positions) -> list[Array]:
        return self.shifted.rows(self.centres.ids[positions], self.centres.precision)

    def _place(self, some: Positions, count: int) -> list[Array]:
        """Put `count` pivots at means of `some` centres, by a few steps of k-means."""
        rows = self._rows(some)  # [., d_b] per block
        pivots = [block[_evenly(np.arange(len(some)), count)] for block in rows]  # [P, d_b]
        self._set_pivots(pivots)
        for _ in range(STEPS):
            owner = self._owner(rows)
            order = np.argsort(owner, kind="stable")
            starts = np.flatnonzero(np.diff(owner[order], prepend=-1))
            sizes = np.diff(starts, append=len(order))[:, None]
            means = [np.add.reduceat(block[order], starts, axis=0) / sizes for block in rows]
            for kept, mean in zip(pivots, means, strict=True):
                kept[owner[order][starts]] = mean
            self._set_pivots(pivots)
        return pivots

    def _set_pivots(self, rows: list[Array]) -> None:
        self.pivots: NormedRows = self.centres.weighted(rows, self.shifted.squares(rows))

    def _owner(self, rows: list[Array]) -> Positions:
        """Return the nearest pivot of each row (n)."""
        return self.centres.nearest(self.centres.normed(rows), self.pivots)

    def upper_bounds(self, rows: list[Array]) -> tuple[Positions, Floats, Floats]:
        """Return each row's centre, as a position, its bound and the slack in that; all (n)."""
        normed = self.centres.normed(rows)
        owner = self.centres.nearest(normed, self.pivots)  # [n]
        order = np.argsort(owner, kind="stable")
        ends = np.searchsorted(owner[order], np.arange(len(self.members) + 1))
        centre = np.empty(len(owner), np.int64)
        bound, slack = np.empty(len(owner)), np.empty(len(owner))
        for pivot in np.flatnonzero(np.diff(ends)):
            owned = order[ends[pivot] : ends[pivot + 1]]
            best, bound[owned], slack[owned] = self.centres.upper_bounds(
                normed.take(owned), self.member_rows[pivot]
            )
            centre[owned] = self.members[pivot][best]
        return centre, bound, slack


def _evenly(values: Positions, limit: int) -> Positions:
    """Return at most `limit` of the values, evenly spaced."""
    if len(values) <= limit:
        return values
    return values[np.arange(limit) * len(values) // limit]
