"""Approximate squared distances of many rows to many others, one tile at a time, with a bound.

n images measured against each other; positions count within them. A tile has r rows and c columns;
d columns of all blocks.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.distance.exact import Floats, Metric
from nextlabel.kernels.distance.products import FloatType, ShiftedRows

TILE_ROWS = 512
"""Rows and columns of a tile: 2 MB in float64, which stays near the processor."""

HELD = 16
"""Tiles of columns that are converted once for many rows: 34 MB of 512 columns in float32."""


@dataclass(frozen=True, eq=False)
class TileRows:
    """Rows that enter a tile, as its rows or as its columns."""

    positions: Ids
    rows: Array
    """Shifted rows of all blocks, then ‖z‖² and 1, (r, d + 2)."""
    squared_norms: Floats
    """‖z‖² (r)."""
    scales: Array
    """-2 and the squared weight of each column's block, times a factor, (d)."""
    factor: float

    @cached_property
    def weighted(self) -> Array:
        """Rows times `scales`, then 1 and ‖z‖², both times the factor, (r, d + 2)."""
        weighted, columns = np.empty_like(self.rows), len(self.scales)
        np.multiply(self.rows[:, :columns], self.scales, out=weighted[:, :columns])
        weighted[:, columns] = self.factor
        weighted[:, columns + 1] = self.squared_norms * self.factor
        return weighted

    def at(self, places: Ids | slice) -> "TileRows":
        """Return some of these rows, of which nothing is converted again."""
        positions, norms = self.positions[places], self.squared_norms[places]
        some = TileRows(positions, self.rows[places], norms, self.scales, self.factor)
        vars(some)["weighted"] = self.weighted[places]
        return some


class TileBuffer:
    """Memory for one tile, used again for the next: fresh pages cost more than the arithmetic."""

    def __init__(self) -> None:
        self._memory = np.empty(0, np.uint8)

    def __call__(self, shape: tuple[int, ...], precision: FloatType = np.float64) -> Array:
        """Return an array of `shape` with any content, valid until the next call."""
        size = math.prod(shape) * np.dtype(precision).itemsize
        if size > self._memory.nbytes:
            self._memory = np.empty(size, np.uint8)
        return self._memory[:size].view(precision).reshape(shape)


