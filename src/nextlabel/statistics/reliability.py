"""Reliability: whether predictions of confidence 0.8 are right in 8 cases of 10."""

from collections.abc import Mapping, Sequence

import numpy as np

from nextlabel.core.types import Array, Labels, Task

NAME = "reliability"
"""The name under which a trial's record of reliability is stored, next to its blocks' logs."""

BINS = 10
"""Ranges of confidence of equal width, from 0 to 1."""


def reliability(probabilities: Array, labels: Labels, task: Task) -> list[dict[str, float]]:
    """Return the accuracy of predictions by range of confidence, the lowest range first.

    Parameters
    ----------
    probabilities
        Shape (N, K), N at least 1.
    labels
        Class numbers (N), or 0 and 1 per class (N, K).
    task
        "multiclass": the confidence is the highest probability of an image. "multilabel": it is
        the probability of each finding, and right means that the image shows it.

    Returns
    -------
    list of dict
        For each range that has predictions: their `share` of all, their mean `confidence`, and the
        share of them that is right, `accuracy`.
    """
    p = np.asarray(probabilities, np.float64)
    if task == "multiclass":
        confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
    else:
        confidence, right = p.reshape(-1), np.asarray(labels).reshape(-1) > 0
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    return [
        {
            "share": float((bins == b).mean()),
            "confidence": float(confidence[bins == b].mean()),
            "accuracy": float(right[bins == b].mean()),
        }
        for b in np.unique(bins)
    ]


def calibration_error(record: Sequence[Mapping[str, float]]) -> float:
    """Return the expected calibration error (ECE) of a record of `reliability`.

    Parameters
    ----------
    record
        As `reliability` returns it.

    Returns
    -------
    float
        The mean distance of accuracy and confidence, each range by its share; 0 is best.
        Guo et al., On calibration of modern neural networks, 2017, https://arxiv.org/abs/1706.04599
    """
    return sum(r["share"] * abs(r["accuracy"] - r["confidence"]) for r in record)
