"""First upper bounds: every row's distance to one centre that is near it, without a table of all.

Any centre is a valid witness, for the distance to the nearest is no larger: the clustering below
decides how tight the bounds are and never which rows are picked.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.centres import Centres
from nextlabel.kernels.metric import TILE
from nextlabel.kernels.screen import Screen, inner

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
        rows = screen.rows(tile, centres.precision)
        witness, product = clusters.nearest(rows)
        bound, slack = _upper(screen, centres, rows, witness, product)
        # Where the rounding is large against the distance itself, that is measured instead.
        loose = np.flatnonzero(64 * slack > bound)
        value[tile] = bound
        value[loose + start] = metric.pair_distances(loose + start, centres.ids[witness[loose]])
        between()
    return value


def _upper(
    screen: Screen, centres: Centres, rows: list[Array], witness: Ids, product: Array
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return bounds ‖z‖² + ‖w‖² - 2 z·w + slack from `product` = z·w - ‖w‖²/2, and the slack."""
    kappa, eta = screen.error(centres.precision)
    norms = screen.quick_squares(rows) / (1 - kappa)  # at least the true ones
    slack = 2 * kappa * (norms + centres.norms[witness]) + eta
    return norms - 2 * product.astype(np.float64) + slack, slack


class _Clusters:
    """Pivots and, for each, the centres nearest to it."""

    def __init__(self, centres: Centres) -> None:
        self.centres = centres
        # A crowd is thinned, for memory as for time: any witness will do.
        some = _spread(np.arange(len(centres)), centres.kept)
        count = max(1, round(1.2 * len(some) ** 0.5))
        self._place(_spread(some, 32 * count), count)
        owner = np.concatenate(
            [self._owner(self._plain(some[s : s + TILE])) for s in range(0, len(some), TILE)]
        )
        self.members, self.rows, self.halves = [], [], []
        for pivot in range(count):
            own = _spread(some[owner == pivot], 4 * len(some) // count + 1)
            rows = centres.screen.weighted(self._plain(own), centres.precision)
            self.members.append(own)
            self.rows.append(rows)
            self.halves.append((centres.norms[own] / 2).astype(centres.precision))
            if not own.size:
                self.half[pivot] = np.inf  # never anyone's nearest

    def _plain(self, own: NDArray[np.int64]) -> list[Array]:
        return self.centres.screen.rows(self.centres.ids[own], self.centres.precision)

    def _place(self, some: NDArray[np.int64], count: int) -> None:
        """Put `count` pivots at means of `some` centres, by a few steps of k-means."""
        rows = self._plain(some)
        self._at([own[_spread(np.arange(len(some)), count)] for own in rows])
        for _ in range(STEPS):
            owner = self._owner(rows)
            order = np.argsort(owner, kind="stable")
            heads = np.flatnonzero(np.diff(owner[order], prepend=-1))
            sizes = np.diff(heads, append=len(order))[:, None]
            means = [np.add.reduceat(own[order], heads, axis=0) / sizes for own in rows]
            for kept, mean in zip(self.plain, means, strict=True):
                kept[owner[order][heads]] = mean
            self._at(self.plain)

    def _at(self, plain: list[Array]) -> None:
        self.plain, precision = plain, self.centres.precision
        self.pivots = self.centres.screen.weighted(plain, precision)
        self.half = (self.centres.screen.squares(plain) / 2).astype(precision)

    def _owner(self, rows: list[Array]) -> NDArray[np.int64]:
        """Return the nearest pivot of each row: the largest z·p - ‖p‖²/2."""
        product = inner(rows, self.pivots)
        product -= self.half
        return np.asarray(product.argmax(axis=1))

    def nearest(self, rows: list[Array]) -> tuple[Ids, Array]:
        """Return each row's witness w, a place among the centres, and z·w - ‖w‖²/2."""
        owner = self._owner(rows)
        order = np.argsort(owner, kind="stable")
        ends = np.searchsorted(owner[order], np.arange(len(self.members) + 1))
        witness = np.empty(len(owner), np.int64)
        product = np.empty(len(owner), self.centres.precision)
        for pivot in np.flatnonzero(np.diff(ends)):
            own = order[ends[pivot] : ends[pivot + 1]]
            near = inner([block[own] for block in rows], self.rows[pivot])
            near -= self.halves[pivot]
            best = near.argmax(axis=1)
            witness[own] = self.members[pivot][best]
            product[own] = near[np.arange(len(own)), best]
        return witness, product


def _spread(values: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """Return at most `limit` of the values, evenly spaced."""
    if len(values) <= limit:
        return values
    return values[np.arange(limit) * len(values) // limit]
