"""Rows of features or probabilities as users give them: arrays, tables with an index, files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.types import Array, Ids, as_array, as_ids
from nextlabel.features.embedding_file import EmbeddingFile
from nextlabel.files.standard_input import title
from nextlabel.selection.row_labels import RowLabels


@dataclass(frozen=True, eq=False)
class Rows:
    """An array of N rows, the labels of the rows, and the rows that are held out.

    `labels` are the index of a pandas object or the file names in an .npz file; `held` (M) int64
    are the rows of validation and test images in a file that `nextlabel embed` wrote.
    """

    array: Array
    labels: RowLabels | None = None
    held: Ids = field(default_factory=lambda: as_ids(()))


def rows_of(values: Any, name: str) -> Rows:
    """Return what a user gave as `name`; DataError for what is not an array of rows.

    `values` is a path that `EmbeddingFile.load` reads, "-" for standard input, a pandas DataFrame
    or Series, an array of any kind, a tensor or nested lists.
    """
    if isinstance(values, str | PathLike):
        file = EmbeddingFile.load(values)
        labels = (
            None
            if file.names is None
            else RowLabels(file.names, f"a name in {title(Path(values))}")
        )
        return Rows(file.features, labels, file.held)
    if hasattr(values, "iloc") and hasattr(values, "index"):
        labels = RowLabels(values.index.tolist(), f"a label in the index of {name}")
        return Rows(_from_pandas(values), labels)
    if isinstance(values, list | tuple) and any(getattr(row, "ndim", 1) == 2 for row in values):
        raise DataError(
            f"{name} is a list of {len(values)} arrays; give a mapping of names to arrays, such "
            'as {"task": first, "vae": second}',
            code="list-of-arrays",
        )
    array = as_array(values, name)
    if array.ndim == 0:
        raise DataError(
            f"{name!r} is a single value; give one row for each image", code="single-value"
        )
    return Rows(array)


def _from_pandas(values: Any) -> Array:
    """Return the numbers of a DataFrame, or of a Series of numbers or of vectors."""
    array = as_array(values.to_numpy())
    if array.dtype == object and array.ndim == 1 and len(array) and np.ndim(array[0]) == 1:
        return as_array(array.tolist())
    return array


def common_labels(given: Mapping[str, Rows]) -> RowLabels | None:
    """Return the labels that all inputs agree on; DataError when two have other labels."""
    labelled = [(name, rows.labels) for name, rows in given.items() if rows.labels is not None]
    if not labelled:
        return None
    first, expected = labelled[0]
    for name, labels in labelled[1:]:
        pairs = enumerate(zip(expected.labels, labels.labels, strict=False))
        for row, (one, other) in pairs:
            if one != other:
                raise DataError(
                    f"row {row} is {one!r} in {first!r} but {other!r} in {name!r}; give the same "
                    "images in the same order",
                    code="rows-of-other-images",
                )
    return expected


def common_length(given: Mapping[str, Rows]) -> int:
    """Return the number of images N; raises unless all inputs have N rows, 1 or more."""
    if not given:
        raise UsageError(
            "neither features nor probabilities were given, so the number of images is not known; "
            "give one of them",
            code="no-rows",
        )
    (first, size), *others = ((name, len(rows.array)) for name, rows in given.items())
    for name, length in others:
        if length != size:
            raise DataError(
                f"{name!r} has {length} rows but {first!r} has {size}; "
                "give each one row for every image, in the same order",
                code="unequal-lengths",
            )
    if size == 0:
        raise UsageError(
            f"{first!r} has no rows, so the pool is empty; give at least one image",
            code="empty-pool",
        )
    return size


def held_out(given: Sequence[Rows], labelled: Ids, excluded: Ids) -> Ids:
    """Return the rows (M) of validation and test images that are in no other list."""
    held = {row for rows in given for row in rows.held.tolist()}
    return np.array(sorted(held.difference(labelled.tolist(), excluded.tolist())), np.int64)
