"""Paired tests of whether a mean difference is zero."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nextlabel.core.errors import UsageError
from nextlabel.statistics.holm_correction import holm
from nextlabel.statistics.inputs import differences, finite, paired, rounding_noise
from nextlabel.statistics.subsets import EXACT_PAIRS, RESAMPLES, subsets, sums

Alternative = Literal["two-sided", "greater"]


@dataclass(frozen=True)
class PairedTest:
    """A p-value and how it came about.

    Parameters
    ----------
    p
        The p-value, 0 to 1; None when no test is possible, and `note` says why.
    statistic
        The mean difference (sign flips) or Student's t; None where it is not finite.
    smallest_p
        The least p that this many pairs can give; None for Student's t.
    note
        Remark for the reader, or "".

    """

    p: float | None
    statistic: float | None
    smallest_p: float | None
    note: str = ""


def smallest_p(pairs: int, alternative: Alternative = "two-sided") -> float:
    """Return the least p that the sign-flip test can give with a number of pairs.

    Parameters
    ----------
    pairs
        The number of pairs, at least 1.
    alternative
        "two-sided", or "greater" for a > b.

    Returns
    -------
    float
        A probability, at most 1.

    """
    tails = 2 if alternative == "two-sided" else 1
    if pairs <= EXACT_PAIRS:
        return min(1.0, tails * 0.5**pairs)
    return tails / (RESAMPLES + 1)


def sign_flip(
    a: object,
    b: object,
    rng: np.random.Generator | None = None,
    alternative: Alternative = "two-sided",
) -> PairedTest:
    """Test whether the mean of a − b is zero: under the null both signs are equally likely.

    The test is exact up to EXACT_PAIRS pairs; beyond, it takes RESAMPLES random flips. Mean
    differences that are equal but for rounding count as equal. Under the null the differences must
    be symmetric around zero: with exponential ones of mean zero, two-sided p is 0.05 or less in
    9% of experiments of 10 pairs.

    Parameters
    ----------
    a, b
        Finite numbers, shape (n,), one pair per row.
    rng
        Source of the random flips; needed beyond EXACT_PAIRS pairs.
    alternative
        "two-sided", or "greater" for a > b.

    Returns
    -------
    PairedTest
        The test; its statistic is the mean difference, in the unit of `a`.

    Raises
    ------
    UsageError
        The input is not finite or not paired, or many pairs come without a generator.

    """
    difference = differences(a, b)
    n = len(difference)
    if n == 1:
        return PairedTest(None, float(difference[0]), None, "one pair allows no test")
    least = smallest_p(n, alternative)
    if not difference.any():
        return PairedTest(1.0, 0.0, least, "all pairs are equal")
    # A flip of the pairs S lowers the mean by 2 / n of their sum; the unflipped signs count once.
    flipped = sums(subsets(n, rng), difference)  # [R]
    noise = rounding_noise(*paired(a, b)) * n / 2
    shares = [
        (1 + int(np.count_nonzero(tail))) / (1 + len(flipped))
        for tail in (flipped <= noise, flipped >= -noise)
    ]
    p = shares[0] if alternative == "greater" else min(1.0, 2 * min(shares))
    mean = float(difference.mean())
    note = "" if n <= EXACT_PAIRS else f"by {RESAMPLES} random sign flips"
    return PairedTest(p, mean, least, note)


def paired_t(a: object, b: object) -> PairedTest:
    """Test whether the mean of a − b is zero by Student's paired t, two-sided.

    Where all differences are the same but not zero, t is infinite: the exact sign-flip p is
    given in its place, since a p of 0 would claim what n pairs cannot show.

    Parameters
    ----------
    a, b
        Finite numbers, shape (n,), one pair per row.

    Returns
    -------
    PairedTest
        The test; its statistic is t, without a unit.

    Raises
    ------
    UsageError
        The input is not finite or not paired.

    """
    difference = differences(a, b)
    n = len(difference)
    if n == 1:
        return PairedTest(None, None, None, "one pair allows no test")
    if not difference.any():
        return PairedTest(1.0, 0.0, None, "all pairs are equal")
    if np.ptp(difference) == 0:
        return PairedTest(smallest_p(n), None, None, "all differences are the same: sign-flip p")
    # scipy.stats.ttest_1samp gives the same bits, but its import takes 0.3 s and more
    from scipy.special import stdtr

    mean = difference.mean()
    variance = np.mean((difference - mean) ** 2) * (n / (n - 1))
    t = float(mean / np.sqrt(variance / n))
    return PairedTest(2 * float(stdtr(n - 1, -abs(t))), t, None)


def paired_t_by_count(a: object, b: object) -> tuple[list[PairedTest], list[float | None]]:
    """Return the paired t test at each label count, and the p-values corrected by Holm.

    Leave out round 0 where it is shared: its difference is zero by construction.

    Parameters
    ----------
    a, b
        Curves, shape (n, T): one row per pair, one column per label count.

    Returns
    -------
    tuple[list[PairedTest], list[float | None]]
        T tests and T corrected p-values; a p that does not exist stays None.

    Raises
    ------
    UsageError
        The input is not finite, or not two arrays of one shape (n, T).

    """
    first, second = finite(a, "a"), finite(b, "b")
    if first.ndim != 2 or first.shape != second.shape:
        raise UsageError(
            f"curves of shapes {first.shape} and {second.shape}; give two of shape (n, T)",
            code="unequal-shapes",
        )
    tests = [paired_t(first[:, t], second[:, t]) for t in range(first.shape[1])]
    return tests, holm([test.p for test in tests])
