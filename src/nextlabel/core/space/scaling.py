"""Scales of the rows of a block: their root-mean-square distance, and rows of length one."""

from collections.abc import Iterator

import numpy as np

from nextlabel.core.types import Array

TILE = 8192
"""Rows in memory at a time, in float64."""


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
