"""Squared distances by direct differences: the arithmetic that decides every pick.

‖u - v‖² = Σ_b w_b² Σ_j (u_bj - v_bj)², blocks in order, each inner sum by numpy along a row of
contiguous float64. Squared weights multiply the sums and never the coordinates, so that rows which
tie in exact arithmetic stay tied under any rounding of a factor.

N images, n rows, B blocks, d_b columns of block b, d columns of all blocks.
"""

import hashlib
import math
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.space.embedding import Embedding
from nextlabel.core.types import Array, Ids

TILE = 2048
"""Rows at a time: 512 columns in float32 are 4 MB and stay near the processor."""

NATURAL = 8
"""A block whose largest value is between 2^-8 and 2^8 is measured in the unit it has."""

Floats = NDArray[np.float64]
RowIndex = Ids | slice


class BlockRows(NamedTuple):
    """One block of an embedding, in a unit that keeps squares within range.

    Rows are multiplied by `unit`, a power of two, and their squared distances by `squared_weight`.
    `largest` is the largest absolute value of the array, before either.
    """

    array: Array
    unit: float
    squared_weight: float
    largest: float

    def rows(self, ids: RowIndex) -> Floats:
        """Return rows in this block's unit, shape (n, d_b), contiguous."""
        rows = np.ascontiguousarray(self.array[ids], np.float64)  # [n, d_b]
        return rows if self.unit == 1 else rows * self.unit


def block_rows_of(embedding: Embedding) -> tuple[BlockRows, ...]:
    """Return the blocks in units that are powers of two, so that nothing rounds.

    Only comparisons of distances have a meaning then, not their size. The squared weight of a
    single block is 1.
    """
    exponents = [_exponent(largest) for largest in embedding.largest]
    if len(embedding.blocks) == 1:
        unit = math.ldexp(1.0, -exponents[0])
        return (BlockRows(embedding.blocks[0][0], unit, 1.0, embedding.largest[0]),)
    factors = [math.frexp(factor) for _, factor in embedding.blocks]
    top = max(power + e for (_, power), e in zip(factors, exponents, strict=True))
    top = 0 if abs(top) <= 2 * NATURAL else top
    return tuple(
        BlockRows(array, math.ldexp(1.0, -e), math.ldexp(mantissa, power + e - top) ** 2, largest)
        for (array, _), (mantissa, power), e, largest in zip(
            embedding.blocks, factors, exponents, embedding.largest, strict=True
        )
    )


def _exponent(largest: float) -> int:
    exponent = math.frexp(largest)[1]
    # 2^1000 keeps the unit itself finite when all values are subnormal.
    return 0 if abs(exponent) <= NATURAL else max(exponent, -1000)


