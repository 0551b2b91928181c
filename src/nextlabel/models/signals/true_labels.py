"""The signal `true_labels`: the labels themselves, in simulations only."""

from typing import ClassVar

import numpy as np

from nextlabel.core.errors import UsageError
from nextlabel.core.signals import PoolView, SignalSource
from nextlabel.core.types import Array
from nextlabel.models.signals import register


@register("true_labels")
class TrueLabels:
    """Class numbers of the whole pool, int64 (N), for strategies that are ceilings.

    No strategy that a person could use may need it: `select` and all commands for a person's own
    images refuse it.
    """

    reads: ClassVar[frozenset[SignalSource]] = frozenset({"true_labels"})
    dimensions: ClassVar[int] = 1

    def compute(self, view: PoolView, rng: np.random.Generator) -> Array:
        """Return the labels of the pool; UsageError outside a simulation or for findings."""
        labels = view.true_labels
        if labels.ndim != 1:
            raise UsageError(
                f"true labels of {labels.shape[1]} findings per image have no one class; choose a "
                "strategy for multi-label data, such as balanced_random",
                code="true-labels-multilabel",
            )
        return labels

    def example(self, size: int, rng: np.random.Generator) -> Array:
        """Return labels (N) to test a strategy with."""
        return rng.integers(0, 5, size)
