"""Inner products at BLAS speed, with a bound on their rounding.

With z = x - shift, ‖z_i‖² + ‖z_c‖² - 2 z_i·z_c approximates ‖x_i - x_c‖². The bound κ, η of
`ShiftedRows.error` says by how much it may differ from the direct difference, so that pairs which
it rules out need not be measured.

N images, n rows, k other rows, B blocks, d_b columns of block b, d columns of all blocks.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array
from nextlabel.kernels.distance.exact import BlockRows, Floats, Metric, RowIndex

FloatType = type[np.float32] | type[np.float64]

COARSE = 0.01
"""Rounding (κ) above which products in float32 rule out too little: with very many columns."""

SIGN_AND_REST = np.int32(-0x70002000)
"""The bits of a float32 that a float16 has: its sign, and 15 others."""

SAMPLE = 1024
"""Evenly spaced rows of which the mean is taken for the shift."""


class ShiftedRows:
    """Rows z = x - shift of a metric, their squared norms ‖z‖² and their inner products.

    The shift is a mean where the mean is large against the spread (an offset would take most of
    float32's 24 bits) and 0 elsewhere. It is representable in float32 and costs no rounding.

    Parameters
    ----------
    metric
        N rows in B blocks.

    Attributes
    ----------
    integral
        Whether all values are whole and so small that every inner product is exact.
    shifts
        One shift per block, float32 (d_b).

    """

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.integral = len(metric.blocks) == 1 and _products_are_exact(metric)
        self.shifts = [
            np.zeros(block.array.shape[1], np.float32) if self.integral else _shift(block)
            for block in metric.blocks
        ]

    @cached_property
    def squared_norms(self) -> Floats:
        """‖z‖² of all rows, float64 (N): computed in one pass, on first use."""
        return np.concatenate(
            [self.squares(self.rows(tile, np.float64)) for tile in self.metric.tiles]
        )

    def squares(self, rows: Sequence[Array]) -> Floats:
        """Return the weighted ‖z‖² (n) of shifted rows, summed in float64."""
        return self._squares([np.asarray(block, np.float64) for block in rows])

    def quick_squares(self, rows: Sequence[Array]) -> Floats:
        """Return the weighted ‖z‖² (n) summed in the rows' precision: off by a factor in 1 ± κ."""
        return self._squares(rows)

    def _squares(self, rows: Sequence[Array]) -> Floats:
        total = np.zeros(len(rows[0]))  # [n]
        for block, z in zip(self.metric.blocks, rows, strict=True):
            total += block.squared_weight * np.einsum("ij,ij->i", z, z)  # [n]
        return total

    def rows(self, ids: RowIndex, precision: FloatType) -> list[Array]:
        """Return the shifted rows of `ids` block by block, each (n, d_b), rounded once."""
        shifted: list[Array] = []
        for block, shift in zip(self.metric.blocks, self.shifts, strict=True):
            raw, moved = block.array[ids], bool(shift.any())  # [n, d_b]
            exact = raw.dtype in (np.float16, np.float32) and block.unit == 1
            if exact and precision == np.float32:
                # Without a shift, rows in float32 are a view, which is what makes a pass fast.
                single = as_float32(raw)
                shifted.append(np.subtract(single, shift) if moved else single)
            else:
                rows = block.rows(ids)
                shifted.append((rows - shift if moved else rows).astype(precision, copy=False))
        return shifted

    def weighted(self, rows: Sequence[Array], precision: FloatType) -> list[Array]:
        """Return shifted rows or vectors times the squared weight of their block.

        One side of a product is weighted, the other is not.
        """
        return [
            np.ascontiguousarray(
                z * precision(block.squared_weight) if block.squared_weight != 1 else z, precision
            )
            for block, z in zip(self.metric.blocks, rows, strict=True)
        ]

    def products(self, ids: RowIndex, others: Sequence[Array], precision: FloatType) -> Array:
        """Return Σ_b w_b² z_b·o_b, (n) for `weighted` vectors (d_b), (n, k) for rows (k, d_b)."""
        return inner(self.rows(ids, precision), others)

    def error(self, precision: FloatType) -> tuple[float, float]:
        """Return κ and η: ‖z_i‖² + ‖z_c‖² - 2 z_i·z_c is off by at most κ(‖z_i‖² + ‖z_c‖²) + η.

        The error is against the *computed* direct difference; κ and η are 0 where products are
        exact.
        """
        return (0.0, 0.0) if self.integral else self.rounding(precision)

    def rounding(self, precision: FloatType) -> tuple[float, float]:
        """Return κ and η for any values.

        A product of d terms in unit roundoff u is wrong by at most d·u/(1 - d·u)·‖z_i‖‖z_c‖ in any
        order of summation (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section
        3.1); 16 more roundings cover shift, weights, blocks and the norm's own; the last term
        covers the direct differences. η covers underflow.
        """
        d = self.metric.dimensions + len(self.metric.blocks)
        roundoff = float(np.finfo(precision).eps) / 2
        kappa = 1.01 * (d + 16) * roundoff / max(1 - d * roundoff, 0.1) + (8 * d + 80) * 2.0**-53
        return kappa, 2.0**20 * d * float(np.finfo(precision).tiny)


def as_float32(rows: Array) -> NDArray[np.float32]:
    """Return finite rows in float32; float16 in a sixth of the time that numpy takes for it.

    The bits of float16 are put where float32 has them. Exponents are then too small by 112, the
    difference of the two biases.
    """
    if rows.dtype != np.float16:
        return np.asarray(rows, np.float32)
    bits = rows.view(np.int16).astype(np.int32)
    bits <<= 13
    bits &= SIGN_AND_REST
    single = bits.view(np.float32)
    single *= np.float32(2.0**112)
    return single


def inner(rows: Sequence[Array], others: Sequence[Array]) -> Array:
    """Return Σ_b rows_b · others_b: (n, d_b) by (k, d_b), one of them weighted, give (n, k)."""
    total: Any = None
    for block, other in zip(rows, others, strict=True):
        with np.errstate(invalid="ignore"):  # BLAS may set the flag by lanes without a number
            product = block @ other.T  # [n, k]
        total = product if total is None else np.add(total, product, out=total)
    assert total is not None
    return np.asarray(total)


def _products_are_exact(metric: Metric) -> bool:
    """Return whether the values of the one block are whole and sums of squares below 2^24."""
    block = metric.blocks[0]
    if block.unit != 1 or 4 * block.array.shape[1] * block.largest**2 >= 2.0**24:
        return False
    if block.array.dtype.kind in "iub":
        return True
    return all(
        bool((np.rint(rows) == rows).all()) for rows in (block.array[t] for t in metric.tiles)
    )


def _shift(block: BlockRows) -> NDArray[np.float32]:
    """Return the mean of a sample, or zeros, float32 (d_b); the picks are the same with either."""
    rows = block.rows(slice(None, None, max(1, len(block.array) // SAMPLE)))
    mean = rows.mean(axis=0)  # [d_b]
    offset = float(mean @ mean)
    # Cancellation can only make the spread look too small, and then the mean is taken: safe.
    spread = float(np.square(rows).sum()) / len(rows) - offset
    return mean.astype(np.float32) if offset > 4 * spread else np.zeros(mean.shape, np.float32)
