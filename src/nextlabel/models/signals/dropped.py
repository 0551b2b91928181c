"""The signal `dropped`: predictions from features of which a random part is left out."""

from typing import ClassVar

import numpy as np

from nextlabel.core.signals import PoolView, SignalSource
from nextlabel.core.types import Array
from nextlabel.kernels.posterior.laplace import predictions
from nextlabel.models.signals import register
from nextlabel.models.signals.samples import TILE, example, last_layer

PASSES = 3
"""The number of passes, S."""

DROPPED = 0.75
"""The share of features that a pass leaves out of each image."""


@register("dropped")
class Dropped:
    """Probabilities of 3 passes with dropout, float32 (N, S, K).

    A pass sets a random three quarters of each image's features to 0, and multiplies the others by
    four: DropQuery's passes [Gupte et al. 2024].
    """

    dimensions: ClassVar[int] = 3
    reads: ClassVar[frozenset[SignalSource]] = frozenset({"model", "last_layer"})

    def compute(self, view: PoolView, rng: np.random.Generator) -> Array:
        """Return the predictions of all passes; UsageError for a model without a last layer."""
        layer, features = last_layer(view), view.outputs.features
        probabilities = np.empty((len(features), PASSES, len(layer.bias)), np.float32)
        for start in range(0, len(features), TILE):
            span = slice(start, start + TILE)
            rows = np.asarray(features[span], np.float64)  # [n, d]
            kept = rng.random((len(rows), PASSES, rows.shape[1])) >= DROPPED  # [n, S, d]
            logits = (rows[:, None] * kept / (1 - DROPPED)) @ layer.weights.T  # [n, S, K]
            probabilities[span] = predictions(layer.link, logits + layer.bias)
        return probabilities

    def example(self, size: int, rng: np.random.Generator) -> Array:
        """Return predictions (N, S, K) to test a strategy with."""
        return example(size, PASSES, rng)
