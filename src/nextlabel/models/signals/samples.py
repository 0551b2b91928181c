"""The signal `samples`: predictions of many models that the labels allow."""

from typing import ClassVar

import numpy as np

from nextlabel.core.errors import UsageError
from nextlabel.core.signals import PoolView, SignalSource
from nextlabel.core.task_model import LastLayer
from nextlabel.core.types import Array
from nextlabel.kernels.posterior.laplace import posterior_samples, predictions
from nextlabel.models.signals import register

COUNT = 64
"""The number of samples, S."""

DROPPED = 0.5
"""The share of features that a sample leaves out, where the posterior is not known."""

TILE = 2048
"""Images at a time."""


@register("samples")
class Samples:
    """Probabilities of 64 samples of the model, float32 (N, S, K).

    The same sample predicts all images. A linear model's weights are drawn from Laplace's
    approximation of their posterior. For a network, each sample leaves out a random half of the
    features before the last layer.
    """

    dimensions: ClassVar[int] = 3
    reads: ClassVar[frozenset[SignalSource]] = frozenset({"model", "last_layer"})

    def compute(self, view: PoolView, rng: np.random.Generator) -> Array:
        """Return the predictions of all samples; UsageError for a model without a last layer."""
        layer, features = last_layer(view), view.outputs.features
        if layer.labelled is None or layer.precision is None:
            masks = rng.random((COUNT, features.shape[1])) >= DROPPED  # [S, d]
            weights = layer.weights * masks[:, None] / (1 - DROPPED)  # [S, K, d]
            bias = np.broadcast_to(layer.bias[:, None], (COUNT, len(layer.bias), 1))
            drawn = np.concatenate([weights, bias], axis=2)  # [S, K, d + 1]
        else:
            drawn = posterior_samples(layer, COUNT, rng)
        return predicted(layer, features, drawn)

    def example(self, size: int, rng: np.random.Generator) -> Array:
        """Return predictions (N, S, K) to test a strategy with."""
        return example(size, 16, rng)


def last_layer(view: PoolView) -> LastLayer:
    """Return the model's last layer; UsageError when it has none."""
    layer = view.outputs.last_layer
    if layer is None:
        raise UsageError(
            "samples and dropped are made from a model's last linear layer, and this model has "
            'none; choose "linear" or a network as the task model',
            code="no-last-layer",
        )
    return layer


def predicted(layer: LastLayer, features: Array, weights: Array) -> Array:
    """Return probabilities (N, S, K) float32 by weights (S, K, d + 1), the biases last."""
    count, outputs, _ = weights.shape
    flat = weights.reshape(count * outputs, -1)  # [S·K, d + 1]
    probabilities = np.empty((len(features), count, outputs), np.float32)
    for start in range(0, len(features), TILE):
        span = slice(start, start + TILE)
        rows = np.asarray(features[span], np.float64)  # [n, d]
        logits = rows @ flat[:, :-1].T + flat[:, -1]  # [n, S·K]
        probabilities[span] = predictions(layer.link, logits.reshape(-1, count, outputs))
    return probabilities


def example(size: int, count: int, rng: np.random.Generator) -> Array:
    """Return predictions (N, S, K) drawn at random, each of five classes."""
    return rng.dirichlet(np.ones(5), (size, count)).astype(np.float32)
