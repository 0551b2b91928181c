"""Uncertainty of a model's probabilities: entropy, margin and confidence.

N images, K classes. The classes of a row sum to 1 in multi-class data; in multi-label data each
column is a finding with a probability of its own. A row whose classes are permuted scores exactly
the same: values are sorted before they are added.
"""

from typing import get_args

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import DataError, UsageError, nearest
from nextlabel.core.types import Array, Task

TOLERANCE = 1e-3
"""The largest difference of the sum of a row of class probabilities from 1."""

Floats = NDArray[np.float64]


def checked(probabilities: Array, task: Task) -> Floats:
    """Return probabilities as float64 (N, K).

    Raises UsageError for an unknown task; DataError for another shape, for too few classes, and
    for values that are not probabilities, with the first bad row.
    """
    p = np.asarray(probabilities, np.float64)
    if task not in get_args(Task):
        raise UsageError(
            f"task {task!r} is unknown; {nearest(str(task), get_args(Task))}", code="unknown-task"
        )
    if p.ndim != 2:
        raise DataError(
            f"probabilities have {p.ndim} dimensions; give (images, classes)",
            code="probabilities-not-a-table",
        )
    least = 2 if task == "multiclass" else 1
    if p.shape[1] < least:
        raise DataError(
            f"probabilities have {p.shape[1]} column{'s' * (p.shape[1] != 1)}, and one class "
            f"alone leaves nothing to be unsure of; give at least {least} classes, or set the task "
            "to multi-label",
            code="too-few-classes",
        )
    bad = np.flatnonzero(~((p >= 0) & (p <= 1)).all(axis=1))
    if bad.size:
        value = p[bad[0]][~((p[bad[0]] >= 0) & (p[bad[0]] <= 1))][0]
        raise DataError(
            f"probabilities hold {value:g} in row {bad[0]}, outside 0 to 1; "
            "give probabilities, not logits",
            code="probability-out-of-range",
        )
    if task == "multiclass":
        sums = p.sum(axis=1)  # [N]
        bad = np.flatnonzero(np.abs(sums - 1) > TOLERANCE)
        if bad.size:
            raise DataError(
                f"probabilities sum to {sums[bad[0]]:g} in row {bad[0]}, not to 1 ± {TOLERANCE}; "
                "normalise the rows, or set the task to multi-label",
                code="probabilities-do-not-sum-to-one",
            )
    return p


def entropy(probabilities: Array, task: Task) -> Floats:
    """Return the entropy in nats.

    Parameters
    ----------
    probabilities
        Numbers from 0 to 1, shape (N, K).
    task
        "multiclass": the entropy of the classes; "multilabel": the mean of the binary entropies.

    Returns
    -------
    Floats
        Entropies, shape (N,).

    Raises
    ------
    UsageError
        The task is unknown.
    DataError
        The values are not probabilities.

    """
    p = checked(probabilities, task)
    if task == "multiclass":
        return np.asarray(np.sort(_surprise(p), axis=1).sum(axis=1))  # [N]
    return np.asarray(np.sort(_surprise(p) + _surprise(1 - p), axis=1).mean(axis=1))  # [N]


def margin(probabilities: Array, task: Task) -> Floats:
    """Return how clear the decision is, from 0 (a tie) to 1.

    Parameters
    ----------
    probabilities
        Numbers from 0 to 1, shape (N, K).
    task
        "multiclass": the largest less the second largest; "multilabel": the mean of |2p - 1|.

    Returns
    -------
    Floats
        Margins, shape (N,).

    Raises
    ------
    UsageError
        The task is unknown.
    DataError
        The values are not probabilities.

    """
    p = checked(probabilities, task)
    if task == "multiclass":
        ascending = np.sort(p, axis=1)  # [N, K]
        return ascending[:, -1] - ascending[:, -2]
    return np.asarray(np.sort(np.abs(2 * p - 1), axis=1).mean(axis=1))  # [N]


def confidence(probabilities: Array, task: Task) -> Floats:
    """Return the probability of the predicted answer.

    Parameters
    ----------
    probabilities
        Numbers from 0 to 1, shape (N, K).
    task
        "multiclass": the largest p; "multilabel": the mean of max(p, 1 - p).

    Returns
    -------
    Floats
        Confidences, shape (N,).

    Raises
    ------
    UsageError
        The task is unknown.
    DataError
        The values are not probabilities.

    """
    p = checked(probabilities, task)
    if task == "multiclass":
        return np.asarray(p.max(axis=1))  # [N]
    return np.asarray(np.sort(np.maximum(p, 1 - p), axis=1).mean(axis=1))  # [N]


def _surprise(p: Floats) -> Floats:
    """Return -p log p, 0 at p = 0, in the shape of `p`."""
    return np.asarray(-p * np.log(np.where(p > 0, p, 1.0)))
