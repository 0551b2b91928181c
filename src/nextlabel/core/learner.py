"""What Algorithm 1 drives: something that learns from labels and then reports what it sees."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from nextlabel.core.pool import Pool
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Labels

Metrics = Mapping[str, float]
"""For example {"validation/accuracy": 0.93, "test/accuracy": 0.92}; accuracies in [0, 1]."""


@dataclass(frozen=True)
class Training:
    """How a round's training went; seconds by phase do not count in comparisons.

    `weights` says what it started from; `reached` is False when the train accuracy asked for
    was not; `shared` is True when another arm had trained the same and its result was taken.
    """

    accuracy: float
    epochs: int
    steps: int
    weights: str
    reached: bool = True
    shared: bool = field(default=False, compare=False)
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)


class Fitted(Protocol):
    """A round's models; nothing in it changes any more."""

    @property
    def training(self) -> Training:
        """How the training went."""
        ...

    def snapshot(self, pool: Pool, needs: frozenset[str]) -> Snapshot:
        """Compute the signals in `needs` in one pass over the pool."""
        ...

    def evaluate(self) -> Metrics:
        """Measure on validation and test; nothing is ever decided on test."""
        ...


class Learner(Protocol):
    """Fits models to what is labelled so far."""

    @property
    def sequential(self) -> bool:
        """True when a round's models depend on the round before, so that resuming replays all."""
        ...

    def cold(self, pool: Pool, needs: frozenset[str]) -> Snapshot:
        """Return what is known before any label, for a strategy that chooses the initial set."""
        ...

    def fit(self, pool: Pool, labels: Labels, number: int, previous: Fitted | None) -> Fitted:
        """Fit to `labels` of `pool.labelled`, in that order, for round `number`."""
        ...
