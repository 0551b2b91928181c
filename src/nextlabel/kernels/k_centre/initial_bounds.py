"""First upper bounds: every row's distance to one centre that is near it, without a table of all.

Any centre is a valid witness, for the distance to the nearest is no larger: the clustering below
decides how tight the bounds are and never which rows are picked.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array
from nextlabel.kernels.distance.exact import TILE
from nextlabel.kernels.k_centre.centres import Centres, Floats, Places

STEPS = 2
"""Steps of k-means that place the pivots."""

VALUES = 2**23
"""Values of features at a time; a float32 tile is 32 MB."""


def first_bounds(centres: Centres, between: Callable[[], None]) -> NDArray[np.float64]:
    """Return an upper bound (N) on each row's squared distance to its nearest centre.

    The centres are clustered around about 1.2·√|L| pivots; a row is compared with the members of
    its nearest pivot alone. `between` is called after every tile.
    """
    screen = centres.screen
    metric = screen.metric
    clusters = _Clusters(centres)
    value = np.empty(metric.size)
    height = max(VALUES // metric.dimensions, 256)
    for start in range(0, metric.size, height):
        tile = slice(start, min(start + height, metric.size))
        witness, bound, slack = clusters.witness(screen.rows(tile, centres.precision))
        # Where the rounding is large against the distance itself, that is measured instead.
        loose = np.flatnonzero(64 * slack > bound)
        value[tile] = bound
        value[loose + start] = metric.pair_distances(loose + start, centres.ids[witness[loose]])
        between()
    return value


class _Clusters:
    """Pivots and, for each, the centres nearest to it."""

    def __init__(self, centres: Centres) -> None:
        self.centres, self.screen = centres, centres.screen
        # A crowd is thinned, for memory as for time: any witness will do.
        some = _spread(np.arange(len(centres)), centres.kept)
        count = max(1, round(1.2 * len(some) ** 0.5))
        plain = self._place(_spread(some, 32 * count), count)
        owner = np.concatenate(
            [self._owner(self._plain(some[s : s + TILE])) for s in range(0, len(some), TILE)]
        )
        self.members = [
            _spread(own, 4 * len(some) // count + 1)
            for own in (some[owner == pivot] for pivot in range(count))
            if own.size
        ]
        self._at([own[np.unique(owner)] for own in plain])
        self.others = [centres.others(self._plain(m), centres.norms[m]) for m in self.members]

    def _plain(self, own: Places) -> list[Array]:
        return self.screen.rows(self.centres.ids[own], self.centres.precision)

    def _place(self, some: Places, count: int) -> list[Array]:
        """Put `count` pivots at means of `some` centres, by a few steps of k-means."""
        rows = self._plain(some)
        plain = [own[_spread(np.arange(len(some)), count)] for own in rows]
        self._at(plain)
        for _ in range(STEPS):
            owner = self._owner(rows)
            order = np.argsort(owner, kind="stable")
            heads = np.flatnonzero(np.diff(owner[order], prepend=-1))
            sizes = np.diff(heads, append=len(order))[:, None]
            means = [np.add.reduceat(own[order], heads, axis=0) / sizes for own in rows]
            for kept, mean in zip(plain, means, strict=True):
                kept[owner[order][heads]] = mean
            self._at(plain)
        return plain

    def _at(self, plain: list[Array]) -> None:
        self.pivots = self.centres.others(plain, self.screen.squares(plain))

    def _owner(self, rows: list[Array]) -> Places:
        return self.centres.nearest(self.centres.tile(rows), self.pivots)

    def witness(self, rows: list[Array]) -> tuple[Places, Floats, Floats]:
        """Return each row's witness, a place among the centres, its bound and the slack in it."""
        tile = self.centres.tile(rows)
        owner = self.centres.nearest(tile, self.pivots)
        order = np.argsort(owner, kind="stable")
        ends = np.searchsorted(owner[order], np.arange(len(self.members) + 1))
        witness = np.empty(len(owner), np.int64)
        bound, slack = np.empty(len(owner)), np.empty(len(owner))
        for pivot in np.flatnonzero(np.diff(ends)):
            own = order[ends[pivot] : ends[pivot + 1]]
            best, bound[own], slack[own] = self.centres.witness(tile.take(own), self.others[pivot])
            witness[own] = self.members[pivot][best]
        return witness, bound, slack


def _spread(values: Places, limit: int) -> Places:
    """Return at most `limit` of the values, evenly spaced."""
    if len(values) <= limit:
        return values
    return values[np.arange(limit) * len(values) // limit]
