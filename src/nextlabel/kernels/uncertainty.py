"""How unsure a model is, from its probabilities (N, K): entropy, margin, confidence.

Multi-class rows sum to 1; multi-label columns are findings, each with its own probability.
A row whose classes are permuted scores exactly the same: values are sorted before they are added.
"""

from typing import get_args

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import DataError, UsageError, nearest
from nextlabel.core.types import Array, Task

TOLERANCE = 1e-3
"""How far the sum of a row of class probabilities may be from 1."""


def checked(probabilities: Array, task: Task) -> NDArray[np.float64]:
    """Return probabilities as float64 (N, K); DataError naming the first row that is none."""
    p = np.asarray(probabilities, np.float64)
    if task not in get_args(Task):
        raise UsageError(f"task {task!r} is unknown; {nearest(str(task), get_args(Task))}")
    if p.ndim != 2:
        raise DataError(f"probabilities have {p.ndim} dimensions; give (images, classes)")
    least = 2 if task == "multiclass" else 1
    if p.shape[1] < least:
        raise DataError(
            f"probabilities have {p.shape[1]} column{'s' * (p.shape[1] != 1)}, and with one class "
            f"only there is nothing to be unsure of; give at least {least} classes, or say that "
            "the task is multi-label"
        )
    bad = np.flatnonzero(~((p >= 0) & (p <= 1)).all(axis=1))
    if bad.size:
        value = p[bad[0]][~((p[bad[0]] >= 0) & (p[bad[0]] <= 1))][0]
        raise DataError(
            f"probabilities hold {value:g} in row {bad[0]}, outside 0 to 1; "
            "give probabilities, not logits"
        )
    if task == "multiclass":
        sums = p.sum(axis=1)
        bad = np.flatnonzero(np.abs(sums - 1) > TOLERANCE)
        if bad.size:
            raise DataError(
                f"probabilities sum to {sums[bad[0]]:g} in row {bad[0]}, not to 1 ± {TOLERANCE}; "
                "normalise the rows, or say that the task is multi-label"
            )
    return p


def entropy(probabilities: Array, task: Task) -> NDArray[np.float64]:
    """Return the entropy in nats (N): of the classes, or the mean of the binary ones."""
    p = checked(probabilities, task)
    if task == "multiclass":
        return np.asarray(np.sort(_surprise(p), axis=1).sum(axis=1))
    return np.asarray(np.sort(_surprise(p) + _surprise(1 - p), axis=1).mean(axis=1))


def margin(probabilities: Array, task: Task) -> NDArray[np.float64]:
    """Return how clear the decision is (N): p of the best less the second, or mean |2p - 1|."""
    p = checked(probabilities, task)
    if task == "multiclass":
        best = np.sort(p, axis=1)
        return best[:, -1] - best[:, -2]
    return np.asarray(np.sort(np.abs(2 * p - 1), axis=1).mean(axis=1))


def confidence(probabilities: Array, task: Task) -> NDArray[np.float64]:
    """Return the probability of what would be answered (N): max p, or mean max(p, 1 - p)."""
    p = checked(probabilities, task)
    if task == "multiclass":
        return np.asarray(p.max(axis=1))
    return np.asarray(np.sort(np.maximum(p, 1 - p), axis=1).mean(axis=1))


def _surprise(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return -p log p, 0 at p = 0."""
    return np.asarray(-p * np.log(np.where(p > 0, p, 1.0)))
