"""Labels of rows, such as the index of a DataFrame, and their translation from and to ids."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nextlabel.core.errors import DataError, UnknownId
from nextlabel.core.types import Array, Ids, as_ids, in_sequence, where_known


@dataclass(frozen=True, eq=False)
class RowLabels:
    """One label per row.

    Parameters
    ----------
    labels
        The labels (N), in the order of the rows.
    noun
        The noun phrase of one label for messages, such as "a label in the index of features".
    """

    labels: Sequence[Hashable]
    noun: str

    @cached_property
    def _rows(self) -> dict[Hashable, int]:
        return {label: row for row, label in enumerate(self.labels)}

    def check_unique(self) -> None:
        """Raise DataError when two rows have the same label."""
        if len(self._rows) == len(self.labels):
            return
        first: dict[Hashable, int] = {}
        for row, label in enumerate(self.labels):
            if first.setdefault(label, row) != row:
                raise DataError(
                    f"{label!r} is {self.noun} for row {first[label]} and row {row}; give each "
                    "row a label of its own, or give the values alone by .to_numpy()",
                    code="label-twice",
                )

    def ids_of(self, values: Any) -> Ids:
        """Return the rows of labels, int64 (n).

        A mask of N times true or false is taken too, and N values that are NaN or None where
        unknown. Raises UnknownId for a label that no row has.
        """
        given = in_sequence(values)
        listed = given.tolist() if hasattr(given, "tolist") else given
        if not isinstance(listed, list | tuple | range):
            listed = [listed] if isinstance(listed, Hashable) else list(listed)
        if len(listed) == len(self.labels):
            labelled = where_known(np.fromiter(listed, object, len(listed)))
            listed = listed if labelled is None else labelled.tolist()
        if listed and all(isinstance(value, bool | np.bool_) for value in listed):
            index = getattr(values, "index", None)
            if index is None or callable(index) or len(index) != len(self.labels):
                return as_ids(np.array(listed), len(self.labels))
            listed = [label for label, chosen in zip(index, listed, strict=True) if chosen]
        for value in listed:
            if value not in self._rows:
                raise UnknownId(
                    f"{value!r} is not {self.noun}; the first one there is {self.labels[0]!r}",
                    code="unknown-label",
                )
        return np.array([self._rows[value] for value in listed], np.int64)

    def of(self, ids: Ids) -> Array:
        """Return the labels of rows as an array (n) of the type that numpy gives them."""
        chosen = [self.labels[row] for row in ids.tolist()]
        if any(isinstance(label, tuple) for label in chosen):
            array = np.empty(len(chosen), object)
            array[:] = chosen
            return array
        return np.array(chosen, None if chosen else object)
