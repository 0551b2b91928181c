"""The size of a paired difference, its interval, and the smallest one that a test could find."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from nextlabel.statistics.inputs import differences
from nextlabel.statistics.paired import Alternative, PairedTest, sign_flip
from nextlabel.statistics.subsets import central, means, subsets

ALPHA, POWER, CONFIDENCE = 0.05, 0.8, 0.95


@dataclass(frozen=True)
class Comparison:
    """All that paired numbers say about a − b.

    Parameters
    ----------
    n
        The number of pairs.
    mean
        The mean difference, in the unit of the numbers.
    deviation
        The standard deviation of the differences; None for one pair.
    effect
        Cohen's d_z, without a unit; None where it is undefined.
    low, high
        The sign-flip interval of the mean; None for one pair.
    confidence
        The level of that interval: 0.95, or the most that fewer than 6 pairs can cover.
    test
        The sign-flip permutation test.
    alternative
        "two-sided", or "greater" for a > b.

    """

    n: int
    mean: float
    deviation: float | None
    effect: float | None
    low: float | None
    high: float | None
    confidence: float
    test: PairedTest
    alternative: Alternative

    @property
    def detectable(self) -> float | None:
        """The true mean difference that a paired t test finds with 80% power; None for one pair.

        It is computed when it is read, since that needs the import of statsmodels.
        """
        effect = detectable_effect(self.n, alternative=self.alternative)
        return None if effect is None or self.deviation is None else effect * self.deviation


def effect_size(a: object, b: object) -> float | None:
    """Return Cohen's d_z: the mean of a − b over its standard deviation.

    Parameters
    ----------
    a, b
        Finite numbers, shape (n,), one pair per row.

    Returns
    -------
    float | None
        d_z, without a unit; 0 when all pairs are equal. None for one pair, and for equal
        differences that are not 0: then the standard deviation is missing or zero.

    Raises
    ------
    UsageError
        The input is not finite or not paired.

    """
    difference = differences(a, b)
    if len(difference) > 1 and not difference.any():
        return 0.0
    if len(difference) == 1 or np.ptp(difference) == 0:
        return None
    return float(difference.mean() / difference.std(ddof=1))


def sign_flip_interval(
    a: object,
    b: object,
    rng: np.random.Generator | None = None,
    confidence: float = CONFIDENCE,
) -> tuple[float, float] | None:
    """Return the interval of the mean of a − b that the sign-flip test does not reject.

    It is exact for differences that are symmetric around their mean, with any distribution,
    and holds zero just where the two-sided test has a p above 1 − confidence. Its ends are means of
    subsets of the differences, so n pairs cover at most `attainable(n)`, with the range of the
    differences; fewer than 6 pairs cannot cover 95%.

    Parameters
    ----------
    a, b
        Finite numbers, shape (n,), one pair per row.
    rng
        Source of random subsets; needed beyond EXACT_PAIRS pairs.
    confidence
        Level of the interval, 0 to 1.

    Returns
    -------
    tuple[float, float] | None
        The lower and the upper end, in the unit of the numbers; None for one pair.

    Raises
    ------
    UsageError
        The input is not finite or not paired, or many pairs come without a generator.

    """
    difference = differences(a, b)
    n = len(difference)
    if n == 1:
        return None
    if np.ptp(difference) == 0:
        return float(difference[0]), float(difference[0])
    return central(np.sort(means(subsets(n, rng), difference)), confidence)


def attainable(pairs: int, confidence: float = CONFIDENCE) -> float:
    """Return the level of an interval of `pairs` pairs: `confidence`, or the most they can cover.

    That is 1 − 2^(1 − n): 0.9375 for five pairs.
    """
    return min(confidence, 1 - 2.0 ** (1 - pairs))


@cache
def detectable_effect(
    pairs: int,
    alpha: float = ALPHA,
    power: float = POWER,
    alternative: Alternative = "two-sided",
) -> float | None:
    """Return the smallest d_z that a paired t test finds.

    Times the standard deviation of the differences it is in the unit of the numbers.

    Parameters
    ----------
    pairs
        The number of pairs.
    alpha
        Significance level of the test.
    power
        Probability of finding the effect.
    alternative
        "two-sided", or "greater" for a > b.

    Returns
    -------
    float | None
        d_z, without a unit; None for one pair.

    """
    if pairs < 2:
        return None
    from statsmodels.stats.power import TTestPower

    direction = "larger" if alternative == "greater" else alternative
    effect = TTestPower().solve_power(nobs=pairs, alpha=alpha, power=power, alternative=direction)
    return float(effect)


def compare(
    a: object,
    b: object,
    rng: np.random.Generator | None = None,
    alternative: Alternative = "two-sided",
) -> Comparison:
    """Return all that paired numbers, for example AUBCs by seed, say about a − b.

    Parameters
    ----------
    a, b
        Finite numbers, shape (n,), one pair per row.
    rng
        Source of random sign flips; needed beyond EXACT_PAIRS pairs.
    alternative
        "two-sided", or "greater" for a > b.

    Returns
    -------
    Comparison
        The comparison, in the unit of the numbers.

    Raises
    ------
    UsageError
        The input is not finite or not paired, or many pairs come without a generator.

    """
    difference = differences(a, b)
    n = len(difference)
    deviation = float(difference.std(ddof=1)) if n > 1 else None
    if n > 1 and np.ptp(difference) == 0:
        deviation = 0.0
    low, high = sign_flip_interval(a, b, rng) or (None, None)
    return Comparison(
        n,
        float(difference.mean()),
        deviation,
        effect_size(a, b),
        low,
        high,
        attainable(n),
        sign_flip(a, b, rng, alternative),
        alternative,
    )
