"""Marked cells of a tile: how many there are, and where.

A tile has r rows and c columns; p of its cells are marked.
"""

import numpy as np

from nextlabel.core.types import Array, Ids


def dense(values: Array, least: Array) -> bool:
    """Return whether about 1/32 of a tile reaches the limits, by every 16th row and column.

    `least` is (1, c) or (r, 1); what is returned decides the speed alone.
    """
    few = values[::16, ::16] >= least[::16, ::16]  # [⌈r/16⌉, ⌈c/16⌉]
    return 32 * int(np.count_nonzero(few)) > few.size


def marked(values: Array, least: Array) -> tuple[Ids, Ids, Array]:
    """Return the rows and columns of the values that reach the limits, and these (p).

    They are read in the order in which they lie in memory.
    """
    marks = values >= least
    if values.flags.c_contiguous:
        flat, (rows, columns) = pairs(marks)
        return rows, columns, values.reshape(-1)[flat]
    flat, (columns, rows) = pairs(marks.T)
    return rows, columns, values.T.reshape(-1)[flat]


def pairs(marks: Array) -> tuple[Ids, tuple[Ids, Ids]]:
    """Return the flat positions that are marked, and their rows and columns (p)."""
    flat = np.flatnonzero(marks)  # [p]
    rows = flat // marks.shape[1]  # [p]
    return flat, (rows, flat - rows * marks.shape[1])
