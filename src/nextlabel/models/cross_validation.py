"""Predictions for labels that were held out, and the temperature that suits them best.

n images are labelled, K classes are among their labels.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.types import Array, Ids, Labels

FOLDS = 5
"""Folds of cross-validation."""

HIGHEST = 16.0
"""The highest temperature, and the inverse of the lowest."""

SMALLEST = 1e-30
"""The smallest probability whose logarithm is taken."""


class BlockClassifier(Protocol):
    """A classifier on scaled blocks."""

    @property
    def classes_(self) -> Array:
        """The class numbers (K) that it was fitted to, ascending."""
        ...

    def probabilities(self, rows: ScaledBlocks) -> Array:
        """Return probabilities, float64 (N, K)."""
        ...


Fit = Callable[[Ids, Labels], BlockClassifier]
"""A function that fits a classifier to some labelled ids (m) and their labels (m)."""


def folds(labels: Labels, count: int = FOLDS) -> Array:
    """Return the fold of each label (n), from 0 to `count` - 1.

    The labels of a class go to different folds in turn, so a fold has about as many of each class.
    A class with a single label has fold -1: it is never held out. Nothing is random.
    """
    fold = np.empty(len(labels), np.int64)
    fold[np.argsort(labels, kind="stable")] = np.arange(len(labels)) % min(count, len(labels))
    _, which, counts = np.unique(labels, return_inverse=True, return_counts=True)
    fold[counts[which] == 1] = -1
    return fold


def held_out_probabilities(
    fit: Fit, rows: ScaledBlocks, labelled: Ids, labels: Labels
) -> tuple[Array, Array]:
    """Return the positions (m) that were held out and their probabilities (m, K).

    Each classifier is fitted without the fold that it predicts, and has all K classes, since no
    fold has all labels of a class.
    """
    fold = folds(labels)
    held, predicted = [], []
    for number in np.unique(fold[fold >= 0]):
        out = np.flatnonzero(fold == number)
        kept = np.flatnonzero(fold != number)
        fitted = fit(labelled[kept], labels[kept])
        held.append(out)
        predicted.append(fitted.probabilities(rows.take(labelled[out])))
    if not held:
        return np.empty(0, np.int64), np.empty((0, len(np.unique(labels))))
    return np.concatenate(held), np.concatenate(predicted)


def audited_right(
    fit: Fit, rows: ScaledBlocks, labelled: Ids, labels: Labels, audited: Array, count: int = 10
) -> Array:
    """Return whether audited labels are predicted right by fits without them, bool (m).

    In an active loop this underestimates: a strategy that saw these labels avoids images like them,
    so a fit without them has a hole there. For an interval that holds, hide the audit from the
    strategy and from the classifier instead (docs/accuracy.md).

    Parameters
    ----------
    fit
        As for `held_out_probabilities`.
    rows
        The rows of the pool.
    labelled, labels
        The n labelled ids and their labels.
    audited
        The m positions among the labelled, in any order: images that were drawn at random. They are
        held out in turn, in `count` parts, also where a class has no other label: it then counts as
        wrong. All other labels are in every fit.
    count
        The number of parts.
    """
    right = np.zeros(len(audited), bool)
    for first in range(min(count, len(audited))):
        some = np.arange(first, len(audited), count)
        kept = np.setdiff1d(np.arange(len(labelled)), audited[some])
        classes = np.unique(labels[kept])
        if not len(classes):
            continue
        predicted = classes[np.zeros(len(some), np.int64)]
        if len(classes) > 1:
            seen = fit(labelled[kept], labels[kept])
            best = seen.probabilities(rows.take(labelled[audited[some]])).argmax(axis=1)
            predicted = seen.classes_[best]
        right[some] = predicted == labels[audited[some]]
    return right


def at_temperature(probabilities: Array, temperature: float) -> Array:
    """Return p^(1/T) / Σ p^(1/T) by row (N, K): softmax of scores divided by T."""
    if temperature == 1:
        return probabilities
    with np.errstate(divide="ignore"):  # a probability of 0 stays 0
        powers = np.log(probabilities) / temperature
    powers = np.exp(powers - powers.max(axis=1, keepdims=True))
    scaled: Array = powers / powers.sum(axis=1, keepdims=True)
    return scaled


def best_temperature(predictions: list[tuple[Array, Array]]) -> float:
    """Return the temperature T of the least log loss on held-out labels; 1 without any.

    Parameters
    ----------
    predictions
        For each classifier, probabilities (m, K) and the columns (m) of the true classes.

    Returns
    -------
    float
        Between 1/16 and 16. Truth is smoothed by one label in all, of every class alike, so that
        few labels that are all predicted right do not give a certainty of 1.
    """
    predictions = [(p, truth) for p, truth in predictions if len(truth)]
    if not predictions:
        return 1.0
    from scipy.optimize import minimize_scalar

    logs = [np.log(np.maximum(p, SMALLEST)) for p, _ in predictions]

    def loss(logarithm: float) -> float:
        total, count = 0.0, 0
        for log, (_, truth) in zip(logs, predictions, strict=True):
            scaled = log / np.exp(logarithm)
            top = scaled.max(axis=1, keepdims=True)
            scaled = scaled - top - np.log(np.exp(scaled - top).sum(axis=1, keepdims=True))
            smoothing = 1 / (len(truth) + 1)
            of_truth = scaled[np.arange(len(truth)), truth]
            smooth = (1 - smoothing) * of_truth + smoothing * scaled.mean(axis=1)
            total, count = total - float(smooth.sum()), count + len(truth)
        return total / count

    limit = float(np.log(HIGHEST))
    best = minimize_scalar(loss, bounds=(-limit, limit), method="bounded")
    return float(np.exp(best.x))
