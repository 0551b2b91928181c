"""The shapes and words that every room shares."""

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""Real numbers, float32 or float64; rows are images."""

Ids: TypeAlias = NDArray[np.int64]
"""Rows of the data set's training part, never positions within a subset of it."""

Labels: TypeAlias = NDArray[np.int64]
"""Class numbers (N), or 0/1 findings (N, K); -1 where nobody knows."""

Task: TypeAlias = Literal["multiclass", "multilabel"]
Signal: TypeAlias = Literal["features", "probabilities", "predicted_loss"]
Part: TypeAlias = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")


def as_ids(values: object) -> Ids:
    """Return integer ids, shape (n,), int64, from any sequence, array or tensor.

    Raises ValueError when a value is not a whole number.
    """
    raw = as_array(values)
    if raw.size == 0:
        return np.empty(0, np.int64)
    ids = raw.astype(np.int64).reshape(-1)
    if raw.dtype.kind not in "iu" and not np.array_equal(ids, raw.reshape(-1)):
        raise ValueError("ids must be whole numbers")
    return ids


def as_array(values: object) -> Array:
    """Return a numpy view of an array, tensor (any device) or sequence, without a copy if possible."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    if isinstance(values, np.ndarray):
        return values
    return np.asarray(values)
