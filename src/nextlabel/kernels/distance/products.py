"""Inner products at BLAS speed, and a bound on how wrong they can be: what need not be measured."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array
from nextlabel.kernels.distance.exact import Metric, Part, Rows

Precision = type[np.float32] | type[np.float64]

COARSE = 0.01
"""Rounding (κ) above which products of float32 say too little: of very many dimensions."""

SAMPLE = 1024
"""Rows, evenly spaced, that tell whether there is an offset."""


class Screen:
    """Rows z = x - shift of a metric, their norms ‖z‖² and their inner products.

    The shift is a mean where the mean is large against the spread (an offset would eat float32's
    24 bits) and 0 elsewhere. It is representable in float32 and so costs no rounding of its own.
    `integral` says that all values are whole and small, so that every inner product is exact.
    """

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.integral = len(metric.parts) == 1 and _products_are_exact(metric)
        self.shifts = [
            np.zeros(part.array.shape[1], np.float32) if self.integral else _shift(part)
            for part in metric.parts
        ]

    @cached_property
    def norms(self) -> NDArray[np.float64]:
        """‖z‖² of all rows, float64 (N): one pass, when first asked for."""
        return np.concatenate(
            [self.squares(self.rows(tile, np.float64)) for tile in self.metric.tiles]
        )

    def squares(self, rows: Sequence[Array]) -> NDArray[np.float64]:
        """Return the weighted ‖z‖² (n) of shifted rows, summed in float64."""
        return self._squares([np.asarray(own, np.float64) for own in rows])

    def quick_squares(self, rows: Sequence[Array]) -> NDArray[np.float64]:
        """Return the same summed in the rows' own precision: off by a factor in 1 ± κ."""
        return self._squares(rows)

    def _squares(self, rows: Sequence[Array]) -> NDArray[np.float64]:
        total = np.zeros(len(rows[0]))
        for part, own in zip(self.metric.parts, rows, strict=True):
            total += part.weight * np.einsum("ij,ij->i", own, own)
        return total

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
        return inner(self.rows(ids, precision), others)

    def error(self, precision: Precision) -> tuple[float, float]:
        """Return κ and η: ‖z_i‖² + ‖z_c‖² - 2 z_i·z_c is off by at most κ(‖z_i‖² + ‖z_c‖²) + η.

        Off from the *computed* direct difference, that is; both are 0 where products are exact.
        """
        return (0.0, 0.0) if self.integral else self.rounding(precision)

    def rounding(self, precision: Precision) -> tuple[float, float]:
        """Return κ and η whatever the values are.

        A product of d terms in unit roundoff u is wrong by at most d·u/(1 - d·u)·‖z_i‖‖z_c‖ in any
        order of summation (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section
        3.1); 16 more roundings cover shift, weight, blocks and the norm's own; the last term covers
        the direct differences. η stands for what underflows.
        """
        d, unit = (
            self.metric.dimensions + len(self.metric.parts),
            float(np.finfo(precision).eps) / 2,
        )
        kappa = 1.01 * (d + 16) * unit / max(1 - d * unit, 0.1) + (8 * d + 80) * 2.0**-53
        return kappa, 2.0**20 * d * float(np.finfo(precision).tiny)


def inner(rows: Sequence[Array], others: Sequence[Array]) -> Array:
    """Return Σ_b rows_b · others_b: (n, d_b) by (k, d_b), one of them weighted, give (n, k)."""
    total: Any = None
    for own, other in zip(rows, others, strict=True):
        product = own @ other.T
        total = product if total is None else np.add(total, product, out=total)
    assert total is not None
    return np.asarray(total)


def _products_are_exact(metric: Metric) -> bool:
    """Say whether all values of the one block are whole and sums of their squares below 2^24."""
    part = metric.parts[0]
    if part.unit != 1 or 4 * part.array.shape[1] * part.largest**2 >= 2.0**24:
        return False
    if part.array.dtype.kind in "iub":
        return True
    return all(
        bool((np.rint(rows) == rows).all()) for rows in (part.array[t] for t in metric.tiles)
    )


def _shift(part: Part) -> NDArray[np.float32]:
    """Return a mean, of a sample, or zeros: whatever it is, the picks stay the same."""
    rows = part.rows(slice(None, None, max(1, len(part.array) // SAMPLE)))
    mean = rows.mean(axis=0)
    offset = float(mean @ mean)
    # Cancellation can only make the spread look too small, and then the mean is taken: safe.
    spread = float(np.square(rows).sum()) / len(rows) - offset
    return mean.astype(np.float32) if offset > 4 * spread else np.zeros(mean.shape, np.float32)
