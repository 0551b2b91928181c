"""Feature spaces, equation 6: the heuristic stays, the space changes.

N images, B blocks, d_b columns of block b, d columns of all blocks.
"""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from numbers import Real
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np

from nextlabel.core.errors import DataError, UsageError, nearest
from nextlabel.core.types import Array, Ids, as_array

TILE = 8192
"""Rows in memory at a time, in float64."""
CHECKED = 1024
"""Rows checked at a time: few enough to stay near the processor."""
Scale = Literal["none", "rms", "unit"]


@dataclass(frozen=True, eq=False)
class Embedding:
    """Rows in a space of weighted blocks: squared distances add, nothing is concatenated.

    ‖u - v‖² = Σ_b f_b² ‖u_b - v_b‖².

    Parameters
    ----------
    blocks
        Pairs of an array (N, d_b) of real numbers, which may be a memory map, and its factor f_b.

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
        checked = [_checked(array, i) for i, (array, _) in enumerate(self.blocks)]
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


@dataclass(frozen=True)
class FeatureSpace:
    """The blocks that make a space and their weights: {"task": 1.0, "vae": α}, equation 6.

    Parameters
    ----------
    weights
        A number of at least 0 per block. It acts as its square on squared distances; a block of
        weight 0 is left out.
    scale
        "rms": a block is first divided by its root-mean-square pairwise distance, so that a weight
        means the same on every data set; "unit": each row of a block is first divided by its
        length, so that distances are those of directions (as cosine similarity has them), in a copy
        of the block; "none": the literal equation.

    Raises
    ------
    UsageError
        The scale is unknown, or a weight is not such a number, or all are 0.

    """

    weights: Mapping[str, float]
    scale: Scale = "rms"

    def __post_init__(self) -> None:
        if self.scale not in get_args(Scale):
            hint = nearest(str(self.scale), get_args(Scale))
            raise UsageError(f"scale {self.scale!r} is unknown; {hint}", code="unknown-scale")
        if not isinstance(self.weights, Mapping):
            raise UsageError(
                f"weights {self.weights!r} do not name the blocks; give a mapping such as "
                '{"task": 1.0, "vae": 0.5}',
                code="weights-without-names",
            )
        given: Mapping[str, Any] = self.weights
        for name, weight in given.items():
            if not (isinstance(weight, Real) and 0 <= float(weight) < math.inf):
                raise UsageError(
                    f"weight {weight!r} of block {name!r} is not a finite number of at least 0; "
                    "give such a number",
                    code="bad-weight",
                )
        if not self.blocks:
            raise UsageError(
                "every block has weight 0; give at least one a weight above 0",
                code="weights-all-zero",
            )
        object.__setattr__(self, "weights", MappingProxyType(dict(self.weights)))

    def __reduce__(self) -> tuple[Any, ...]:
        return FeatureSpace, (dict(self.weights), self.scale)

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of the blocks of weight above 0, sorted, so that their order changes no sum."""
        return tuple(sorted(name for name, weight in self.weights.items() if weight > 0))

    def embed(
        self,
        blocks: Mapping[str, Any],
        rms_distances: Mapping[str, Callable[[], float]] | None = None,
    ) -> Embedding:
        """Return the embedding of rows given block by block (equation 6).

        Parameters
        ----------
        blocks
            An array (N, d_b) for each block of the space.
        rms_distances
            Functions that give the root-mean-square distance of a block, for blocks that
            remember it.

        Returns
        -------
        Embedding
            The rows in this space.

        Raises
        ------
        DataError
            A block is missing, not finite, or of another length.

        Warns
        -----
        UserWarning
            A block is the same in every row.

        """
        missing = [name for name in self.blocks if name not in blocks]
        if missing:
            raise DataError(
                f"the space needs block {missing[0]!r}, but the blocks given are "
                f"{', '.join(blocks) or 'none'}; give it or set its weight to 0",
                code="block-missing",
            )
        pairs = []
        for name in self.blocks:
            array = _matrix(as_array(blocks[name]), name)
            distance = (rms_distances or {}).get(name, partial(rms_distance, array))
            pairs.append((self.by_row(array), self.weights[name] / self._unit(name, distance)))
        return Embedding(tuple(pairs))

    def by_row(self, array: Array) -> Array:
        """Return rows before the block's factor.

        Parameters
        ----------
        array
            Rows (N, d).

        Returns
        -------
        Array
            A copy with rows of length one where the scale is "unit"; else the array itself.

        """
        return unit_rows(array) if self.scale == "unit" else array

    def _unit(self, name: str, rms_distance_of_block: Callable[[], float]) -> float:
        """Return the number by which a block is divided."""
        if self.scale != "rms":
            return 1.0
        distance = rms_distance_of_block()
        if distance == 0:
            warnings.warn(
                f"block {name!r} is the same in every row, so it does not tell images apart",
                stacklevel=3,
            )
            return 1.0
        return distance


