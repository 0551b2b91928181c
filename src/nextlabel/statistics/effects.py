"""How large a paired difference is, how sure, and how small a one could be found."""

from dataclasses import dataclass

import numpy as np

from nextlabel.statistics.numbers import differences
from nextlabel.statistics.paired import Alternative, Test, sign_flip

ALPHA, POWER, CONFIDENCE = 0.05, 0.8, 0.95


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


def effect_size(a: object, b: object) -> float | None:
    """Return Cohen's d_z: the mean of a − b over its s.d.; None when that s.d. is not there.

    Zero when all pairs are equal; undefined with one pair, or equal differences that are not 0.
    """
    difference = differences(a, b)
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
    difference = differences(a, b)
    n = len(difference)
    if np.ptp(difference) == 0:
        return float(difference[0]), float(difference[0])
    from scipy.stats import bootstrap

    found = bootstrap(
        (difference,),
        np.mean,
        confidence_level=expanded(n, confidence),
        method="percentile",
        vectorized=True,
        rng=rng,
    ).confidence_interval
    return float(found.low), float(found.high)


def expanded(pairs: int, confidence: float) -> float:
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
    difference = differences(a, b)
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
