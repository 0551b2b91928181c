"""The shapes and words that every room shares."""

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import DataError, UsageError

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

    Raises UsageError when a value is not a whole number; a mask is not taken for ids.
    """
    raw = as_array(values).reshape(-1)
    if raw.size == 0:
        return np.empty(0, np.int64)
    if raw.dtype.kind == "b":
        raise UsageError("ids are numbers, not true or false; give np.flatnonzero(mask)")
    whole = raw.dtype.kind in "iu" or (raw.dtype.kind == "f" and (np.abs(raw) < 2.0**53).all())
    broken = raw[np.trunc(raw) != raw] if whole and raw.dtype.kind == "f" else raw[:0]
    if not whole or broken.size:
        shown = broken[0] if broken.size else raw[:3].tolist()
        raise UsageError(f"ids must be whole numbers, not {shown}; give rows of the pool")
    return raw.astype(np.int64)


def as_array(values: Any) -> Array:
    """Return a numpy view of an array, tensor or sequence, without a copy where possible.

    Raises DataError for sequences that make no array, such as rows of unequal lengths.
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        if str(values.dtype) == "torch.bfloat16":  # numpy has no such type; float32 holds it all
            values = values.float()
    if isinstance(values, np.ndarray):
        return values
    try:
        return np.asarray(values)
    except ValueError as error:
        raise DataError(f"the values make no array ({error}); give rows of one length") from error