def rms_distance(array: Array) -> float:
    """Return the root mean square of the pairwise distances of rows (N, d), in float64.

    By the identity mean‖x - y‖² = 2 N/(N-1) Σ_j var_j, in three passes over tiles that never
    overflow: differences to the first row are divided by a power of two, which rounds nothing.
    """
    n = len(array)
    if n < 2:
        return 0.0
    first = np.asarray(array[0], np.float64) / 2

    def halves() -> Iterator[Array]:
        for start in range(0, n, TILE):
            yield np.asarray(array[start : start + TILE], np.float64) / 2 - first  # [TILE, d]

    largest = max(float(np.abs(tile).max()) for tile in halves())
    if largest == 0:
        return 0.0
    exponent = int(np.frexp(largest)[1])
    mean = sum(np.ldexp(tile, -exponent).sum(0) for tile in halves()) / n  # [d]
    total = sum(((np.ldexp(tile, -exponent) - mean) ** 2).sum() for tile in halves())
    return float(np.ldexp(np.sqrt(2 * total / (n - 1)), exponent + 1))


def unit_rows(array: Array) -> Array:
    """Return rows (N, d) divided by their length; rows of zeros stay as they are.

    The copy is float64 where `array` is, and float32 otherwise. No row overflows or vanishes: it is
    first divided by a power of two, which rounds nothing.
    """
    out = np.empty(array.shape, np.float64 if array.dtype == np.float64 else np.float32)
    for start in range(0, len(array), TILE):
        tile = np.asarray(array[start : start + TILE], np.float64)  # [TILE, d]
        exponents = np.frexp(np.abs(tile).max(axis=1))[1]
        tile = np.ldexp(tile, -exponents[:, None])
        lengths = np.sqrt((tile**2).sum(axis=1, keepdims=True))  # [TILE, 1]
        out[start : start + TILE] = tile / np.where(lengths == 0, 1.0, lengths)
    return out


def _matrix(values: Any, name: object) -> Array:
    """Return `values` as a read-only array (N, d) of finite real numbers; DataError for others."""
    return _checked(values, name)[0]


def _checked(values: Any, name: object) -> tuple[Array, float]:
    """Return the read-only array and its largest absolute value, in one pass."""
    array = as_array(values).view()
    array.flags.writeable = False
    if array.dtype.kind not in "fiub":
        raise DataError(
            f"block {name!r} holds {array.dtype}; give real numbers", code="not-real-numbers"
        )
    if array.ndim != 2 or array.shape[1] == 0:
        raise DataError(
            f"block {name!r} has shape {array.shape}; give (images, at least 1 column)",
            code="not-a-table",
        )
    largest = 0.0
    for start in range(0, len(array), CHECKED):
        tile = array[start : start + CHECKED]
        top, bottom = float(tile.max()), float(tile.min())
        if not (math.isfinite(top) and math.isfinite(bottom)):  # either is NaN where any value is
            row = start + int(np.flatnonzero(~np.isfinite(tile).all(axis=1))[0])
            raise DataError(
                f"block {name!r} holds NaN or infinity in row {row}; give finite numbers there",
                code="not-finite",
            )
        largest = max(largest, top, -bottom)
    return array, largest
