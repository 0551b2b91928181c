"""Draws by the same probabilities again and again, as scikit-learn's k-means makes its batches.

n values to draw from, s draws.
"""

from typing import Any

import numpy as np

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.distance.exact import Floats

STEPS = 4
"""Values that are passed one by one before a binary search; even probabilities need two."""


class RepeatedDraws(np.random.RandomState):
    """A RandomState whose `choice` prepares the same probabilities once, not at each call.

    All draws are those of RandomState with the same seed. The array of probabilities must not
    change between calls.
    """

    _probabilities: Array | None = None
    _sums: Floats
    _first: Ids

    def choice(  # type: ignore[override]  # one way of calling for all that numpy has
        self, a: Any, size: Any = None, replace: bool = True, p: Array | None = None
    ) -> Any:
        """Return draws as RandomState does, with its parameters and errors."""
        if p is None or p is not self._probabilities or not replace or np.ndim(a) or a != len(p):
            drawn = super().choice(a, size, replace, p)
            if p is not None and p is not self._probabilities:
                self._prepare(p)
            return drawn
        marks = np.asarray(self.random_sample(size))
        values = self._values_at(marks.ravel())
        return int(values[0]) if size is None else values.reshape(marks.shape)

    def _prepare(self, p: Array) -> None:
        """Keep the sums of probabilities (n), and where to begin in each n-th of 1 (n)."""
        self._probabilities, self._sums = p, np.cumsum(p, dtype=np.float64)
        self._sums /= self._sums[-1]
        ends = np.arange(len(p)) / len(p)
        self._first = self._sums.searchsorted(ends, side="right")

    def _values_at(self, marks: Floats) -> Ids:
        """Return for each mark (s) the first value whose sum is larger."""
        # One n-th before the mark's own, since the product may be rounded up.
        nth = np.maximum((marks * len(self._sums)).astype(np.int64) - 1, 0)
        values = self._first[nth]  # [s]
        for _ in range(STEPS):
            values += self._sums[values] <= marks
        late = np.flatnonzero(self._sums[values] <= marks)
        values[late] = self._sums.searchsorted(marks[late], side="right")
        return values
