"""Task models that read the rows of blocks and no pixels."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, ClassVar, Protocol

import numpy as np

from nextlabel.core.dataset import Dataset
from nextlabel.core.learner import Training
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.task_model import FittedModel, LastLayer, ModelInputs, ModelOutputs
from nextlabel.core.types import Array, Ids, Labels, Task
from nextlabel.models.cross_validation import (
    BlockClassifier,
    at_temperature,
    best_temperature,
    held_out_probabilities,
)
from nextlabel.models.linear import regression_layer
from nextlabel.models.timing import seconds_of

COLUMNS = 32
"""The width of the rows on which a fit is timed."""


class ClassifierMaker(Protocol):
    """The settings of a classifier, from which it is fitted."""

    @property
    def temperature(self) -> str:
        """Either "cv", to scale scores by a temperature from held-out labels, or "none"."""
        ...

    @property
    def row_blocks(self) -> Mapping[str, float]:
        """The weights of the blocks."""
        ...

    def fit_blocks(self, rows: ScaledBlocks, labelled: Ids, labels: Labels) -> BlockClassifier:
        """Return a classifier fitted to the pool's rows (N) and the labels (n) of `labelled`."""
        ...


@dataclass(frozen=True, eq=False)
class JoinedRows:
    """A classifier of scikit-learn's kind on the joined rows of the blocks."""

    classifier: Any

    @property
    def classes_(self) -> Array:
        """The class numbers (K) that it was fitted to."""
        classes: Array = self.classifier.classes_
        return classes

    def probabilities(self, rows: ScaledBlocks) -> Array:
        """Return probabilities (N, K); an image that no label reaches could be any of them."""
        with np.errstate(invalid="ignore"):
            predicted: Array = self.classifier.predict_proba(rows.rows())
        return np.where(np.isfinite(predicted), predicted, 1 / predicted.shape[1])


class BlockOutputs(ModelOutputs):
    """Predictions from blocks, whose rows are joined when the features are first read."""

    def __init__(self, rows: ScaledBlocks, probabilities: Array, fitted: "FittedClassical") -> None:
        object.__setattr__(self, "_rows", rows)
        object.__setattr__(self, "_fitted", fitted)
        object.__setattr__(self, "probabilities", probabilities)
        object.__setattr__(self, "predicted_loss", None)

    @cached_property
    def features(self) -> Array:
        """The scaled rows, float32 (N, d)."""
        rows: ScaledBlocks = self.__dict__["_rows"]
        return rows.rows().astype(np.float32)

    @cached_property
    def last_layer(self) -> LastLayer | None:
        """The regression's layer with its posterior; None for another classifier."""
        fitted: FittedClassical = self.__dict__["_fitted"]
        return regression_layer(
            fitted.classifiers, fitted.constants, fitted.task, fitted.temperature, fitted.labelled
        )


@dataclass(frozen=True, eq=False)
class FittedClassical:
    """One fitted classifier for all classes, or one for each finding (None: only one answer seen).

    Rows are divided by the pool's root-mean-square distance, so that settings mean the same in
    every space.
    """

    classifiers: tuple[BlockClassifier | None, ...]
    constants: Array
    outputs: int
    task: Task
    temperature: float
    labelled: ScaledBlocks
    training: Training

    def predict(self, inputs: ModelInputs) -> ModelOutputs:
        """Return the predictions for a part of the data."""
        return self.infer(_rows(inputs))

    def state(self) -> dict[str, Any]:
        """Return nothing: no state is kept."""
        return {}

    def infer(self, rows: ScaledBlocks) -> ModelOutputs:
        """Return the scaled rows as features (N, d) and probabilities (N, K), both float32."""
        filled = np.zeros((len(rows), self.outputs), np.float32)
        if self.task == "multiclass":
            (classifier,) = self.classifiers
            if classifier is None:
                filled[:] = self.constants
            else:
                filled[:, classifier.classes_] = self._probabilities(classifier, rows)
        else:
            for k, classifier in enumerate(self.classifiers):
                filled[:, k] = (
                    self.constants[k]
                    if classifier is None
                    else self._probabilities(classifier, rows)[:, 1]
                )
        return BlockOutputs(rows, filled, self)

    def _probabilities(self, classifier: BlockClassifier, rows: ScaledBlocks) -> Array:
        return at_temperature(classifier.probabilities(rows), self.temperature)


