"""Ranking by score: the highest first, and the smallest id at a tie.

N images, C candidates.
"""

import numpy as np

from nextlabel.core.errors import DataError
from nextlabel.core.types import Array, Ids


def highest(scores: Array, candidates: Ids, budget: int, rounding: float = 0.0) -> Ids:
    """Return the candidates with the highest scores, best first; ties go to the smaller id.

    Parameters
    ----------
    scores
        One number per image of the pool, float (N).
    candidates
        Ids in ascending order, int64 (C).
    budget
        The number of ids to return.
    rounding
        Scores that differ by no more than this tie, and so do all in a row of such scores.

    Returns
    -------
    Ids
        Ids, int64 (budget).

    Raises
    ------
    DataError
        The score of a candidate is not a number.

    """
    candidate_scores = np.asarray(scores, np.float64)[candidates]  # [C]
    bad = np.flatnonzero(np.isnan(candidate_scores))
    if bad.size:
        raise DataError(
            f"the score of image {candidates[bad[0]]} is not a number; "
            "check the signal that it was computed from",
            code="score-not-a-number",
        )
    order = np.argsort(-candidate_scores, kind="stable")  # [C]
    if rounding:
        steps = candidate_scores[order[:-1]] - candidate_scores[order[1:]] > rounding  # [C - 1]
        rank = np.concatenate([[0], np.cumsum(steps)])[: len(order)]  # [C]
        order = order[np.lexsort((order, rank))]
    return candidates[order[:budget]]
