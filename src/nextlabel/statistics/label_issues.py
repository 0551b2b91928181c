"""Doubts about labels: how well held-out predictions agree with what people said.

n images are labelled, K classes. The scores are those of Northcutt, Jiang & Chuang, Confident
learning: estimating uncertainty in dataset labels, 2021, https://doi.org/10.1613/jair.1.12125, and
of Kuan & Mueller, Model-agnostic label quality scoring to detect real-world label errors, 2022,
https://people.csail.mit.edu/jonasmueller/info/LabelQuality_icml.pdf.
"""

from typing import Literal

import numpy as np

from nextlabel.core.errors import DataError
from nextlabel.core.types import Array, Labels
from nextlabel.statistics.inputs import finite

Score = Literal["normalised_margin", "self_confidence"]


def label_quality(
    probabilities: object, labels: Labels, score: Score = "normalised_margin"
) -> Array:
    """Return how credible each label is, from 0 (surely wrong) to 1.

    Parameters
    ----------
    probabilities
        Of the labelled images by models that were not fitted to their labels, shape (n, K).
    labels
        Class numbers (n), or 0 and 1 per class (n, K).
    score
        "self_confidence" is the probability of the label. "normalised_margin" is half of 1 plus
        the difference between that and the highest probability of another class.

    Returns
    -------
    float64 array (n)
        For several findings, the score of the least credible one.

    Raises
    ------
    DataError
        The labels do not fit the probabilities.
    """
    p, truth = finite(probabilities, "probabilities"), np.asarray(labels)
    if p.ndim != 2 or truth.shape not in ((len(p),), p.shape):
        raise DataError(
            f"labels have shape {truth.shape} and probabilities {p.shape}; give a label and a row "
            "of K probabilities for each image",
            code="labels-shape",
        )
    if truth.ndim == 2:
        of_answer = np.where(truth > 0, p, 1 - p)  # [n, K]
        least: Array = of_answer.min(axis=1)
        # The margin of a finding is p - (1 - p), so half of 1 plus it is p again.
        return least
    if not len(p):
        return np.empty(0)
    if truth.min() < 0 or truth.max() >= p.shape[1]:
        raise DataError(
            f"label {truth.max() if truth.min() >= 0 else truth.min()} is outside the {p.shape[1]} "
            "classes; number classes from 0",
            code="label-outside-classes",
        )
    rows = np.arange(len(p))
    confidence = p[rows, truth]
    if score == "self_confidence":
        return confidence
    others = p.copy()
    others[rows, truth] = -np.inf
    best = others.max(axis=1) if p.shape[1] > 1 else np.zeros(len(p))
    return np.asarray((1 + confidence - best) / 2)
