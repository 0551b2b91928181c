"""Paired tests of whether a mean difference is zero, and their correction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nextlabel.core.errors import UsageError
from nextlabel.statistics.numbers import differences, finite

Alternative = Literal["two-sided", "greater"]

EXACT_PAIRS = 16
"""Up to so many pairs all 2^n sign flips are taken; beyond, RESAMPLES random ones."""
RESAMPLES: int = 2**EXACT_PAIRS


@dataclass(frozen=True)
class Test:
    """A p-value and how it came about; `p` is None when no test is possible, and `note` says why.

    `smallest_p` is the least that this many pairs can give; `statistic` is None where it has no
    finite value.
    """

    __test__ = False  # for pytest: the name is no test's
    p: float | None
    statistic: float | None
    smallest_p: float | None
    note: str = ""


def smallest_p(pairs: int, alternative: Alternative = "two-sided") -> float:
    """Return the least p that the sign-flip test can give with so many pairs."""
    sides = 2 if alternative == "two-sided" else 1
    if pairs <= EXACT_PAIRS:
        return min(1.0, sides * 0.5**pairs)
    return sides / (RESAMPLES + 1)


def sign_flip(
    a: object,
    b: object,
    rng: np.random.Generator | None = None,
    alternative: Alternative = "two-sided",
) -> Test:
    """Test whether the mean of a − b (n) is zero: under the null each sign is as likely.

    Exact up to EXACT_PAIRS pairs; beyond, RESAMPLES random flips, drawn from `rng`.
    """
    difference = differences(a, b)
    n = len(difference)
    if n == 1:
        return Test(None, float(difference[0]), None, "one pair allows no test")
    least = smallest_p(n, alternative)
    if not difference.any():
        return Test(1.0, 0.0, least, "all pairs are equal")
    if n > EXACT_PAIRS and rng is None:
        raise UsageError(
            f"{n} pairs are too many for an exact test (up to {EXACT_PAIRS}); give a generator"
        )
    from scipy.stats import permutation_test

    found = permutation_test(
        (difference,),
        lambda x, axis: np.mean(x, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        alternative=alternative,
        rng=rng,
    )
    note = "" if n <= EXACT_PAIRS else f"by {RESAMPLES} random sign flips"
    return Test(float(found.pvalue), float(difference.mean()), least, note)


def paired_t(a: object, b: object) -> Test:
    """Test whether the mean of a − b (n) is zero by Student's paired t, two-sided.

    Where all differences are the same but not zero, t is infinite: the exact sign-flip p is
    given in its place, since a p of 0 would claim what n pairs cannot show.
    """
    difference = differences(a, b)
    n = len(difference)
    if n == 1:
        return Test(None, None, None, "one pair allows no test")
    if not difference.any():
        return Test(1.0, 0.0, None, "all pairs are equal")
    if np.ptp(difference) == 0:
        return Test(smallest_p(n), None, None, "all differences are the same: sign-flip p")
    from scipy.stats import ttest_1samp

    found = ttest_1samp(difference, 0.0)
    return Test(float(found.pvalue), float(found.statistic), None)


def paired_t_by_count(a: object, b: object) -> tuple[list[Test], list[float | None]]:
    """Return the paired t test of each column of a − b (n, T), and the p-values after Holm.

    Leave out round 0 where it is shared: its difference is zero by construction.
    """
    a, b = finite(a, "a"), finite(b, "b")
    if a.ndim != 2 or a.shape != b.shape:
        raise UsageError(f"curves of shapes {a.shape} and {b.shape}; give two of shape (n, T)")
    tests = [paired_t(a[:, t], b[:, t]) for t in range(a.shape[1])]
    return tests, holm([test.p for test in tests])


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return p-values corrected by Holm's step-down method; None stays None and does not count."""
    given = [p for p in p_values if p is not None]
    if not all(0 <= p <= 1 for p in given):
        raise UsageError(f"p-values {given} must lie between 0 and 1")
    if not given:
        return [None] * len(p_values)
    from statsmodels.stats.multitest import multipletests

    corrected = iter(multipletests(given, method="holm")[1].tolist())
    return [None if p is None else next(corrected) for p in p_values]
