"""Embeddings: rows in a space of weighted blocks, of which nothing is concatenated.

N images, d_b columns of block b, d columns of all blocks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from nextlabel.core.carried import digest
from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.space.matrix import checked_matrix
from nextlabel.core.space.scaling import TILE
from nextlabel.core.types import Array, Ids, as_array


@dataclass(frozen=True, eq=False)
class Embedding:
    """Rows in a space of weighted blocks: squared distances add, nothing is concatenated.

    ‖u - v‖² = Σ_b f_b² ‖u_b - v_b‖².

    Parameters
    ----------
    blocks
        Pairs of an array (N, d_b) of real numbers, memory-mapped or not, and its factor f_b.

    Raises
    ------
    DataError
        The arrays have unequal lengths, are not 2-d, or hold values that are not finite.
    UsageError
        There is not a single block, or a factor is not finite.

    """

    blocks: tuple[tuple[Array, float], ...]
    largest: tuple[float, ...] = field(init=False, repr=False)
    """The largest absolute value of each array, without its factor."""

    def __post_init__(self) -> None:
        if not self.blocks:
            raise UsageError(
                "a feature space has no block; give at least one with a weight above 0",
                code="no-blocks",
            )
        checked = [checked_matrix(array, i) for i, (array, _) in enumerate(self.blocks)]
        clean = tuple((a, float(f)) for (a, _), (_, f) in zip(checked, self.blocks, strict=True))
        for _, factor in clean:
            if not np.isfinite(factor):
                raise UsageError(
                    f"factor {factor} of a block must be finite; give another weight",
                    code="factor-not-finite",
                )
        lengths = {len(array) for array, _ in clean}
        if len(lengths) > 1:
            raise DataError(
                f"feature blocks have {' and '.join(map(str, sorted(lengths)))} rows; "
                "give each block one row per image",
                code="unequal-lengths",
            )
        object.__setattr__(self, "blocks", clean)
        object.__setattr__(self, "largest", tuple(largest for _, largest in checked))

    @classmethod
    def of(cls, features: object) -> "Embedding":
        """Return features as an embedding.

        Parameters
        ----------
        features : Embedding or array (N, d)
            An embedding, which is returned as it is, or one array, which gets the factor 1.

        Returns
        -------
        Embedding
            The features.
        """
        return features if isinstance(features, cls) else cls(((as_array(features), 1.0),))

    def __len__(self) -> int:
        return len(self.blocks[0][0])

    @property
    def dimensions(self) -> int:
        """The number of columns of all blocks together, d."""
        return sum(array.shape[1] for array, _ in self.blocks)

    @cached_property
    def digest(self) -> bytes:
        """A digest of all numbers and factors; it takes about a second per 1 GB of blocks."""
        return digest(*(part for block in self.blocks for part in block))

    def rows(self, ids: Ids | slice, dtype: Any = np.float64) -> Array:
        """Return the weighted rows of a few images.

        Parameters
        ----------
        ids : int64 array (n) or slice
            The rows to return.
        dtype : dtype
            The type of the result, for example numpy.float32.

        Returns
        -------
        array (n, d)
            Each block's rows times its factor, side by side.
        """
        rows = [np.asarray(array[ids], dtype) * dtype(f) for array, f in self.blocks]  # [n, d_b]
        return rows[0] if len(rows) == 1 else np.concatenate(rows, axis=1)

    def tiles(self, size: int = TILE, dtype: Any = np.float64) -> Iterator[tuple[int, Array]]:
        """Yield the weighted rows of all images, tile by tile.

        Parameters
        ----------
        size : int
            The number of rows of a tile; the last tile may be shorter.
        dtype : dtype
            The type of the tiles.

        Yields
        ------
        first : int
            The number of the tile's first row.
        rows : array (n, d)
            The weighted rows.
        """
        for start in range(0, len(self), size):
            yield start, self.rows(slice(start, start + size), dtype)

    def concatenate(self) -> Array:
        """Return [t ⌢ αv] as one float64 array (N, d): a copy, for plots and checks."""
        return self.rows(slice(None))