class Distances:
    """Squared distances among the images `ids` of a metric; positions count within `ids`.

    A value of a tile differs from the direct difference by at most `error` of its two norms, and is
    valid until the next tile is computed. The norms are two columns of the product, so that a tile
    is one product and no pass over it.

    Parameters
    ----------
    metric
        The metric that decides.
    ids
        The images, int64 (n).
    precision
        FloatType of the products.
    tile_rows
        Rows and columns of a tile; for speed only.
    shifted
        The metric's rows, whose norms are known already; for speed only.
    factor
        Products are squared distances times this; tiles and errors are without it.

    """

    def __init__(
        self,
        metric: Metric,
        ids: Ids,
        precision: FloatType = np.float64,
        tile_rows: int = TILE_ROWS,
        shifted: ShiftedRows | None = None,
        factor: float = 1.0,
    ) -> None:
        self.metric, self.ids, self.precision = metric, ids, precision
        self.tile_rows, self.factor = tile_rows, factor
        self.shifted = ShiftedRows(metric) if shifted is None else shifted
        self.squared_norms = self.shifted.squared_norms[ids]  # [n]
        scales = [-2 * block.squared_weight * factor for block in metric.blocks]
        widths = [block.array.shape[1] for block in metric.blocks]
        with np.errstate(over="ignore"):  # products of so large a factor are never used
            self._scales = np.repeat(np.array(scales, precision), widths)  # [d]
        self._buffer = TileBuffer()
        whole = self.shifted.integral and factor == 1  # then all sums are exact
        self.kappa, self.eta = (0.0, 0.0) if whole else self.shifted.rounding(precision)
        if self.kappa:
            # Two more columns, and terms that sum to twice the squares at most, not to once.
            self.kappa = 2 * self.kappa + 8 * float(np.finfo(precision).eps)

    def __len__(self) -> int:
        return len(self.ids)

    def rows_at(self, positions: Ids) -> TileRows:
        """Return the rows at some positions, converted once."""
        shifted, norms = self.shifted.rows(self.ids[positions], self.precision), self.squared_norms
        columns = self.metric.dimensions
        rows = np.empty((len(positions), columns + 2), self.precision)  # [r, d + 2]
        column = 0
        for z in shifted:
            rows[:, column : column + z.shape[1]] = z
            column += z.shape[1]
        rows[:, columns], rows[:, columns + 1] = norms[positions], 1
        return TileRows(positions, rows, norms[positions], self._scales, self.factor)

    def each_rows_at(self, positions: Ids | None = None, count: int = 0) -> Iterator[TileRows]:
        """Yield the rows at `positions`, by default at all, `count` (`tile_rows`) at a time."""
        positions = np.arange(len(self)) if positions is None else positions
        step = count or self.tile_rows
        for start in range(0, len(positions), step):
            yield self.rows_at(positions[start : start + step])

    def rectangle(self, first: Ids, second: Ids) -> Iterator[tuple[TileRows, TileRows]]:
        """Yield rows at `first` and columns at `second`, for each pair of tiles once.

        Columns are converted once for all rows, `HELD` tiles of them at a time.
        """
        step = HELD * self.tile_rows
        for start in range(0, len(second), step):
            held = list(self.each_rows_at(second[start : start + step]))
            for rows in self.each_rows_at(first):
                for columns in held:
                    yield rows, columns

    def upper_triangle(self, size: int) -> Iterator[tuple[TileRows, TileRows, bool]]:
        """Yield rows, columns and whether they differ, for each pair of tiles once.

        The tiles are those of the first `size` positions. Distances are symmetric, so those below
        the diagonal need not be computed.
        """
        for start in range(0, size, self.tile_rows):
            rows = self.rows_at(np.arange(start, min(start + self.tile_rows, size)))
            for columns in self.each_rows_at(np.arange(start, size)):
                yield rows, columns, bool(columns.positions[0] != start)

    def product(self, rows: TileRows, columns: TileRows) -> Array:
        """Return ‖x_i - x_j‖² times the factor approximately, shape (r, c)."""
        values = self._buffer((len(rows.positions), len(columns.positions)), self.precision)
        with np.errstate(invalid="ignore"):  # as in `inner`
            return np.matmul(rows.rows, columns.weighted.T, out=values)

    def tile(self, rows: TileRows, columns: TileRows) -> Array:
        """Return ‖x_i - x_j‖² approximately and never below 0, shape (r, c); the factor is 1."""
        values = self.product(rows, columns)
        return np.clip(values, 0, np.inf, out=values)  # much faster than np.maximum

    def table(self, positions: Ids, others: Ids) -> Array:
        """Return ‖x_i - x_j‖² approximately of some images and others (r, c), by tiles."""
        rows, column = self.rows_at(positions), 0
        values = np.empty((len(positions), len(others)), self.precision)
        for columns in self.each_rows_at(others):
            width = len(columns.positions)
            values[:, column : column + width] = self.tile(rows, columns)
            column += width
        return values

    def error(self, first: Floats | float, second: Floats | float) -> Floats:
        """Return the largest error of a tile's values between rows of these squared norms."""
        return np.asarray(self.kappa * (np.asarray(first) + np.asarray(second)) + self.eta)

    def largest_error(self) -> float:
        """Return the largest error of any tile's values."""
        top = float(self.squared_norms.max(initial=0.0))
        return float(self.error(top, top)) if self.kappa else 0.0

    def pairs(self, first: Ids, second: Ids) -> Floats:
        """Return the direct differences of pairs of positions, shape (pairs)."""
        return self.metric.pair_distances(self.ids[first], self.ids[second])

    def from_one(self, position: int, others: Ids) -> Floats:
        """Return the direct differences of one position to others, shape (others)."""
        row = self.metric.row(int(self.ids[position]))
        return self.metric.squared_distances(self.ids[others], row)


def nearest_squared_distances(distances: Distances, positions: Ids, others: Ids) -> Floats:
    """Return the direct ‖x - o‖² of each position to its nearest of `others`; inf without any.

    Only pairs that rounding does not rule out are measured directly.
    """
    squared = np.full(len(positions), np.inf)
    for start in range(0, len(positions), distances.tile_rows):
        span = slice(start, start + distances.tile_rows)
        rows = distances.rows_at(positions[span])
        best = squared[span]  # [r], a view
        for columns in distances.each_rows_at(others):
            values = distances.tile(rows, columns)  # [r, c]
            slack = distances.error(rows.squared_norms, float(columns.squared_norms.max()))  # [r]
            limit = np.minimum(values.min(axis=1) + 2 * slack, best + slack)  # [r]
            i, j = np.nonzero(values <= limit[:, None])
            np.minimum.at(best, i, distances.pairs(rows.positions[i], columns.positions[j]))
    return squared