class Metric:
    """Squared distances between rows of an embedding, which is never copied beyond a tile.

    Parameters
    ----------
    embedding
        N rows in B blocks.

    Attributes
    ----------
    blocks
        The blocks in their units.
    distance_unit
        A distance of the embedding times this is a distance of the metric.

    """

    def __init__(self, embedding: Embedding) -> None:
        self.blocks = block_rows_of(embedding)
        self.size = len(embedding)
        self.dimensions = embedding.dimensions
        heaviest = max(range(len(self.blocks)), key=lambda b: self.blocks[b].squared_weight)
        block, factor = self.blocks[heaviest], abs(embedding.blocks[heaviest][1])
        weight = math.sqrt(block.squared_weight)
        self.distance_unit = weight * block.unit / factor if factor else 1.0

    @property
    def tiles(self) -> Iterator[slice]:
        """Slices of rows that together cover all."""
        return (slice(s, min(s + TILE, self.size)) for s in range(0, self.size, TILE))

    def rows(self, ids: RowIndex) -> list[Floats]:
        """Return the rows of `ids` block by block, each (n, d_b)."""
        return [block.rows(ids) for block in self.blocks]

    def row(self, image: int) -> list[Floats]:
        """Return one row block by block, each (d_b)."""
        return [rows[0] for rows in self.rows(np.array([image]))]

    def squared_distances(self, ids: Ids, others: Sequence[Floats]) -> Floats:
        """Return ‖x_i - o‖², shape (n); `others` holds per block one row, (d_b), or n, (n, d_b)."""
        squared = np.empty(len(ids))  # [n]
        for start in range(0, len(ids), TILE):
            span = slice(start, start + TILE)
            squared[span] = self._tile(ids[span], [o[span] if o.ndim == 2 else o for o in others])
        return squared

    def pair_distances(self, ids: Ids, others: Ids) -> Floats:
        """Return ‖x_i - x_o‖² of n pairs of rows, shape (n)."""
        squared = np.empty(len(ids))  # [n]
        for start in range(0, len(ids), TILE):
            span = slice(start, start + TILE)
            squared[span] = self._tile(ids[span], self.rows(others[span]))
        return squared

    def _tile(self, ids: RowIndex, others: Sequence[Floats]) -> Floats:
        return self.between(self.rows(ids), others)

    def between(self, rows: Sequence[Floats], others: Sequence[Floats]) -> Floats:
        """Return ‖x_i - o‖², shape (n), of n rows and one or n others, block by block."""
        total: Any = None
        for block, row, other in zip(self.blocks, rows, others, strict=True):
            difference = row - other  # [n, d_b]
            np.square(difference, out=difference)
            squared = difference.sum(axis=1)  # [n]
            if block.squared_weight != 1:
                squared = squared * block.squared_weight
            total = squared if total is None else total + squared
        assert total is not None
        return np.asarray(total)

    def nearest_to_mean(self, ids: Ids) -> int:
        """Return the one of `ids` (ascending) nearest to their mean; the smallest id at a tie.

        The mean is x_0 + Σ (x_i - x_0) / n, added in the order of ids.
        """
        first = self.row(int(ids[0]))  # [d_b] per block
        sums = [np.zeros_like(row) for row in first]
        for start in range(0, len(ids), TILE):
            tile = self.rows(ids[start : start + TILE])
            for total, row, rows in zip(sums, first, tile, strict=True):
                terms = np.concatenate([total[None], rows - row])  # [1 + n, d_b]
                total[:] = np.add.accumulate(terms, axis=0)[-1]
        mean = [row + total / len(ids) for row, total in zip(first, sums, strict=True)]
        return int(ids[self.squared_distances(ids, mean).argmin()])

    def without_copies(self, ids: Ids) -> Ids:
        """Return `ids` without those whose row equals that of an earlier one."""
        sums = np.empty(len(ids))  # [n]: equal rows have equal sums
        for start in range(0, len(ids), TILE):
            tile = self.rows(ids[start : start + TILE])
            sums[start : start + TILE] = sum(rows.sum(axis=1) for rows in tile)
        _, group, sizes = np.unique(sums, return_inverse=True, return_counts=True)
        stays = sizes[group] == 1
        digests: set[bytes] = set()
        for position in np.flatnonzero(~stays):
            row = b"".join(values.tobytes() for values in self.row(int(ids[position])))
            digest = hashlib.sha256(row).digest()
            stays[position] = digest not in digests
            digests.add(digest)
        return np.asarray(ids[stays])

    def is_constant(self) -> bool:
        """Return whether all rows are the same, so that all distances are 0."""
        return all(
            bool((block.array[tile] == block.array[:1]).all())
            for block in self.blocks
            for tile in self.tiles
        )


def does_not_vary(metric: Metric) -> bool:
    """Return whether all rows are the same, and warn when there are several."""
    constant = metric.is_constant()
    if constant and metric.size > 1:
        warnings.warn(
            f"the features of all {metric.size} images are the same, so the smallest ids are "
            "picked; check how the features were made",
            stacklevel=3,
        )
    return constant
