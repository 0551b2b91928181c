"""Squared distances by direct differences: the arithmetic in which every choice is made.

‖u - v‖² = Σ_b w_b Σ_j (u_bj - v_bj)², blocks in order, each inner sum by numpy along a row of
contiguous float64. Weights multiply the sums and never the coordinates, so that rows which tie
in exact arithmetic are not told apart by the rounding of a factor.
"""

import hashlib
import math
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.feature_space import Embedding
from nextlabel.core.types import Array, Ids

TILE = 2048
"""Rows at a time: a float32 tile of 512 columns is 4 MB and stays near the processor."""

NATURAL = 8
"""Blocks whose largest value is between 2^-8 and 2^8 are measured as they stand."""

Rows = Ids | slice


class Part(NamedTuple):
    """One block: its rows are multiplied by `unit`, a power of two, and its sums by `weight`.

    `largest` is the largest absolute value of the array as it stands.
    """

    array: Array
    unit: float
    weight: float
    largest: float

    def rows(self, ids: Rows) -> NDArray[np.float64]:
        """Return rows in this part's unit, shape (n, d_b), contiguous."""
        rows = np.ascontiguousarray(self.array[ids], np.float64)
        return rows if self.unit == 1 else rows * self.unit


def parts_of(embedding: Embedding) -> tuple[Part, ...]:
    """Return the blocks in units that keep squares within range: powers of two, so nothing rounds.

    Only comparisons of distances have a meaning then, not their size. One block weighs 1.
    """
    exponents = [_exponent(largest) for largest in embedding.largest]
    if len(embedding.blocks) == 1:
        unit = math.ldexp(1.0, -exponents[0])
        return (Part(embedding.blocks[0][0], unit, 1.0, embedding.largest[0]),)
    factors = [math.frexp(factor) for _, factor in embedding.blocks]
    top = max(own + e for (_, own), e in zip(factors, exponents, strict=True))
    top = 0 if abs(top) <= 2 * NATURAL else top
    return tuple(
        Part(array, math.ldexp(1.0, -e), math.ldexp(mantissa, own + e - top) ** 2, largest)
        for (array, _), (mantissa, own), e, largest in zip(
            embedding.blocks, factors, exponents, embedding.largest, strict=True
        )
    )


def _exponent(largest: float) -> int:
    exponent = math.frexp(largest)[1]
    # 2^1000 keeps the unit itself finite when all values are subnormal.
    return 0 if abs(exponent) <= NATURAL else max(exponent, -1000)


class Metric:
    """Measures the rows of an embedding against each other; never copies more than a tile."""

    def __init__(self, embedding: Embedding) -> None:
        self.parts = parts_of(embedding)
        self.size = len(embedding)
        self.dimensions = embedding.dimensions

    @property
    def tiles(self) -> Iterator[slice]:
        """Slices of rows that together cover all."""
        return (slice(s, min(s + TILE, self.size)) for s in range(0, self.size, TILE))

    def rows(self, ids: Rows) -> list[NDArray[np.float64]]:
        """Return the rows of `ids` block by block, each (n, d_b)."""
        return [part.rows(ids) for part in self.parts]

    def squared_distances(
        self, ids: Ids, others: Sequence[NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Return ‖x_i - o‖², shape (n); `others` holds per block one row, (d_b), or n, (n, d_b)."""
        out = np.empty(len(ids))
        for start in range(0, len(ids), TILE):
            span = slice(start, start + TILE)
            out[span] = self._tile(ids[span], [o[span] if o.ndim == 2 else o for o in others])
        return out

    def _tile(self, ids: Rows, others: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        total: Any = None
        for part, other in zip(self.parts, others, strict=True):
            difference = part.rows(ids) - other
            np.square(difference, out=difference)
            own = difference.sum(axis=1)
            own = own if part.weight == 1 else own * part.weight
            total = own if total is None else total + own
        assert total is not None
        return np.asarray(total)

    def pair_distances(self, ids: Ids, others: Ids) -> NDArray[np.float64]:
        """Return ‖x_i - x_o‖² for as many rows as others, shape (n)."""
        out = np.empty(len(ids))
        for start in range(0, len(ids), TILE):
            span = slice(start, start + TILE)
            out[span] = self._tile(ids[span], self.rows(others[span]))
        return out

    def centre(self, row: int) -> list[NDArray[np.float64]]:
        """Return one row block by block, each (d_b)."""
        return [rows[0] for rows in self.rows(np.array([row]))]

    def nearest_to_mean(self, ids: Ids) -> int:
        """Return the one of `ids` (ascending) nearest to their mean; the smallest id at a tie.

        The mean is x_0 + Σ (x_i - x_0) / n, added in the order of ids.
        """
        first = self.centre(int(ids[0]))
        sums = [np.zeros_like(row) for row in first]
        for start in range(0, len(ids), TILE):
            for total, row, rows in zip(
                sums, first, self.rows(ids[start : start + TILE]), strict=True
            ):
                rows = np.concatenate([total[None], rows - row])
                total[:] = np.add.accumulate(rows, axis=0)[-1]
        mean = [row + total / len(ids) for row, total in zip(first, sums, strict=True)]
        return int(ids[self.squared_distances(ids, mean).argmin()])

    def without_copies(self, ids: Ids) -> Ids:
        """Return `ids` without those whose row is that of an earlier one."""
        sums = np.empty(len(ids))
        for begin in range(0, len(ids), TILE):
            rows = self.rows(ids[begin : begin + TILE])
            sums[begin : begin + TILE] = sum(own.sum(axis=1) for own in rows)
        _, group, sizes = np.unique(sums, return_inverse=True, return_counts=True)
        stays = sizes[group] == 1
        first: set[bytes] = set()
        for place in np.flatnonzero(~stays):
            row = b"".join(own.tobytes() for own in self.centre(int(ids[place])))
            digest = hashlib.sha256(row).digest()
            stays[place] = digest not in first
            first.add(digest)
        return np.asarray(ids[stays])

    def is_constant(self) -> bool:
        """Say whether all rows are the same, so that no distance tells them apart."""
        return all(
            bool((part.array[tile] == part.array[:1]).all())
            for part in self.parts
            for tile in self.tiles
        )


def does_not_vary(metric: Metric) -> bool:
    """Say whether all rows are the same, and warn of it when there are several."""
    constant = metric.is_constant()
    if constant and metric.size > 1:
        warnings.warn(
            f"the features of all {metric.size} images are the same, so the smallest ids are "
            "picked; check how the features were made",
            stacklevel=3,
        )
    return constant
