"""Task models: their inputs and outputs, and the cost of a fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from nextlabel.core.dataset import Dataset
from nextlabel.core.learner import Training
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.types import Array, Ids, Labels, Part


@dataclass(frozen=True, eq=False)
class ModelInputs:
    """All that a task model may read of one part of the data.

    Attributes
    ----------
    part
        The part: "train" is the pool.
    images
        Uint8 (N, C, H, W).
    rows
        N rows of the blocks that the model reads, if it reads any.
    side
        Rows (N, d) float32 that the module P reads in addition to the model's maps, if any.
    """

    part: Part
    images: Array
    rows: ScaledBlocks | None = None
    side: Array | None = None


@dataclass(frozen=True, eq=False)
class LastLayer:
    """The linear layer from features to probabilities, and what its posterior is computed from.

    Attributes
    ----------
    weights
        Float (K, d).
    bias
        Float (K); an output of infinite bias is always there, or never.
    link
        "softmax" for K classes, "logistic" for K findings, each by itself.
    labelled
        The features of the labelled images, (n, d), where the posterior is known.
    precision
        The precisions of the Gaussian prior of each output's weights, (K), where the posterior is
        known.
    """

    weights: Array
    bias: Array
    link: Literal["softmax", "logistic"]
    labelled: Array | None = None
    precision: Array | None = None


@dataclass(frozen=True, eq=False)
class ModelOutputs:
    """Predictions of a task model for N images, computed in one pass.

    Attributes
    ----------
    features
        T_f, float32 (N, width).
    probabilities
        Float32 (N, K): of K classes, summing to 1, or of K findings.
    predicted_loss
        Float32 (N), where the module P is trained; else None.
    last_layer
        The layer that gives the probabilities from the features, for a model that has one.
    """

    features: Array
    probabilities: Array
    predicted_loss: Array | None = None
    last_layer: LastLayer | None = None


class FittedModel(Protocol):
    """A fitted task model; nothing changes it."""

    @property
    def training(self) -> Training:
        """The record of the training."""
        ...

    def predict(self, inputs: ModelInputs) -> ModelOutputs:
        """Return the predictions for a part of the data, in one pass."""
        ...

    def state(self) -> dict[str, Any]:
        """Return the weights as tensors by name, for the cache."""
        ...


class TaskModel(Protocol):
    """A task model T: fitted to labels in each round, from the same start."""

    @property
    def cached(self) -> bool:
        """True when the fit of round 0 is kept for arms that train alike."""
        ...

    def fit(
        self,
        inputs: ModelInputs,
        labelled: Ids,
        labels: Labels,
        number: int,
        seeds: Seeds,
        previous: FittedModel | None = None,
    ) -> FittedModel:
        """Return the model fitted for a round.

        Parameters
        ----------
        inputs
            The pool.
        labelled
            The n ids of the labelled images.
        labels
            Their labels, (n) or (n, K), in that order.
        number
            The number of the round.
        seeds
            The trial's seeds, for all that is random.
        previous
            The model of the round before, for a model that continues its training.
        """
        ...

    def restore(self, state: dict[str, Any], training: Training) -> FittedModel:
        """Return a fitted model from its state; called only for a model that is `cached`."""
        ...

    def initial_digest(self, seeds: Seeds) -> str:
        """Return the sha256 of the weights that every round starts from; "none" without any."""
        ...

    def planned_samples(self, number: int, labelled: int) -> int:
        """Return how many images round `number` trains on, an image counting in each epoch."""
        ...

    def planned_seconds(self, data: Dataset, rounds: Sequence[tuple[int, int]]) -> float:
        """Return the estimated seconds of fits, from a short trial; rounds are (number, labels)."""
        ...

    def state_bytes(self) -> int:
        """Return the bytes that the cache needs for one model."""
        ...
