"""The learner that `algorithm1` calls: models of a round, their signals and metrics."""

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
    """The record of one round's training.

    Parameters
    ----------
    accuracy
        Accuracy on the labelled images, from 0 to 1.
    epochs, steps
        Numbers of epochs and of gradient steps.
    weights
        The weights that training started from, in words.
    reached
        False when a train accuracy was demanded and not reached.
    shared
        True when the result was taken from an arm that trained the same; not compared.
    seconds
        Seconds by phase; not compared.

    """

    accuracy: float
    epochs: int
    steps: int
    weights: str
    reached: bool = True
    shared: bool = field(default=False, compare=False)
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)


class Fitted(Protocol):
    """The fitted models of one round; they do not change."""

    @property
    def training(self) -> Training:
        """The record of the training."""
        ...

    def snapshot(self, pool: Pool, needs: frozenset[str]) -> Snapshot:
        """Return what a strategy may see of the pool.

        Parameters
        ----------
        pool : Pool
            The images that are labelled and those that are not.
        needs : frozenset of str
            Names of signals, such as "features".

        Returns
        -------
        Snapshot
            The signals with one row per image of the pool.
        """
        ...

    def evaluate(self) -> Metrics:
        """Return metrics by name, such as "validation/accuracy"; test decides nothing."""
        ...


class Learner(Protocol):
    """A way of fitting models to the labelled images."""

    @property
    def sequential(self) -> bool:
        """True when a round's models depend on the round before; resuming then repeats them all."""
        ...

    def cold(self, pool: Pool, needs: frozenset[str]) -> Snapshot:
        """Return a snapshot before any label, for a strategy that chooses the initial images.

        Parameters
        ----------
        pool : Pool
            A pool without labelled images.
        needs : frozenset of str
            Names of signals that need no task model, such as "features".

        Returns
        -------
        Snapshot
            The signals with one row per image of the pool.
        """
        ...

    def fit(self, pool: Pool, labels: Labels, number: int, previous: Fitted | None) -> Fitted:
        """Return the models of round `number`, fitted to the labelled images.

        Parameters
        ----------
        pool
            The pool; `pool.labelled` are the ids of the labelled images.
        labels
            Their labels, in that order: (n) class numbers, or (n, K) findings.
        number
            The number of the round, from 0.
        previous
            The models of the round before, None in round 0.

        """
        ...
