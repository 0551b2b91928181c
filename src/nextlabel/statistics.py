"""Honest comparisons of paired numbers: pure functions of arrays, on scipy and statsmodels.

Rows are pairs (seeds), columns label counts. Equal numbers give p = 1 and effect 0; what cannot
be computed is None, never NaN. Bad input raises UsageError.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import UsageError

Floats = NDArray[np.float64]
Alternative = Literal["two-sided", "greater"]

ALPHA, POWER, CONFIDENCE = 0.05, 0.8, 0.95
EXACT_PAIRS = 16
"""Up to so many pairs all 2^n sign flips are taken; beyond, RESAMPLES random ones."""
RESAMPLES: int = 2**EXACT_PAIRS
DRAWS = 4999
"""How often curves are drawn again for the interval of what they save."""
ROUNDING = 1e-12
"""Differences that vary by less than this, relative to the numbers, are equal."""


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


@dataclass(frozen=True)
class Comparison:
    """What paired numbers say about a − b.

    `mean` of the differences with the bootstrap interval `low` to `high`; `deviation` (s.d.) and
    `effect` (Cohen's d_z) are None where undefined; `test` is the sign-flip permutation test;
    `detectable` is the true mean difference that a paired t test finds with 80% power.
    """

    n: int
    mean: float
    deviation: float | None
    effect: float | None
    low: float
    high: float
    test: Test
    detectable: float | None


@dataclass(frozen=True)
class Saving:
    """Labels that an arm and its baseline need for `level`; `arm_needs` None: not reached."""

    level: float
    baseline_needs: float
    arm_needs: float | None

    @property
    def saved(self) -> float | None:
        """Labels saved; negative when the arm needs more."""
        return None if self.arm_needs is None else self.baseline_needs - self.arm_needs


def aubc(
    counts: Sequence[int] | NDArray[np.int64],
    values: object,
    scale: Literal["linear", "log2"] = "linear",
) -> Floats:
    """Return the area under the budget curve, as a mean height: in the unit of `values`.

    `counts` (T) increase; `values` (..., T) give (...). Trapezoids over the label counts or their
    binary logarithms, divided by the range; a single count gives its value.
    """
    x, y = _counts(counts), _finite(values, "curve")
    if y.ndim < 1 or y.shape[-1] != len(x):
        raise UsageError(f"{len(x)} label counts for curves of shape {y.shape}; give one a point")
    if len(x) == 1:
        return y[..., 0]
    if scale == "log2":
        x = np.log2(x)
    heights = (y[..., 1:] + y[..., :-1]) / 2
    area: Floats = np.asarray(heights @ np.diff(x) / (x[-1] - x[0]))
    return area


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
    difference = _differences(a, b)
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
    difference = _differences(a, b)
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
    a, b = _finite(a, "a"), _finite(b, "b")
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


def effect_size(a: object, b: object) -> float | None:
    """Return Cohen's d_z: the mean of a − b over its s.d.; None when that s.d. is not there.

    Zero when all pairs are equal; undefined with one pair, or equal differences that are not 0.
    """
    difference = _differences(a, b)
    if len(difference) > 1 and not difference.any():
        return 0.0
    if len(difference) == 1 or np.ptp(difference) == 0:
        return None
    return float(difference.mean() / difference.std(ddof=1))


def bootstrap_interval(
    a: object, b: object, rng: np.random.Generator, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Return the expanded percentile bootstrap interval of the mean of a − b (n).

    Plain percentiles are too narrow for few pairs; the level is widened so that for normal
    differences the interval is as wide as Student's [Hesterberg 2015, arXiv 1411.5279]. It cannot
    leave the range of the differences: with n pairs it covers at most 1 − 2^(1−n).
    """
    difference = _differences(a, b)
    n = len(difference)
    if np.ptp(difference) == 0:
        return float(difference[0]), float(difference[0])
    from scipy.stats import bootstrap

    found = bootstrap(
        (difference,),
        np.mean,
        confidence_level=_expanded(n, confidence),
        method="percentile",
        vectorized=True,
        rng=rng,
    ).confidence_interval
    return float(found.low), float(found.high)


def _expanded(pairs: int, confidence: float) -> float:
    """Return the level at which percentiles of so many pairs are as wide as Student's interval."""
    from scipy.stats import norm, t

    quantile = np.sqrt(pairs / (pairs - 1)) * t.ppf(0.5 + confidence / 2, pairs - 1)
    return float(1 - 2 * norm.sf(quantile))


def detectable_effect(
    pairs: int,
    alpha: float = ALPHA,
    power: float = POWER,
    alternative: Alternative = "two-sided",
) -> float | None:
    """Return the smallest d_z that a paired t test finds with `power`; None for one pair.

    Times the s.d. of the differences it is in the unit of the curve.
    """
    if pairs < 2:
        return None
    from statsmodels.stats.power import TTestPower

    side = "larger" if alternative == "greater" else alternative
    solved = TTestPower().solve_power(nobs=pairs, alpha=alpha, power=power, alternative=side)
    return float(solved)


def compare(
    a: object, b: object, rng: np.random.Generator, alternative: Alternative = "two-sided"
) -> Comparison:
    """Return all that n paired numbers, for example AUBCs by seed, say about a − b."""
    difference = _differences(a, b)
    n = len(difference)
    deviation = float(difference.std(ddof=1)) if n > 1 else None
    if n > 1 and np.ptp(difference) == 0:
        deviation = 0.0
    least = detectable_effect(n, alternative=alternative)
    low, high = bootstrap_interval(a, b, rng)
    return Comparison(
        n,
        float(difference.mean()),
        deviation,
        effect_size(a, b),
        low,
        high,
        sign_flip(a, b, rng, alternative),
        None if least is None or deviation is None else least * deviation,
    )


def labels_to_reach(
    counts: Sequence[int] | NDArray[np.int64], values: object, level: float
) -> float | None:
    """Return the label count at which a curve (T) first reaches `level`, interpolated linearly.

    The first count when the curve starts there; None when it is never reached.
    """
    x, y = _counts(counts), _finite(values, "curve")
    if y.shape != x.shape:
        raise UsageError(f"{len(x)} label counts for a curve of shape {y.shape}; give one a point")
    needs = _crossings(x, y[None], np.array([level]))[0]
    return _reached(needs)


def label_saving(
    counts: Sequence[int] | NDArray[np.int64], arm: object, baseline: object
) -> list[Saving]:
    """Return, for each label count, what both need for the best that the baseline had by then.

    `arm` and `baseline` (T) are mean curves; both needs are first crossings, so that an arm
    against itself saves exactly nothing.
    """
    savings = []
    for level in np.maximum.accumulate(_finite(baseline, "baseline")).tolist():
        baseline_needs = labels_to_reach(counts, baseline, level)
        assert baseline_needs is not None
        savings.append(Saving(level, baseline_needs, labels_to_reach(counts, arm, level)))
    return savings


def saving_intervals(
    counts: Sequence[int] | NDArray[np.int64],
    arm: object,
    baseline: object,
    rng: np.random.Generator,
    confidence: float = CONFIDENCE,
) -> list[tuple[float | None, float | None]] | None:
    """Return bootstrap intervals of what `label_saving` says of the mean of curves (n, T).

    Pairs are drawn again, both mean curves and so the level with them, and the percentiles widened
    as in `bootstrap_interval`. An end is None where the arm does not reach the level; the whole is
    None for a single pair.
    """
    x, a, b = _counts(counts), _finite(arm, "arm"), _finite(baseline, "baseline")
    if a.ndim != 2 or a.shape != b.shape or a.shape[1] != len(x):
        raise UsageError(
            f"curves of shapes {a.shape} and {b.shape} for {len(x)} label counts; "
            "give two of shape (n, T)"
        )
    n = len(a)
    if n == 1:
        return None
    rows = rng.integers(0, n, (DRAWS, n))
    mine, theirs = a[rows].mean(axis=1), b[rows].mean(axis=1)
    tail = (1 - _expanded(n, confidence)) / 2
    found: list[tuple[float | None, float | None]] = []
    for levels in np.maximum.accumulate(theirs, axis=1).T:
        saved = np.sort(_crossings(x, theirs, levels) - _crossings(x, mine, levels))
        ends = saved[int(tail * DRAWS)], saved[DRAWS - 1 - int(tail * DRAWS)]
        found.append((_reached(ends[0]), _reached(ends[1])))
    return found


def _reached(count: float) -> float | None:
    return float(count) if np.isfinite(count) else None


def _crossings(x: Floats, curves: Floats, levels: Floats) -> Floats:
    """Return where each curve (R, T) first reaches its level (R), as `labels_to_reach`, or inf."""
    above = curves >= levels[:, None]
    after = above.argmax(axis=1)
    rows, before = np.arange(len(curves)), np.maximum(after - 1, 0)
    y0, y1 = curves[rows, before], curves[rows, after]
    rise = np.where(after > 0, y1 - y0, 1.0)
    beyond = np.where(after > 0, levels - y0, 0.0)
    needs: Floats = x[before] + (x[after] - x[before]) * beyond / rise
    needs[~above.any(axis=1)] = np.inf
    return needs


def _finite(values: object, name: str) -> Floats:
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} holds what is no number ({error}); give numbers") from error
    if not np.isfinite(array).all():
        raise UsageError(f"{name} holds NaN or infinity; give finite numbers")
    return array


def _counts(counts: object) -> Floats:
    x = _finite(counts, "label counts")
    if x.ndim != 1 or not len(x) or x[0] < 1 or (np.diff(x) <= 0).any():
        raise UsageError(f"label counts {x.tolist()} must increase, from 1 or more")
    return x


def _differences(a: object, b: object) -> Floats:
    """Return a − b (n), where differences equal but for rounding are made equal."""
    a, b = _finite(a, "a"), _finite(b, "b")
    if a.ndim != 1 or a.shape != b.shape or not len(a):
        raise UsageError(
            f"paired numbers of shapes {a.shape} and {b.shape}; give two of one length, at least 1"
        )
    difference: Floats = a - b
    noise = ROUNDING * max(np.abs(a).max(), np.abs(b).max())
    difference[np.abs(difference) <= noise] = 0.0
    if np.ptp(difference) <= noise:
        difference[:] = difference[0]
    return difference
