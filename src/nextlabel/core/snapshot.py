"""All that a strategy may see: no labels, no model."""

from dataclasses import dataclass

import numpy as np

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.feature_space import Embedding
from nextlabel.core.pool import Pool
from nextlabel.core.types import Array, Signal, Task, as_array


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What is known before a selection; every signal has one row for each image of the pool.

    `features` is an Embedding (N rows); `probabilities` float (N, K), rows summing to 1 for
    multi-class; `predicted_loss` float (N). Arrays are made read-only.
    Raises DataError when a signal has another number of rows or is not finite.
    """

    pool: Pool
    task: Task = "multiclass"
    features: Embedding | None = None
    probabilities: Array | None = None
    predicted_loss: Array | None = None

    def __post_init__(self) -> None:
        if self.features is not None:
            self._check_rows("features", len(self.features))
        for name, ndim in (("probabilities", 2), ("predicted_loss", 1)):
            if getattr(self, name) is None:
                continue
            array = as_array(getattr(self, name)).view()
            if array.ndim != ndim:
                raise DataError(f"{name} has {array.ndim} dimensions; give {ndim}")
            self._check_rows(name, len(array))
            bad = ~np.isfinite(array.reshape(len(array), -1)).all(axis=1)
            if bad.any():
                raise DataError(
                    f"row {np.flatnonzero(bad)[0]} of {name} is not finite; give numbers there"
                )
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def _check_rows(self, name: str, rows: int) -> None:
        if rows != self.pool.size:
            raise DataError(
                f"{name} has {rows} rows for a pool of {self.pool.size} images; give one for each"
            )

    def require(self, signal: Signal) -> None:
        """Raise UsageError when `signal` is not there."""
        if getattr(self, signal) is None:
            raise UsageError(f"this strategy needs {signal}, and none were given; give {signal}")
