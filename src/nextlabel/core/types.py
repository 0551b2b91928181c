"""Types that all packages share, and conversions of user input to them."""

from collections.abc import Iterable, Iterator, KeysView, ValuesView
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import DataError, UsageError

Array: TypeAlias = NDArray[Any]
"""Real numbers, float32 or float64; rows are images."""

Ids: TypeAlias = NDArray[np.int64]
"""Rows of the data set's training part, never positions within a subset of it."""

Labels: TypeAlias = NDArray[np.int64]
"""Class numbers (N), or 0/1 findings (N, K); -1 where the label is unknown."""

Task: TypeAlias = Literal["multiclass", "multilabel"]
Part: TypeAlias = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")


def as_ids(values: object, size: int | None = None) -> Ids:
    """Return ids as one int64 array.

    Parameters
    ----------
    values
        Whole numbers in a sequence, set, generator, array or tensor, or None for no ids. A set
        has no order, so its ids come in ascending order.
    size
        The number of images N, where a mask may be given, N times true or false, or N labels
        that are NaN or None where they are unknown.

    Returns
    -------
    Ids
        Shape (n,).

    Raises
    ------
    UsageError
        When a value is not a whole number, or for a mask of another length than `size`.
    """
    if values is None:
        return np.empty(0, np.int64)
    raw = as_array(in_sequence(values), "the ids").reshape(-1)
    if raw.size == 0:
        return np.empty(0, np.int64)
    if raw.dtype == object and all(isinstance(value, bool | np.bool_) for value in raw):
        raw = raw.astype(bool)
    if raw.dtype.kind == "b":
        return _from_mask(raw, size)
    if len(raw) == size and (labelled := where_known(raw)) is not None:
        return np.flatnonzero(labelled).astype(np.int64)
    whole = raw.dtype.kind in "iu" or (raw.dtype.kind == "f" and (np.abs(raw) < 2.0**53).all())
    broken = raw[np.trunc(raw) != raw] if whole and raw.dtype.kind == "f" else raw[:0]
    if not whole or broken.size:
        shown = broken[0] if broken.size else raw[:3].tolist()
        raise UsageError(
            f"ids must be whole numbers, not {shown}; give rows of the pool", code="id-not-whole"
        )
    return raw.astype(np.int64)


def in_sequence(values: object) -> object:
    """Return a set as a sorted list, an iterator or a view as a list, and all else as it is.

    Raises UsageError for text, which would be read letter by letter.
    """
    if isinstance(values, str | bytes):
        raise UsageError(f"{values!r} is one text; give a list of ids", code="ids-are-text")
    if isinstance(values, set | frozenset):
        items = list(values)
        try:
            return sorted(items)
        except TypeError:  # labels of several types have no order
            return items
    return list(values) if isinstance(values, Iterator | KeysView | ValuesView) else values


def as_names(values: object, what: str) -> tuple[str, ...]:
    """Return several names, which are `what`, as a tuple; UsageError for one text and no text."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise UsageError(
            f"{what} {values!r} are not a list; give one, such as {what}={[str(values)]}",
            code="names-not-a-list",
        )
    names = tuple(values)
    for name in names:
        if not isinstance(name, str):
            raise UsageError(
                f"{what} have {name!r}, which is not text; put each in quotes",
                code="name-not-text",
            )
    return names


def where_known(labels: Array) -> NDArray[np.bool_] | None:
    """Return which labels (N) are not NaN, None, or the NA of pandas; None for other values.

    Values are labels when some are unknown and none is true or false: a mask with unknown values
    says nothing about them.
    """
    if labels.dtype.kind == "f":
        unknown = np.isnan(labels)
    elif labels.dtype == object:
        if any(isinstance(label, bool | np.bool_) for label in labels):
            return None
        unknown = np.array([_is_unknown(label) for label in labels], bool)
    else:
        return None
    return ~unknown if unknown.any() else None


def _is_unknown(label: object) -> bool:
    is_nan = isinstance(label, float) and label != label
    return label is None or is_nan or type(label).__name__ == "NAType"


def _from_mask(mask: NDArray[np.bool_], size: int | None) -> Ids:
    if size is None:
        raise UsageError(
            "ids are numbers, not true or false; give np.flatnonzero(mask)", code="ids-are-a-mask"
        )
    if len(mask) != size:
        raise UsageError(
            f"the mask has {len(mask)} values for a pool of {size} images; give one per image",
            code="mask-of-another-length",
        )
    return np.flatnonzero(mask).astype(np.int64)


def as_array(values: Any, what: str = "an array") -> Array:
    """Return an array, tensor or sequence as a numpy array, without a copy where possible.

    `what` says which array it is, for messages.

    Raises DataError for sequences of unequal lengths, for masked values, whose mask would be
    lost, and for sparse matrices.
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        if str(values.dtype) == "torch.bfloat16":  # numpy has no such type; float32 holds it all
            values = values.float()
    if hasattr(values, "nnz") and hasattr(values, "toarray"):
        raise DataError(
            f"a sparse matrix of shape {values.shape} cannot be used; give values.toarray()",
            code="sparse-matrix",
        )
    rows = values if isinstance(values, list | tuple) else [values]
    if any(isinstance(row, np.ma.MaskedArray) and np.ma.is_masked(row) for row in rows):
        raise DataError(
            f"masked values in {what} would be read as if they were not masked; fill them, or "
            "leave their rows out",
            code="masked-values",
        )
    if isinstance(values, np.ma.MaskedArray):
        return values.data
    if isinstance(values, np.ndarray):
        return values
    try:
        return np.asarray(values)
    except ValueError as error:
        raise DataError(
            f"the values make no array ({error}); give rows of one length",
            code="rows-of-unequal-lengths",
        ) from error
