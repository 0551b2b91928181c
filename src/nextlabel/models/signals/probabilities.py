"""The signal `probabilities`: the task model's probabilities of classes or findings."""

from typing import ClassVar

import numpy as np

from nextlabel.core.signals import PoolView, SignalSource
from nextlabel.core.types import Array
from nextlabel.models.signals import register


@register("probabilities")
class Probabilities:
    """Probabilities, float32 (N, K)."""

    dimensions: ClassVar[int] = 2
    reads: ClassVar[frozenset[SignalSource]] = frozenset({"model"})

    def compute(self, view: PoolView, rng: np.random.Generator) -> Array:
        """Return the probabilities of the pool."""
        return view.outputs.probabilities
