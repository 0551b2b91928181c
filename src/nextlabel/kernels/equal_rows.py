"""Rows that are equal to one another."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array, Ids

TILE_BYTES = 1 << 24
GLANCE = 16
"""The number of columns that sort out most of the rows that are like no other."""


def first_equal(rows: Array) -> Ids:
    """Return for each row the first row that is equal to it, itself included.

    Rows are equal when all of their numbers are; 0 and -0 are one number, and a row with NaN is
    equal to no other. Rows are read in tiles, so a memory-mapped array is never copied whole.

    Parameters
    ----------
    rows : array (N, …)
        Real numbers or truth values.

    Returns
    -------
    int64 array (N)
        The smallest equal row of each; a row k with the value k is the first of its kind.
    """
    first = np.arange(len(rows), dtype=np.int64)
    if len(rows) < 2 or not rows[0].size:
        return np.zeros_like(first)
    flat = rows.reshape(len(rows), -1)
    alike = np.sort(np.concatenate([first[:0], *_groups(_keys(flat, first, GLANCE))]))
    for group in _groups(_keys(flat, alike, flat.shape[1])):
        _match(flat, alike[group], first)
    return first


def _keys(rows: Array, ids: Ids, columns: int) -> NDArray[np.uint64]:
    """Return a number for each of the rows `ids` (n), uint64, that equal rows share.

    It is made of that many `columns`, and other rows hardly ever share it.
    """
    kept = np.unique(np.linspace(0, rows.shape[1] - 1, columns).astype(np.int64))
    odd = np.random.default_rng(0).integers(1, 1 << 62, len(kept), np.uint64) * np.uint64(2)
    odd += np.uint64(1)
    keys = np.empty(len(ids), np.uint64)  # [n]
    for span in _tiles(len(ids), rows.shape[1]):
        tile = rows[ids[span]][:, kept]  # [tile, columns]
        bits = (tile.astype(np.float64) + 0.0).view(np.uint64)  # -0 becomes 0
        bits ^= bits >> np.uint64(32)  # the low bits of a number in float16 or float32 are 0
        mixed = bits * odd
        mixed ^= mixed >> np.uint64(29)  # a product never carries its high bits down
        keys[span] = mixed.sum(axis=1, dtype=np.uint64)
    return keys


def _groups(keys: NDArray[np.uint64]) -> Iterator[Ids]:
    """Yield the positions, ascending, of each key that occurs more than once."""
    ascending = np.sort(keys)
    repeated = np.unique(ascending[1:][ascending[1:] == ascending[:-1]])
    del ascending  # most keys occur once, so all that follows is short
    positions = np.flatnonzero(_among(keys, repeated))
    order = positions[np.argsort(keys[positions], kind="stable")]
    ends = np.searchsorted(keys[order], repeated, side="right").tolist()
    for start, end in zip([0, *ends], ends, strict=False):
        yield order[start:end]


def _among(keys: NDArray[np.uint64], some: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return which keys (n) are among `some`, which are ascending."""
    among = np.zeros(len(keys), bool)
    for span in _tiles(len(keys) if len(some) else 0, 1):
        nearest = np.minimum(np.searchsorted(some, keys[span]), len(some) - 1)
        among[span] = some[nearest] == keys[span]
    return among


def _match(rows: Array, alike: Ids, first: Ids) -> None:
    """Write into `first` which of the rows `alike`, ascending and of one key, are truly equal."""
    while len(alike) > 1:
        same = np.ones(len(alike), bool)
        for span in _tiles(len(alike), rows.shape[1]):
            same[span] = (rows[alike[span]] == rows[alike[0]]).all(axis=1)
        same[0] = True  # even where it holds NaN
        first[alike[same]] = alike[0]
        alike = alike[~same]


def _tiles(count: int, width: int) -> Iterator[slice]:
    step = max(1, TILE_BYTES // (8 * width))
    return (slice(start, start + step) for start in range(0, count, step))
