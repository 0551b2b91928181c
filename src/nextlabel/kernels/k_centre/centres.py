"""The centres so far, in order, with their rows at hand for matrix products with others."""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.distance.products import Precision, Screen, inner

CACHE = 2**27
"""Bytes of centre rows that are kept; what goes beyond is read again when it is needed."""

Places = NDArray[np.int64]
Floats = NDArray[np.float64]


class Centres(ABC):
    """Ids and norms of up to `capacity` centres, and products that say which of them are near.

    `precision` is that of the rows handed over, `kept` the number of centres whose rows stay at
    hand; how products are computed is up to the kind of centres. A `lot` or a `tile` is rows made
    ready for them, `others` are rows for a tile to be compared with.
    """

    precision: Precision
    kept: int

    def __init__(self, screen: Screen, capacity: int) -> None:
        self.screen, self.count = screen, 0
        self._ids = np.empty(capacity, np.int64)
        self._norms = np.empty(capacity)

    def __len__(self) -> int:
        return self.count

    @property
    def capacity(self) -> int:
        """How many there may be."""
        return len(self._ids)

    @property
    def ids(self) -> Ids:
        """Their ids, in order."""
        return self._ids[: self.count]

    @property
    def norms(self) -> Array:
        """Their ‖z‖², in order."""
        return self._norms[: self.count]

    def add(self, ids: Ids) -> None:
        """Append centres; those that copy another are never given."""
        for start in range(0, len(ids), 1024):
            span = ids[start : start + 1024]
            rows = self.screen.rows(span, self.precision)
            begin, self.count = self.count, self.count + len(span)
            self._ids[begin : self.count] = span
            self._norms[begin : self.count] = self.screen.squares(rows)
            self._keep(begin, rows)

    @abstractmethod
    def _keep(self, begin: int, rows: list[Array]) -> None:
        """Keep the rows of the centres from `begin` on, as far as there is room."""

    @abstractmethod
    def lot(self, rows: list[Array], norms: Floats) -> Any:
        """Return rows with their ‖z‖² ready for `near`; `.take(places)` gives some of them."""

    @abstractmethod
    def tile(self, rows: list[Array]) -> Any:
        """Return rows ready for `nearest` and `witness`; `.take(places)` gives some of them."""

    @abstractmethod
    def others(self, rows: list[Array], norms: Floats) -> Any:
        """Return rows with their ‖z‖² for tiles to be compared with."""

    @abstractmethod
    def nearest(self, tile: Any, others: Any) -> Places:
        """Return which of the others each row is nearest to, or nearly."""

    @abstractmethod
    def witness(self, tile: Any, others: Any) -> tuple[Places, Floats, Floats]:
        """Return the same with an upper bound on the squared distance, and that bound's slack."""

    @abstractmethod
    def near(self, lot: Any, value: Floats, begin: int, end: int) -> tuple[Places, Places]:
        """Return (row, centre) of every pair that may be a row's nearest and below its value.

        Centres begin … end - 1 are looked at; a row whose value is 0 has no pair.
        """

    @abstractmethod
    def sharper(self) -> "Centres | None":
        """Return the same centres for more precise products, None when there are none."""


def room(capacity: int, row: int) -> int:
    """Return how many rows of `row` bytes are kept."""
    return min(capacity, max(CACHE // row, 1))


class Lot(NamedTuple):
    """Rows block by block and their ‖z‖²; as the other side of products, weighted."""

    rows: list[Array]
    norms: Floats

    def take(self, places: Places) -> "Lot":
        """Return some of the rows."""
        return Lot([block[places] for block in self.rows], self.norms[places])


class NumpyCentres(Centres):
    """Centres whose products are numpy's, in float32 or float64."""

    def __init__(self, screen: Screen, precision: Precision, capacity: int) -> None:
        super().__init__(screen, capacity)
        self.precision = precision
        self.kappa, self.eta = screen.error(precision)
        self.kept = room(capacity, screen.metric.dimensions * np.dtype(precision).itemsize)
        self._rows = [
            np.empty((self.kept, part.array.shape[1]), precision) for part in screen.metric.parts
        ]

    def _keep(self, begin: int, rows: list[Array]) -> None:
        weighted = self.screen.weighted(rows, self.precision)
        for kept, own in zip(self._rows, weighted, strict=True):
            kept[begin : self.count] = own[: max(self.kept - begin, 0)]

    def rows(self, begin: int, end: int) -> list[Array]:
        """Return the weighted rows of centres begin … end - 1, block by block."""
        if end <= self.kept:
            return [kept[begin:end] for kept in self._rows]
        rows = self.screen.rows(self._ids[begin:end], self.precision)
        return self.screen.weighted(rows, self.precision)

    def lot(self, rows: list[Array], norms: Floats) -> Lot:
        """Return rows ready for `near`."""
        return Lot(rows, norms)

    def tile(self, rows: list[Array]) -> Lot:
        """Return rows ready for `witness`, with norms that are at least the true ones."""
        return Lot(rows, self.screen.quick_squares(rows) / (1 - self.kappa))

    def others(self, rows: list[Array], norms: Floats) -> Lot:
        """Return the other side of products."""
        return Lot(self.screen.weighted(rows, self.precision), norms)

    def nearest(self, tile: Lot, others: Lot) -> Places:
        """Return the largest z·o - ‖o‖²/2 of each row."""
        return np.asarray(self._scores(tile, others).argmax(axis=1))

    def _scores(self, tile: Lot, others: Lot) -> Array:
        product = inner(tile.rows, others.rows)
        product -= (others.norms / 2).astype(product.dtype)
        return product

    def witness(self, tile: Lot, others: Lot) -> tuple[Places, Floats, Floats]:
        """Return the nearest and ‖z‖² + ‖o‖² - 2 z·o + slack."""
        scores = self._scores(tile, others)
        best = scores.argmax(axis=1)
        slack = 2 * self.kappa * (tile.norms + others.norms[best]) + self.eta
        found = scores[np.arange(len(best)), best].astype(np.float64)
        return best, tile.norms - 2 * found + slack, slack

    def near(self, lot: Lot, value: Floats, begin: int, end: int) -> tuple[Places, Places]:
        """Return the pairs that matter.

        With g = z·c - ‖c‖²/2 a squared distance is ‖z‖² - 2g, and off by at most `slack`: twice
        that lies between the nearest and whatever looks nearer.
        """
        product = inner(lot.rows, self.rows(begin, end))
        centres = self._norms[begin:end]
        product -= (centres / 2).astype(product.dtype)
        best = product.max(axis=1).astype(np.float64)
        slack = self.kappa * (lot.norms + centres.max()) + self.eta
        floor = (lot.norms - value - slack) / 2
        # Nothing comes nearer than 0. Without slack, as near as before is not nearer.
        hits = np.flatnonzero((best > floor) & (value > 0))
        if self.screen.integral:
            return hits, product[hits].argmax(axis=1) + begin
        limit = np.maximum(floor, best - slack)[hits].astype(product.dtype)
        limit = np.nextafter(limit, product.dtype.type(-np.inf))
        places, columns = np.nonzero(product[hits] >= limit[:, None])
        return hits[places], columns + begin

    def sharper(self) -> "NumpyCentres | None":
        """Return the same centres in float64 where products in float32 rule out too little."""
        if self.precision is np.float64:
            return None
        centres = NumpyCentres(self.screen, np.float64, self.capacity)
        centres.add(self.ids)
        return centres
