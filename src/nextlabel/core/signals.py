"""Signals: named arrays with one row per image of the pool, which strategies select by."""

from typing import Literal, Protocol, TypeAlias

import numpy as np

from nextlabel.core.space.block import FittedBlock
from nextlabel.core.space.embedding import Embedding
from nextlabel.core.task_model import ModelOutputs
from nextlabel.core.types import Array, Task

SignalSource: TypeAlias = Literal[
    "space", "model", "loss_prediction", "last_layer", "blocks", "true_labels"
]
"""Sources of a signal: the feature space, the task model, the module P trained with it, the model's
last linear layer, blocks that are fitted for the signal, and the labels of a simulation."""


class PoolView(Protocol):
    """The images of the pool and the models of one round, as a signal reads them.

    Every property is computed on first access and kept for the other signals of the round.
    """

    @property
    def task(self) -> Task:
        """The task of the data set."""
        ...

    @property
    def images(self) -> Array:
        """The images of the pool, uint8 (N, C, H, W)."""
        ...

    @property
    def outputs(self) -> ModelOutputs:
        """The task model's predictions for the pool; UsageError before any label is there."""
        ...

    @property
    def space(self) -> Embedding:
        """The pool in the arm's feature space (equation 6)."""
        ...

    def block(self, name: str) -> FittedBlock:
        """Return a block as this round fitted it; the signal's class names it in `blocks`."""
        ...

    @property
    def true_labels(self) -> Array:
        """The labels of the whole pool, int64; UsageError outside a simulation."""
        ...


class Signal(Protocol):
    """A quantity of every image of the pool, computed from the models of one round.

    Attributes
    ----------
    dimensions
        The number of dimensions of the array, rows included: 2 for (N, d).
    reads
        The sources of the signal. One that reads the space alone exists before any label does;
        one that reads "loss_prediction" has the module P trained in every arm that needs it.
        One that reads "blocks" names these in a class attribute `blocks`, a frozenset of names, and
        they are fitted in each round of every arm that needs it.
    """

    @property
    def dimensions(self) -> int:
        """The number of dimensions of the array, rows included."""
        ...

    @property
    def reads(self) -> frozenset[SignalSource]:
        """The sources of the signal."""
        ...

    def compute(self, view: PoolView, rng: np.random.Generator) -> Array | Embedding:
        """Return one finite row per image of the pool, in the order of the images.

        Parameters
        ----------
        view
            The pool and the round's models.
        rng
            The generator for all that is random, of this signal and round alone.
        """
        ...