@dataclass(frozen=True)
class ClassicalModel:
    """A classifier on the rows of blocks, such as logistic regression or label spreading."""

    model: ClassifierMaker
    task: Task
    outputs: int

    cached: ClassVar[bool] = False

    def fit(
        self,
        inputs: ModelInputs,
        labelled: Ids,
        labels: Labels,
        number: int,
        seeds: Seeds,
        previous: FittedModel | None = None,
    ) -> FittedClassical:
        """Fit to the labelled rows of the model's blocks."""
        return self.train(_rows(inputs), labelled, labels)

    def restore(self, state: dict[str, Any], training: Training) -> FittedClassical:
        """Never called, since no state is kept."""
        raise NotImplementedError

    def initial_digest(self, seeds: Seeds) -> str:
        """Return "none": there are no weights to start from."""
        return "none"

    def planned_samples(self, number: int, labelled: int) -> int:
        """Return 0: there are no epochs."""
        return 0

    def planned_seconds(self, data: Dataset, rounds: Sequence[tuple[int, int]]) -> float:
        """Return the estimated seconds of these fits, from one on rows of the usual width."""
        if not rounds:
            return 0.0
        assert data.train.labels is not None
        normal = np.random.default_rng(0).normal(size=(len(data.train), COLUMNS))
        weights = self.model.row_blocks
        distances = dict.fromkeys(weights, lambda: float(np.sqrt(2 * COLUMNS)))
        rows = ScaledBlocks.of(dict.fromkeys(weights, normal), weights, distances)
        labelled = np.arange(max(count for _, count in rounds), dtype=np.int64)
        labels = data.train.labels[labelled]
        return len(rounds) * seconds_of(lambda: self.train(rows, labelled, labels))

    def state_bytes(self) -> int:
        """Return 0: no state is kept."""
        return 0

    def train(self, pool: ScaledBlocks, labelled: Ids, labels: Labels) -> FittedClassical:
        """Fit to `labels` (n) or (n, K) of the rows `labelled` of the pool (N).

        Label spreading uses the other rows too. Nothing is random. A class, or a finding, of which
        no second answer is labelled is predicted as the labelled have it.
        """
        clock = time.perf_counter()
        columns = [labels] if self.task == "multiclass" else list(labels.T)
        made = [self._classifier(pool, labelled, column) for column in columns]
        constants = (
            (np.arange(self.outputs) == labels[0]) if self.task == "multiclass" else labels[0]
        )
        temperature = (
            self._temperature(pool, labelled, columns) if self.model.temperature == "cv" else 1.0
        )
        fitted = FittedClassical(
            tuple(made),
            constants.astype(np.float32),
            self.outputs,
            self.task,
            temperature,
            pool.take(labelled),
            Training(0.0, 0, 0, "none"),
        )
        right = fitted.infer(fitted.labelled).probabilities
        accuracy = (
            (right.argmax(1) == labels).mean()
            if self.task == "multiclass"
            else ((right > 0.5) == (labels > 0)).mean()
        )
        seconds = {"train": time.perf_counter() - clock}
        training = Training(float(accuracy), 0, 0, "none", seconds=seconds)
        return replace(fitted, training=training)

    def _classifier(
        self, pool: ScaledBlocks, labelled: Ids, labels: Labels
    ) -> BlockClassifier | None:
        """Return a classifier of one column of labels; None where they are all alike."""
        if len(np.unique(labels)) < 2:
            return None
        return self.model.fit_blocks(pool, labelled, labels)

    def _temperature(self, pool: ScaledBlocks, labelled: Ids, columns: list[Labels]) -> float:
        """Return the temperature that all columns of labels share."""
        fit = partial(self.model.fit_blocks, pool)
        predictions = []
        for labels in columns:
            classes = np.unique(labels)
            if len(classes) > 1:
                held, predicted = held_out_probabilities(fit, pool, labelled, labels)
                predictions.append((predicted, np.searchsorted(classes, labels[held])))
        return best_temperature(predictions)


def _rows(inputs: ModelInputs) -> ScaledBlocks:
    assert inputs.rows is not None
    return inputs.rows
