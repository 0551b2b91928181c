"""The signal `discriminator`: the probability that an image is labelled, as VAAL has it."""

from typing import ClassVar

import numpy as np

from nextlabel.core.signals import PoolView, SignalSource
from nextlabel.core.types import Array
from nextlabel.models.signals import register


@register("discriminator")
class DiscriminatorScores:
    """Probabilities of being labelled, float32 (N), from the block `vaal`."""

    dimensions: ClassVar[int] = 1
    reads: ClassVar[frozenset[SignalSource]] = frozenset({"blocks"})
    blocks: ClassVar[frozenset[str]] = frozenset({"vaal"})

    def compute(self, view: PoolView, rng: np.random.Generator) -> Array:
        """Return the scores of the pool."""
        return view.block("vaal").scores["discriminator"]

    def example(self, size: int, rng: np.random.Generator) -> Array:
        """Return scores (N) to test a strategy with."""
        return rng.random(size)
