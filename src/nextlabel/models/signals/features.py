"""The signal `features`: the pool in the arm's feature space, equation 6."""

from typing import ClassVar

import numpy as np

from nextlabel.core.signals import PoolView, SignalSource
from nextlabel.core.space.embedding import Embedding
from nextlabel.models.signals import register


@register("features")
class Features:
    """Weighted feature blocks, an Embedding of N rows."""

    dimensions: ClassVar[int] = 2
    reads: ClassVar[frozenset[SignalSource]] = frozenset({"space"})

    def compute(self, view: PoolView, rng: np.random.Generator) -> Embedding:
        """Return the embedding of the pool."""
        return view.space
