"""Copies of images: rows that are equal count as one picture, which is chosen once."""

from collections.abc import Sequence

import numpy as np

from nextlabel.core.pool import Pool
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.equal_rows import first_equal


def first_of_each(blocks: Sequence[Array]) -> Ids:
    """Return for each image the first one whose rows are equal in all blocks, int64 (N).

    Parameters
    ----------
    blocks : sequence of arrays (N, …)
        One row of numbers per image in each; at least one block.
    """
    firsts = [first_equal(rows) for rows in blocks]
    return firsts[0] if len(firsts) == 1 else first_equal(np.column_stack(firsts))


def without_copies(pool: Pool, first: Ids) -> tuple[Pool, Ids]:
    """Return the pool in which each picture can be chosen once, and the copies set aside for that.

    An unlabelled image is a copy when an equal one is labelled, or is unlabelled and comes before
    it. Images that a person has excluded stay excluded and make nothing a copy, so a list of
    copies can be excluded without losing the pictures.

    Parameters
    ----------
    pool : Pool
        The state of labelling; it is returned itself when it has no copies.
    first : int64 array (N)
        The first image that is equal to each, as `first_of_each` gives it.

    Returns
    -------
    tuple[Pool, Ids]
        The pool with the copies excluded, and the copies, ascending.
    """
    later = np.flatnonzero(first != np.arange(len(first)))
    shared = np.zeros(len(first), bool)  # pictures of several images; most pools have few
    shared[later] = shared[first[later]] = True
    free = pool.unlabelled[shared[pool.unlabelled]]
    _, earliest = np.unique(first[free], return_index=True)
    is_copy = np.ones(len(free), bool)
    is_copy[earliest] = False
    is_copy |= np.isin(first[free], first[pool.labelled])
    copies = free[is_copy]
    return (pool.exclude(copies) if len(copies) else pool), copies
