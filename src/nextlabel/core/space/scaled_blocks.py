"""Rows of several blocks as a model reads them: each block divided by its unit.

N images, d_b columns of block b, d columns of all blocks.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from nextlabel.core.errors import DataError
from nextlabel.core.types import Array, Ids, as_array

TILE = 4096
"""Rows in memory at a time, in float64: few enough to stay near the processor."""


@dataclass(frozen=True, eq=False)
class ScaledBlocks:
    """Rows [x_1 / u_1 ⌢ … ⌢ x_B / u_B] that are joined a few at a time.

    Parameters
    ----------
    arrays
        For each block, sorted by name, rows (N, d_b) of real numbers, memory-mapped or not.
    units
        For each block the number u_b that its rows are divided by.

    Raises
    ------
    DataError
        When the arrays have unequal lengths or are not 2-d.
    """

    arrays: Mapping[str, Array]
    units: Mapping[str, float]

    def __post_init__(self) -> None:
        names = sorted(self.arrays)
        object.__setattr__(self, "arrays", {name: self.arrays[name] for name in names})
        object.__setattr__(self, "units", {name: float(self.units[name]) for name in names})
        for name, array in self.arrays.items():
            if array.ndim != 2:
                raise DataError(
                    f"block {name!r} has shape {array.shape}; give (images, at least 1 column)",
                    code="not-a-table",
                )
        lengths = sorted({len(array) for array in self.arrays.values()})
        if len(lengths) > 1:
            raise DataError(
                f"feature blocks have {' and '.join(map(str, lengths))} rows; "
                "give each block one row per image",
                code="unequal-lengths",
            )

    @classmethod
    def of(
        cls,
        arrays: Mapping[str, Array],
        weights: Mapping[str, float],
        rms_distances: Mapping[str, Callable[[], float]],
    ) -> "ScaledBlocks":
        """Return blocks scaled as equation 6 has it: u_b is the RMS distance over the weight."""
        distances = {name: rms_distances[name]() or 1.0 for name in arrays}
        return cls(arrays, {name: distances[name] / weights[name] for name in arrays})

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of columns d_b of each block."""
        return tuple(array.shape[1] for array in self.arrays.values())

    def rows(self, ids: Ids | slice = slice(None)) -> Array:
        """Return the joined rows of `ids`, float64 (n, d), a copy."""
        rows = [
            np.asarray(as_array(array[ids]), np.float64) / self.units[name]
            for name, array in self.arrays.items()
        ]
        return rows[0] if len(rows) == 1 else np.concatenate(rows, axis=1)

    def tiles(self) -> Iterator[slice]:
        """Yield slices that cover all rows in order."""
        for start in range(0, len(self), TILE):
            yield slice(start, min(start + TILE, len(self)))

    def split(self, columns: Array) -> dict[str, Array]:
        """Return the columns (K, d_b) of each block among `columns` (K, d)."""
        ends = np.cumsum(self.widths)[:-1]
        return dict(zip(self.arrays, np.split(columns, ends, axis=1), strict=True))

    def products(self, vectors: Array) -> Array:
        """Return the dot products with `vectors` (K, d), float64 (N, K), a block at a time."""
        out = np.empty((len(self), len(vectors)))
        scaled = {
            name: np.ascontiguousarray(columns.T) / self.units[name]
            for name, columns in self.split(np.asarray(vectors, np.float64)).items()
        }  # [d_b, K]
        for tile in self.tiles():
            out[tile] = 0
            for name, array in self.arrays.items():
                out[tile] += np.asarray(as_array(array[tile]), np.float64) @ scaled[name]
        return out

    def take(self, ids: Ids | slice) -> "ScaledBlocks":
        """Return the rows of `ids`, a copy; of a slice, a view of what is in memory."""
        return ScaledBlocks({name: array[ids] for name, array in self.arrays.items()}, self.units)
