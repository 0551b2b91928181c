"""The centres: labelled and picked rows, in order, kept ready for products with other rows.

n rows, L centres, k of them at a time, B blocks, d_b columns of block b.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.distance.exact import Floats
from nextlabel.kernels.distance.products import FloatType, ShiftedRows, inner
from nextlabel.kernels.k_centre.tuning import STANDARD, KCentreTuning

Positions = NDArray[np.int64]


class NormedRows(NamedTuple):
    """Shifted rows block by block, each (n, d_b), and their squared norms ‖z‖² (n)."""

    rows: list[Array]
    squared_norms: Floats

    def take(self, positions: Positions) -> "NormedRows":
        """Return some of the rows."""
        return NormedRows([block[positions] for block in self.rows], self.squared_norms[positions])


class Centres:
    """Ids, squared norms and weighted rows of the centres.

    Parameters
    ----------
    shifted
        The rows of the metric.
    precision
        FloatType of the products.
    capacity
        The largest number of centres.
    tuning
        Sizes for speed and memory.

    """

    def __init__(
        self,
        shifted: ShiftedRows,
        precision: FloatType,
        capacity: int,
        tuning: KCentreTuning = STANDARD,
    ) -> None:
        self.shifted, self.precision, self.tuning = shifted, precision, tuning
        self.kappa, self.eta = shifted.error(precision)
        self.count = 0
        self._ids = np.empty(capacity, np.int64)
        self._squared_norms = np.empty(capacity)
        row_bytes = shifted.metric.dimensions * np.dtype(precision).itemsize
        self.kept = min(capacity, max(tuning.cached_bytes // row_bytes, 1))
        self._rows = [
            np.empty((self.kept, block.array.shape[1]), precision)
            for block in shifted.metric.blocks
        ]

    def __len__(self) -> int:
        return self.count

    @property
    def ids(self) -> Ids:
        """Their ids, in order (L)."""
        return self._ids[: self.count]

    @property
    def squared_norms(self) -> Floats:
        """Their ‖z‖², in order (L)."""
        return self._squared_norms[: self.count]

    def add(self, ids: Ids) -> None:
        """Append centres; copies of another centre are left out by the caller."""
        for start in range(0, len(ids), 1024):
            some = ids[start : start + 1024]
            rows = self.shifted.rows(some, self.precision)
            begin, self.count = self.count, self.count + len(some)
            self._ids[begin : self.count] = some
            self._squared_norms[begin : self.count] = self.shifted.squares(rows)
            weighted = self.shifted.weighted(rows, self.precision)
            for kept, block in zip(self._rows, weighted, strict=True):
                kept[begin : self.count] = block[: max(self.kept - begin, 0)]

    def rows(self, begin: int, end: int) -> list[Array]:
        """Return the weighted rows of centres begin … end - 1, block by block (k, d_b)."""
        if end <= self.kept:
            return [kept[begin:end] for kept in self._rows]
        rows = self.shifted.rows(self._ids[begin:end], self.precision)
        return self.shifted.weighted(rows, self.precision)

    def in_float64(self) -> "Centres":
        """Return the same centres with products in float64."""
        centres = Centres(self.shifted, np.float64, len(self._ids), self.tuning)
        centres.add(self.ids)
        return centres

    # -- rows against some others, for the initial bounds ----------------------------------------

    def normed(self, rows: list[Array]) -> NormedRows:
        """Return rows with squared norms that are at least the true ones."""
        return NormedRows(rows, self.shifted.quick_squares(rows) / (1 - self.kappa))

    def weighted(self, rows: list[Array], squared_norms: Floats) -> NormedRows:
        """Return rows as the other side of products."""
        return NormedRows(self.shifted.weighted(rows, self.precision), squared_norms)

    def nearest(self, rows: NormedRows, others: NormedRows) -> Positions:
        """Return the position of the nearest of the weighted others, or nearly it (n)."""
        return np.asarray(_closeness(rows, others).argmax(axis=1))

    def upper_bounds(
        self, rows: NormedRows, others: NormedRows
    ) -> tuple[Positions, Floats, Floats]:
        """Return a near one of the weighted others, ‖z‖² + ‖o‖² - 2 z·o + slack, and the slack.

        All three are (n); the second is at least the squared distance to that other row.
        """
        closeness = _closeness(rows, others)  # [n, k]
        best = closeness.argmax(axis=1)  # [n]
        slack = 2 * self.kappa * (rows.squared_norms + others.squared_norms[best]) + self.eta  # [n]
        largest = closeness[np.arange(len(best)), best].astype(np.float64)  # [n]
        return best, rows.squared_norms - 2 * largest + slack, slack

    # -- rows against the centres ----------------------------------------------------------------

    def pairs_to_measure(
        self, rows: NormedRows, bounds: Floats, begin: int, end: int
    ) -> tuple[Positions, Positions]:
        """Return (row, centre) of every pair that may be a row's nearest and below its bound.

        Centres begin … end - 1 are compared; a row of bound 0 has no pair. With
        g = z·c - ‖c‖²/2 a squared distance is ‖z‖² - 2g, off by at most `slack`. The g of the
        nearest centre is at most `slack` below the largest g.
        """
        product = inner(rows.rows, self.rows(begin, end))  # [n, k]
        centre_norms = self._squared_norms[begin:end]  # [k]
        product -= (centre_norms / 2).astype(product.dtype)  # g [n, k]
        best = product.max(axis=1).astype(np.float64)  # [n]
        slack = self.kappa * (rows.squared_norms + centre_norms.max()) + self.eta  # [n]
        least = (rows.squared_norms - bounds - slack) / 2  # [n]: g below it is beyond the bound
        # No distance is below 0. Without slack an equal distance does not lower the bound.
        hits = np.flatnonzero((best > least) & (bounds > 0))
        if self.shifted.integral:
            return hits, product[hits].argmax(axis=1) + begin
        limit = np.maximum(least, best - slack)[hits].astype(product.dtype)
        limit = np.nextafter(limit, product.dtype.type(-np.inf))
        positions, columns = np.nonzero(product[hits] >= limit[:, None])
        return hits[positions], columns + begin


def _closeness(rows: NormedRows, others: NormedRows) -> Array:
    """Return z·o - ‖o‖²/2, shape (n, k): the nearer the larger."""
    product = inner(rows.rows, others.rows)  # [n, k]
    product -= (others.squared_norms / 2).astype(product.dtype)
    return product
