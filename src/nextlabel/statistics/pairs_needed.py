"""The reach of a number of pairs: which claims a sign-flip test can support after Holm."""

from collections.abc import Sequence

from nextlabel.statistics.effects import ALPHA
from nextlabel.statistics.holm_correction import holm
from nextlabel.statistics.paired import Alternative, smallest_p
from nextlabel.statistics.subsets import EXACT_PAIRS


def least_corrected(
    pairs: Sequence[int] | int, alternatives: Sequence[Alternative]
) -> list[float | None]:
    """Return the least p after Holm that each of several claims can have, tested together.

    It is reached where all differences of every claim have the claimed sign.

    Parameters
    ----------
    pairs
        The number of pairs, of all claims or of each.
    alternatives
        "two-sided" or "greater" for each claim.

    Returns
    -------
    list[float | None]
        Corrected p-values, one per claim; fewer than two pairs allow no test and count as p = 1.

    """
    counts = [pairs] * len(alternatives) if isinstance(pairs, int) else pairs
    smallest = [
        smallest_p(n, alternative) if n > 1 else 1.0
        for n, alternative in zip(counts, alternatives, strict=True)
    ]
    return holm(smallest)


def pairs_needed(alternatives: Sequence[Alternative], alpha: float = ALPHA) -> list[int | None]:
    """Return the fewest pairs with which each of several claims can be supported.

    Parameters
    ----------
    alternatives
        "two-sided" or "greater" for each claim of a family that Holm's method corrects.
    alpha
        Significance level.

    Returns
    -------
    list[int | None]
        Numbers of pairs, one per claim; None where no number of random sign flips is enough.

    """
    needed: list[int | None] = [None] * len(alternatives)
    for pairs in range(EXACT_PAIRS, 1, -1):
        for claim, p in enumerate(least_corrected(pairs, alternatives)):
            if p is not None and p <= alpha:
                needed[claim] = pairs
    return needed
