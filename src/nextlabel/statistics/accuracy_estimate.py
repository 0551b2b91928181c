"""Estimates of a classifier's accuracy on a pool of which few images are labelled.

m images are audited: drawn from the pool at random, labelled, and hidden from the strategy and from
the classifier that is estimated. A label that the classifier is fitted to does not count, even
where other fits predict it: a strategy picks what differs from its labels, and so leaves a hole
around each of them. docs/accuracy.md has the figures.
"""

from dataclasses import dataclass

import numpy as np

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.types import Array, Task
from nextlabel.statistics.effects import CONFIDENCE
from nextlabel.statistics.inputs import ROUNDING, finite

PRIOR = 40
"""The audited images that count as much as the mean confidence."""


@dataclass(frozen=True)
class AccuracyEstimate:
    """An accuracy, from 0 to 1, with an interval.

    Parameters
    ----------
    value
        The estimate.
    low, high
        The interval; it covers the accuracy of the pool at least as often as `confidence` says.
    audited
        The number m of images that the interval rests on; 0 gives the interval from 0 to 1.
    confidence
        The level of the interval, 0 to 1.
    """

    value: float
    low: float
    high: float
    audited: int
    confidence: float = CONFIDENCE


def mean_confidence(probabilities: object, task: Task = "multiclass") -> float:
    """Return the accuracy that probabilities claim for themselves.

    Parameters
    ----------
    probabilities
        Of the unlabelled images, shape (N, K). Calibrate them first (`temperature = "cv"`).
    task
        "multiclass": the mean of the highest probability. "multilabel": the mean of
        max(p, 1 - p), which claims label accuracy.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    DataError
        When there is no image.
    UsageError
        When a probability is not a finite number from 0 to 1.
    """
    p = finite(probabilities, "probabilities")
    if p.ndim != 2 or not p.size:
        raise DataError(
            f"probabilities have shape {p.shape}; give (at least 1 image, classes)",
            code="no-probabilities",
        )
    if p.min() < -1e-6 or p.max() > 1 + 1e-6:
        raise UsageError(
            f"probabilities reach from {p.min():g} to {p.max():g}; give numbers from 0 to 1",
            code="not-probabilities",
        )
    best = p.max(axis=1) if task == "multiclass" else np.maximum(p, 1 - p)
    return float(np.clip(best.mean(), 0, 1))


def from_audit(
    right: object, confidence: float = CONFIDENCE, fitted_to: int | None = None
) -> AccuracyEstimate:
    """Return the share of audited images that are predicted right, with its interval.

    Parameters
    ----------
    right
        For each audited image whether the classifier, which was not fitted to it, predicts it
        right, shape (m,); for multi-label images (m, K), for each finding.
    confidence
        The level of the interval, 0 to 1.
    fitted_to
        For audited images that cross-validation predicts: the number of labels that each of its
        models is fitted to, other audited ones among them.

    Returns
    -------
    AccuracyEstimate
        Clopper's and Pearson's interval, which covers at its level for every m and every accuracy.
        For the shares of multi-label images it is the same one at the level 1 - (1 - confidence)/e
        of the sum, rounded outward: tails of sums of such shares are at most e times binomial ones
        [Bentkus 2004, https://doi.org/10.1214/009117904000000360].
        Results of cross-validation depend on each other, and the model that is asked about is not
        among its models. The interval is then that of m / (1 + m / `fitted_to`) images
        [Nadeau & Bengio 2003, https://doi.org/10.1023/A:1024068626366], which for ten parts is
        about half of them.

    Raises
    ------
    UsageError
        When a value is not true or false, the level is not between 0 and 1, or `fitted_to` is
        below 1.
    """
    if not 0 < confidence < 1:
        raise UsageError(
            f"confidence {confidence} must be above 0 and below 1; give 0.95 for example",
            code="confidence-out-of-range",
        )
    if fitted_to is not None and fitted_to < 1:
        raise UsageError(
            f"fitted_to {fitted_to} must be at least 1; give the number of labels of each fit",
            code="no-labels-to-fit",
        )
    shares = _shares(right)
    m = len(shares)
    if m == 0:
        return AccuracyEstimate(0.5, 0.0, 1.0, 0, confidence)
    total = float(shares.sum())
    below, above = np.floor(total + ROUNDING * m), np.ceil(total - ROUNDING * m)
    level = confidence if np.isin(shares, (0, 1)).all() else 1 - (1 - confidence) / np.e
    share = 1.0 if fitted_to is None else 1 / (1 + m / fitted_to)
    low = _lower_end(share * below, share * m, level)
    high = 1 - _lower_end(share * (m - above), share * m, level)
    return AccuracyEstimate(total / m, low, high, m, confidence)


def _lower_end(count: float, m: float, level: float) -> float:
    """Return the lower end of Clopper's and Pearson's interval of `count` of m, both real."""
    from scipy.stats import beta

    return float(beta.ppf((1 - level) / 2, count, m - count + 1)) if count > 0 else 0.0


def combined(
    claimed: float,
    right: object,
    confidence: float = CONFIDENCE,
    prior: float = PRIOR,
    fitted_to: int | None = None,
) -> AccuracyEstimate:
    """Return the mean confidence and the audit as one estimate, with the audit's interval.

    Parameters
    ----------
    claimed
        The mean confidence, 0 to 1.
    right
        As for `from_audit`.
    confidence
        The level of the interval, 0 to 1.
    prior
        The number of audited images that `claimed` counts as much as.
    fitted_to
        As for `from_audit`.

    Returns
    -------
    AccuracyEstimate
        The value (prior · claimed + number right) / (prior + m), moved into the interval.

    Raises
    ------
    UsageError
        When a number is out of its range.
    """
    if not (0 <= claimed <= 1 and 0 < prior < np.inf):
        raise UsageError(
            f"claimed {claimed} must lie from 0 to 1 and prior {prior} above 0; correct them",
            code="not-a-share",
        )
    audit = from_audit(right, confidence, fitted_to)
    value = (prior * claimed + audit.audited * audit.value) / (prior + audit.audited)
    value = min(max(value, audit.low), audit.high)
    return AccuracyEstimate(value, audit.low, audit.high, audit.audited, confidence)


def _shares(right: object) -> Array:
    """Return the share that is right of each image, float64 (m)."""
    values = finite(right, "right")
    if values.ndim not in (1, 2) or not np.isin(values, (0, 1)).all():
        raise UsageError(
            f"right has shape {values.shape} and values other than true and false; give one or a "
            "row of them for each audited image",
            code="not-true-or-false",
        )
    return values.mean(axis=1) if values.ndim == 2 else values
