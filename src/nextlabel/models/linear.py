"""Logistic regression on blocks: fitted by scikit-learn, predicted a block at a time.

N images, n of them labelled, d columns of all blocks, K classes that the labels show.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.task_model import LastLayer
from nextlabel.core.types import Array, Ids, Labels, Task
from nextlabel.models.cross_validation import BlockClassifier, held_out_probabilities
from nextlabel.models.settings import MOST_ITERATIONS, ClassWeight, Regularisation

STRENGTHS = (0.1, 1.0, 10.0, 100.0)
"""The inverse strengths C that cross-validation compares."""

USUAL = 10.0
"""The inverse strength C where no label can be held out."""

SMALLEST = 1e-12
"""The smallest probability that a loss counts."""


@dataclass(frozen=True, eq=False)
class LinearClassifier:
    """A linear score for each class, turned into probabilities by softmax.

    Parameters
    ----------
    classes_
        The class numbers, ascending, shape (K,).
    coefficients
        Shape (K, d), in the order of the blocks' columns.
    intercepts
        Shape (K,).
    strength
        The inverse strength C of the regularisation.
    """

    classes_: Array
    coefficients: Array
    intercepts: Array
    strength: float = USUAL

    def scores(self, rows: ScaledBlocks) -> Array:
        """Return the scores, float64 (N, K)."""
        scores: Array = rows.products(self.coefficients)
        scores += self.intercepts
        return scores

    def probabilities(self, rows: ScaledBlocks) -> Array:
        """Return the probabilities, float64 (N, K)."""
        return softmax(self.scores(rows))


def softmax(scores: Array) -> Array:
    """Return exp(s_k) / Σ exp(s_j) by row, in the array of `scores` (N, K) itself."""
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    return scores


def fit_linear(
    rows: ScaledBlocks,
    labelled: Ids,
    labels: Labels,
    regularisation: Regularisation = USUAL,
    class_weight: ClassWeight = "none",
) -> LinearClassifier:
    """Return the regression of the labels (n), of two classes at least, on their rows.

    `regularisation` is the inverse strength C, or "cv" for the one of STRENGTHS with the least log
    loss on held-out labels. `class_weight = "balanced"` has every class count the same.
    """
    if regularisation == "cv":
        regularisation = _chosen_strength(rows, labelled, labels, class_weight)
    from sklearn.linear_model import LogisticRegression

    balance = None if class_weight == "none" else class_weight
    regression = LogisticRegression(
        C=float(regularisation), max_iter=MOST_ITERATIONS, class_weight=balance
    )
    with warnings.catch_warnings():
        # Many classes of few labels each are what people begin with.
        warnings.filterwarnings("ignore", "The number of unique classes")
        fitted: Any = regression.fit(rows.rows(labelled), labels)
    coefficients, intercepts = fitted.coef_, fitted.intercept_
    if len(coefficients) == 1:  # two classes: the first has score 0
        coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
        intercepts = np.concatenate([[0.0], intercepts])
    return LinearClassifier(fitted.classes_, coefficients, intercepts, float(regularisation))


def regression_layer(
    classifiers: Sequence[BlockClassifier | None],
    constants: Array,
    task: Task,
    temperature: float,
    labelled: ScaledBlocks,
) -> LastLayer | None:
    """Return the layer of one regression for all K classes, or of one for each finding.

    Regularisation of strength 1 / C is a Gaussian prior of that precision. Two classes share one
    vector of weights, w: they have -w/2 and w/2, whose precision is twice that. A temperature T
    divides the weights, and so multiplies the precision by T².

    Parameters
    ----------
    classifiers, constants
        The regressions; None means answers that are all alike, which `constants` (K) gives.
    task
        The task of the data.
    temperature
        The number by which scores are divided.
    labelled
        The n rows of the labelled images.

    Returns
    -------
    LastLayer or None
        None where a classifier is not a regression.
    """
    if not all(each is None or isinstance(each, LinearClassifier) for each in classifiers):
        return None
    weights = np.zeros((len(constants), sum(labelled.widths)))
    bias = np.where(constants > 0, np.inf, -np.inf)
    precision = np.ones(len(constants))
    if task == "multiclass":
        bias[constants > 0] = 0.0
    for k, each in enumerate(classifiers):
        if not isinstance(each, LinearClassifier):
            continue
        rows = np.concatenate([each.coefficients, each.intercepts[:, None]], axis=1) / temperature
        of_prior = temperature**2 / each.strength
        if task == "multiclass":
            rows -= rows.mean(axis=0)
            bias[:] = -np.inf
            weights[each.classes_], bias[each.classes_] = rows[:, :-1], rows[:, -1]
            precision[:] = of_prior if len(rows) > 2 else 2 * of_prior
        else:
            weights[k], bias[k] = rows[1, :-1] - rows[0, :-1], rows[1, -1] - rows[0, -1]
            precision[k] = of_prior
    link: Literal["softmax", "logistic"] = "softmax" if task == "multiclass" else "logistic"
    return LastLayer(weights, bias, link, labelled.rows(), precision)


def _chosen_strength(
    rows: ScaledBlocks, labelled: Ids, labels: Labels, class_weight: ClassWeight
) -> float:
    """Return the C of the least held-out log loss; the weaker regularisation never wins a tie."""
    losses = []
    for strength in STRENGTHS:

        def fit(ids: Ids, given: Labels, strength: float = strength) -> LinearClassifier:
            return fit_linear(rows, ids, given, strength, class_weight)

        held, predicted = held_out_probabilities(fit, rows, labelled, labels)
        if not len(held):
            return USUAL
        of_truth = predicted[np.arange(len(held)), np.searchsorted(np.unique(labels), labels[held])]
        losses.append(-np.log(np.maximum(of_truth, SMALLEST)).mean())
    return STRENGTHS[int(np.argmin(losses))]
