"""A learning curve: what further labels are expected to bring, and whether they are worth it.

T estimates of the accuracy were made, each with more labels than the one before.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nextlabel.core.types import Array
from nextlabel.statistics.accuracy_estimate import PRIOR
from nextlabel.statistics.inputs import Floats, finite, increasing_counts

LEVEL = 0.9
"""The share of cases in which the rise lies in its range."""
WORTH = 0.01
"""A rise of the accuracy below this is not worth a further batch of labels."""
FURTHER = 50
"""The labels of a further batch."""
FEWEST = 4
"""The fewest estimates that a curve is fitted to."""
AUDITED = 10
"""The fewest audited images of an estimate that counts; with fewer it is the model's own claim."""
SPAN = 2.0
"""The least ratio of the last label count to the first that counts."""
STEEPEST = 1.0
"""The largest exponent: the error is at most halved by twice the labels."""
REFIT = 0.01
"""The standard deviation of the accuracy from fit to fit, apart from what the audit explains."""
DRIFT = 0.1
"""The standard deviation of a claim's drift from the accuracy, per e-fold of labels."""
DRAWS = 1000

Advice = Literal["too-early", "go-on", "stop"]
Lack = Literal["estimates", "audited", "span"]


@dataclass(frozen=True)
class ExpectedRise:
    """The rise of the accuracy by further labels.

    Parameters
    ----------
    labels
        The number of further labels.
    value
        The expected rise, from 0 to 1.
    low, high
        Its range, which holds the rise in `LEVEL` of cases.
    """

    labels: int
    value: float
    low: float
    high: float


def lack_of(labelled: Floats, audited: Floats) -> Lack | None:
    """Return why no rise can be said from T estimates; None when it can.

    Parameters
    ----------
    labelled
        The label counts (T), increasing.
    audited
        The number of audited images (T) of each.

    Returns
    -------
    str or None
        "audited" with fewer than 10 audited images of the last, "estimates" with fewer than 4 that
        have as many, "span" when the label counts have not doubled since the first of these.
    """
    counted = labelled[counting(audited)]
    if not len(labelled) or audited[-1] < AUDITED:
        return "audited"
    if len(counted) < FEWEST:
        return "estimates"
    return "span" if counted[-1] < SPAN * counted[0] else None


def counting(audited: Floats) -> Array:
    """Return which estimates count, bool (T): those with enough audited images.

    The others rest on the confidence of models of few labels, which says more than they know.
    """
    return np.asarray(audited >= AUDITED)


def expected_rise(
    labelled: object, accuracies: object, audited: object, labels: int = FURTHER
) -> ExpectedRise | None:
    """Return the rise of the accuracy by further labels; None when it cannot be said.

    The error is taken to be a·n^-b for n labels, 0 ≤ b ≤ 1, and fitted by least squares of its
    logarithm to the estimates with at least 10 audited images. The range is that of fits to other
    curves that the audit could have given: their errors are drawn around the fitted curve, and
    have the correlation of nested samples, since the images of an audit stay in the next one.
    What the models claim of themselves may drift from their accuracy as labels come; its part in
    the estimates widens the range.

    Parameters
    ----------
    labelled
        The label counts (T), increasing.
    accuracies
        The estimates (T), from 0 to 1.
    audited
        The number of audited images (T) of each.
    labels
        The number of further labels.

    Returns
    -------
    ExpectedRise or None
        None where `lack_of` says why.

    Raises
    ------
    UsageError
        When a number is not finite, or the label counts do not increase.
    """
    values = finite(accuracies, "accuracies")
    if not len(values):
        return None
    counts, of_audit = increasing_counts(labelled), finite(audited, "audited")
    if lack_of(counts, of_audit):
        return None
    kept = counting(of_audit)
    values, counts, sizes = values[kept], counts[kept], of_audit[kept] + PRIOR  # [T]
    errors = np.clip(1 - values, 0.5 / sizes, 1.0)
    logs = np.log(counts)
    last = np.array([counts[-1], counts[-1] + labels])
    fitted = _fit(logs, errors[None], sizes)
    spread = np.sqrt(errors * (1 - np.minimum(errors, 0.99)) / sizes)
    both = np.minimum.outer(sizes, sizes) / np.maximum.outer(sizes, sizes)
    covariance = np.outer(spread, spread) * np.sqrt(both) + REFIT**2 * np.eye(len(counts))
    claimed, walk = PRIOR / sizes, np.minimum.outer(logs - logs[0], logs - logs[0])
    covariance += DRIFT**2 * np.outer(claimed, claimed) * walk
    rng = np.random.default_rng(0)  # the same estimates give the same range
    noise = rng.multivariate_normal(np.zeros(len(counts)), covariance, DRAWS, method="eigh")
    around = np.exp(fitted[0, 0] - fitted[0, 1] * logs) + noise  # [DRAWS, T]
    drawn = _fit(logs, np.clip(around, 0.5 / sizes, 1.0), sizes)
    low, high = np.quantile(_rise(drawn, last), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    value = float(_rise(fitted, last)[0])
    return ExpectedRise(labels, value, min(float(low), value), max(float(high), value))


def _fit(logs: Floats, errors: Floats, sizes: Floats) -> Array:
    """Return log a and b of each curve (S, T), float64 (S, 2)."""
    # The logarithm of an error e, a share of m images, has a variance of about (1 - e) / (e m).
    w = sizes * errors / (1.02 - errors)  # [S, T]
    w = w / w.sum(axis=1, keepdims=True)
    y = np.log(errors)
    x_mean, y_mean = w @ logs, (w * y).sum(axis=1)
    x_off = logs - x_mean[:, None]
    slopes = (w * x_off * (y - y_mean[:, None])).sum(axis=1) / (w * x_off**2).sum(axis=1)
    b = np.clip(-slopes, 0.0, STEEPEST)
    return np.stack([y_mean + b * x_mean, b], axis=1)


def _rise(fitted: Array, counts: Floats) -> Floats:
    """Return by how much the accuracy of each curve (S, 2) rises between two label counts."""
    at = np.exp(fitted[:, :1] - fitted[:, 1:] * np.log(counts))  # [S, 2]
    return np.asarray(at[:, 0] - at[:, 1])


def advice(rise: ExpectedRise | None, worth: float = WORTH) -> Advice:
    """Return whether to go on labelling.

    Parameters
    ----------
    rise
        The expected rise.
    worth
        The smallest rise that is worth the labels.

    Returns
    -------
    str
        "stop" when even the upper end of the range is below `worth`, "too-early" without a rise,
        else "go-on".
    """
    if rise is None:
        return "too-early"
    return "stop" if rise.high < worth else "go-on"
