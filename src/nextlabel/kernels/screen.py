"""Inner products at BLAS speed, and a bound on how wrong they can be: what need not be measured."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array
from nextlabel.kernels.metric import Metric, Part, Rows

Precision = type[np.float32] | type[np.float64]


class Screen:
    """Rows z = x - shift of a metric, and their norms ‖z‖² (float64, N).

    The shift is the mean where the mean is large against the spread (an offset would eat float32's
    24 bits) and 0 elsewhere. It is representable in float32 and so costs no rounding of its own.
    `integral` says that all values are whole and small, so that every inner product is exact.
    """

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        moments = [_moments(part, metric) for part in metric.parts]
        self.integral = len(moments) == 1 and moments[0][2]
        self.shifts = [
            np.zeros(mean.shape, np.float32) if self.integral else _shift(mean, square)
            for mean, square, _ in moments
        ]
        self.norms = np.zeros(metric.size)
        for tile in metric.tiles:
            for part, shift in zip(metric.parts, self.shifts, strict=True):
                z = part.rows(tile) - shift
                self.norms[tile] += part.weight * np.square(z, out=z).sum(axis=1)

    def rows(self, ids: Rows, precision: Precision) -> list[Array]:
        """Return the shifted rows of `ids` block by block, each (n, d_b), rounded once."""
        found: list[Array] = []
        for part, shift in zip(self.metric.parts, self.shifts, strict=True):
            raw, moved = part.array[ids], bool(shift.any())
            if raw.dtype == precision == np.float32 and part.unit == 1:
                # A plain view when there is no shift: the whole speed of a pass lies here.
                found.append(np.subtract(raw, shift) if moved else np.asarray(raw))
            else:
                rows = part.rows(ids)
                found.append((rows - shift if moved else rows).astype(precision, copy=False))
        return found

    def weighted(self, rows: Sequence[Array], precision: Precision) -> list[Array]:
        """Return shifted rows or vectors times their block's weight, a product's other side."""
        return [
            np.ascontiguousarray(r * precision(part.weight) if part.weight != 1 else r, precision)
            for part, r in zip(self.metric.parts, rows, strict=True)
        ]

    def products(self, ids: Rows, others: Sequence[Array], precision: Precision) -> Array:
        """Return Σ_b w_b z_b·o_b, (n) for `weighted` vectors (d_b), (n, k) for rows (k, d_b)."""
        total: Any = None
        for rows, other in zip(self.rows(ids, precision), others, strict=True):
            own = rows @ other.T
            total = own if total is None else np.add(total, own, out=total)
        assert total is not None
        return np.asarray(total)

    def error(self, precision: Precision) -> tuple[float, float]:
        """Return κ and η: ‖z_i‖² + ‖z_c‖² - 2 z_i·z_c is off by at most κ(‖z_i‖² + ‖z_c‖²) + η.

        Off from the *computed* direct difference, that is. A product of d terms in unit roundoff u
        is wrong by at most d·u/(1 - d·u)·‖z_i‖‖z_c‖ in any order of summation (Higham, Accuracy
        and Stability of Numerical Algorithms, 2002, section 3.1); 16 more roundings cover
        shift, weight, blocks and the norm's own; the last term covers the direct differences. η
        stands for what underflows.
        """
        if self.integral:
            return 0.0, 0.0
        d, unit = (
            self.metric.dimensions + len(self.metric.parts),
            float(np.finfo(precision).eps) / 2,
        )
        kappa = 1.01 * (d + 16) * unit / max(1 - d * unit, 0.1) + (8 * d + 80) * 2.0**-53
        return kappa, 2.0**20 * d * float(np.finfo(precision).tiny)


def _moments(part: Part, metric: Metric) -> tuple[NDArray[np.float64], float, bool]:
    """Return the mean row (d_b), the mean squared norm, and whether products are exact."""
    total, square, largest, whole = np.zeros(part.array.shape[1]), 0.0, 0.0, part.unit == 1
    for tile in metric.tiles:
        rows = part.rows(tile)
        total += rows.sum(axis=0)
        square += float(np.square(rows).sum())
        largest = max(largest, float(np.abs(rows).max()))
        whole = whole and bool((np.rint(rows) == rows).all())
    small = 4 * part.array.shape[1] * largest**2 < 2.0**24
    return total / metric.size, square / metric.size, whole and small


def _shift(mean: NDArray[np.float64], square: float) -> NDArray[np.float32]:
    # Cancellation can only make the spread look too small, and then the mean is taken: safe.
    spread, offset = square - float(mean @ mean), float(mean @ mean)
    return mean.astype(np.float32) if offset > 4 * spread else np.zeros(mean.shape, np.float32)
