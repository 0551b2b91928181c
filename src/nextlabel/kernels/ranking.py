"""The highest scores first, and the smallest id at a tie."""

import numpy as np

from nextlabel.core.errors import DataError
from nextlabel.core.types import Array, Ids


def highest(scores: Array, candidates: Ids, budget: int) -> Ids:
    """Return the `budget` ids of `candidates` (ascending) with the highest scores, best first.

    `scores` is float (N), one for each image of the pool. Equal scores go by the smaller id.
    Raises DataError when a candidate's score is not a number.
    """
    own = np.asarray(scores, np.float64)[candidates]
    bad = np.flatnonzero(np.isnan(own))
    if bad.size:
        raise DataError(
            f"the score of image {candidates[bad[0]]} is not a number; "
            "check the signal that it was computed from"
        )
    return candidates[np.argsort(-own, kind="stable")[:budget]]
