"""Checked matrices: rows of finite real numbers, read-only."""

import math
from typing import Any

import numpy as np

from nextlabel.core.errors import DataError
from nextlabel.core.types import Array, as_array

CHECKED = 1024
"""Rows checked at a time: few enough to stay near the processor."""


def matrix(values: Any, name: object) -> Array:
    """Return `values` as a read-only array (N, d) of finite real numbers; DataError for others."""
    return checked_matrix(values, name)[0]


def checked_matrix(values: Any, name: object) -> tuple[Array, float]:
    """Return the read-only array and its largest absolute value, in one pass."""
    array = as_array(values, f"block {name!r}").view()
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
        top = largest_size(tile)
        if not math.isfinite(top):
            row, column = (int(axis[0]) for axis in np.nonzero(~np.isfinite(tile)))
            raise DataError(
                f"block {name!r} holds {tile[row, column]} in column {column} of row "
                f"{start + row}; give finite numbers there",
                code="not-finite",
            )
        largest = max(largest, top)
    return array, largest


def largest_size(tile: Array) -> float:
    """Return the largest absolute value of a table, NaN or infinity where any value is one."""
    if tile.dtype == np.float16 and tile.dtype.isnative:
        # Without their sign, patterns of float16 are in the order of the values, then infinity and
        # NaN; numpy compares them as whole numbers thirty times as fast.
        return float((tile.view(np.uint16) & np.uint16(0x7FFF)).max().view(np.float16))
    top, bottom = float(tile.max()), float(tile.min())  # either is NaN where any value is
    return max(top, -bottom) if math.isfinite(top) and math.isfinite(bottom) else math.nan
