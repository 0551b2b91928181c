"""Snapshots of a round: all that a strategy may see, without labels and models."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, overload

import numpy as np

from nextlabel.core.carried import Carried
from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.pool import Pool
from nextlabel.core.space.embedding import Embedding
from nextlabel.core.types import Array, Task, as_array

DIMENSIONS = {"probabilities": 2, "predicted_loss": 1}
"""Dimensions of the signals that a snapshot has properties for."""


@dataclass(frozen=True, eq=False, init=False)
class Snapshot:
    """The state of the pool before a selection: one row of every signal per image.

    Parameters
    ----------
    pool
        The pool of N images.
    task
        The task of the data set.
    features
        The signal "features": an Embedding of N rows.
    probabilities
        The signal "probabilities": float (N, K); rows sum to 1 for multi-class.
    predicted_loss
        The signal "predicted_loss": float (N).
    signals
        All signals by name, those of other packages included. Arrays become read-only.
    carried
        What strategies keep from one round to the next, for speed; None to keep nothing.

    Raises
    ------
    DataError
        When a signal has another number of rows or dimensions, or is not finite.
    """

    pool: Pool
    task: Task
    signals: Mapping[str, Any]
    carried: Carried | None

    def __init__(
        self,
        pool: Pool,
        task: Task = "multiclass",
        features: Embedding | None = None,
        probabilities: Array | None = None,
        predicted_loss: Array | None = None,
        *,
        signals: Mapping[str, Any] | None = None,
        carried: Carried | None = None,
    ) -> None:
        named = {
            "features": features,
            "probabilities": probabilities,
            "predicted_loss": predicted_loss,
        }
        given = dict(signals or {}) | {k: v for k, v in named.items() if v is not None}
        checked = {name: _checked(name, values, pool.size) for name, values in given.items()}
        object.__setattr__(self, "pool", pool)
        object.__setattr__(self, "task", task)
        object.__setattr__(self, "signals", MappingProxyType(checked))
        object.__setattr__(self, "carried", carried)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(Snapshot, signals=dict(self.signals)), (self.pool, self.task)

    @property
    def features(self) -> Embedding | None:
        """The embedding of N rows, where it was computed."""
        return self.signals.get("features")

    @property
    def probabilities(self) -> Array | None:
        """The probabilities (N, K), where they were computed."""
        return self.signals.get("probabilities")

    @property
    def predicted_loss(self) -> Array | None:
        """The predicted losses (N), where they were computed."""
        return self.signals.get("predicted_loss")

    def with_signals(self, **signals: Any) -> "Snapshot":
        """Return the snapshot with signals added or replaced.

        Parameters
        ----------
        **signals : array or Embedding
            Signals by name, with one row per image.

        Returns
        -------
        Snapshot
            The new snapshot; this one stays as it is.
        """
        signals = {**self.signals, **signals}
        return Snapshot(self.pool, self.task, signals=signals, carried=self.carried)

    def with_pool(self, pool: Pool) -> "Snapshot":
        """Return the snapshot of the same signals with another pool.

        Parameters
        ----------
        pool : Pool
            The pool, of as many images.

        Returns
        -------
        Snapshot
            The new snapshot; this one stays as it is.
        """
        return Snapshot(pool, self.task, signals=self.signals, carried=self.carried)

    @overload
    def require(self, name: Literal["features"]) -> Embedding: ...  # type: ignore[overload-overlap]
    @overload
    def require(self, name: str) -> Array: ...
    def require(self, name: str) -> Any:
        """Return a signal.

        Parameters
        ----------
        name : str
            The name of the signal, for example "features".

        Returns
        -------
        Embedding or array
            An Embedding for "features", else an array with one row per image.

        Raises
        ------
        UsageError
            When the snapshot does not have the signal.
        """
        if name not in self.signals:
            raise UsageError(
                f"this strategy needs {name}, and none were given; give {name}",
                code="missing-signal",
            )
        return self.signals[name]


def _checked(name: str, values: Any, size: int) -> Any:
    """Return an embedding, or a read-only array, of `size` rows of finite numbers."""
    if isinstance(values, Embedding):
        _check_rows(name, len(values), size)
        return values
    array = as_array(values).view()
    if array.ndim != DIMENSIONS.get(name, max(1, array.ndim)):
        wanted = DIMENSIONS.get(name, "at least 1")
        raise DataError(
            f"{name} has {array.ndim} dimensions; give {wanted}", code="wrong-dimensions"
        )
    _check_rows(name, len(array), size)
    bad = ~np.isfinite(array.reshape(len(array), -1)).all(axis=1)
    if bad.any():
        raise DataError(
            f"row {np.flatnonzero(bad)[0]} of {name} is not finite; give numbers there",
            code="not-finite",
        )
    array.flags.writeable = False
    return array


def _check_rows(name: str, rows: int, size: int) -> None:
    if rows != size:
        raise DataError(
            f"{name} has {rows} rows for a pool of {size} images; give one for each",
            code="wrong-number-of-rows",
        )
