"""The signal `true_labels`: the labels themselves, in simulations only."""

from typing import ClassVar

import numpy as np

from nextlabel.core.signals import PoolView, Source
from nextlabel.core.types import Array
from nextlabel.models.signals import register


@register("true_labels")
class TrueLabels:
    """Labels of the whole pool, int64 (N), or (N, K) findings, for strategies that are ceilings.

    No strategy that a person could use may need it: `select` and all commands for a person's own
    images refuse it.
    """

    reads: ClassVar[frozenset[Source]] = frozenset({"true_labels"})
    dimensions: ClassVar[int] = 1

    def compute(self, view: PoolView, rng: np.random.Generator) -> Array:
        """Return the labels of the pool; UsageError outside a simulation."""
        return view.true_labels

    def example(self, size: int, rng: np.random.Generator) -> Array:
        """Return labels (N) to test a strategy with."""
        return rng.integers(0, 5, size)
