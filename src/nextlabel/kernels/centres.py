"""The centres so far, in order, with their rows at hand for matrix products."""

import numpy as np

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.screen import Precision, Screen

CACHE = 2**27
"""Bytes of centre rows that are kept; what goes beyond is read again when it is needed."""


class Centres:
    """Ids and norms of up to `capacity` centres; those that copy another are never added."""

    def __init__(self, screen: Screen, precision: Precision, capacity: int) -> None:
        self.screen, self.precision, self.count = screen, precision, 0
        self._ids = np.empty(capacity, np.int64)
        self._norms = np.empty(capacity)
        row = screen.metric.dimensions * np.dtype(precision).itemsize
        self.kept = min(capacity, max(CACHE // row, 1))
        self._rows = [
            np.empty((self.kept, part.array.shape[1]), precision) for part in screen.metric.parts
        ]

    def __len__(self) -> int:
        return self.count

    @property
    def ids(self) -> Ids:
        """Their ids, in order."""
        return self._ids[: self.count]

    @property
    def norms(self) -> Array:
        """Their ‖z‖², in order."""
        return self._norms[: self.count]

    def add(self, ids: Ids) -> None:
        """Append centres."""
        for start in range(0, len(ids), 1024):
            span = ids[start : start + 1024]
            rows = self.screen.rows(span, self.precision)
            begin, end = self.count, self.count + len(span)
            self._ids[begin:end] = span
            self._norms[begin:end] = self.screen.squares(rows)
            self.count = end
            for kept, own in zip(
                self._rows, self.screen.weighted(rows, self.precision), strict=True
            ):
                kept[begin:end] = own[: max(self.kept - begin, 0)]

    def rows(self, begin: int, end: int) -> list[Array]:
        """Return the weighted rows of centres begin … end - 1, block by block."""
        if end <= self.kept:
            return [kept[begin:end] for kept in self._rows]
        rows = self.screen.rows(self._ids[begin:end], self.precision)
        return self.screen.weighted(rows, self.precision)

    def turned(self, precision: Precision) -> "Centres":
        """Return the same centres in another precision."""
        centres = Centres(self.screen, precision, len(self._ids))
        centres.add(self.ids)
        return centres
