"""Marked cells of a tile of distances: how many there are, and where."""

import numpy as np

from nextlabel.core.types import Array, Ids


def dense(squared: Array, limits: Array) -> bool:
    """Return whether about a third of a tile is within the limits, by every 16th row and column.

    `limits` is (1, c) or (r, 1); what is returned decides the speed alone.
    """
    few = squared[::16, ::16] <= limits[::16, ::16]
    return 3 * int(np.count_nonzero(few)) > few.size


def pairs(marks: Array) -> tuple[Ids, tuple[Ids, Ids]]:
    """Return the flat positions that are marked, and their rows and columns (p)."""
    flat = np.flatnonzero(marks)
    rows = flat // marks.shape[1]
    return flat, (rows, flat - rows * marks.shape[1])
