"""Models that see a block's rows and no pixels: a space judged as a representation."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

import numpy as np

from nextlabel.core.dataset import Dataset
from nextlabel.core.feature_space import rms_distance
from nextlabel.core.learner import Training
from nextlabel.core.seeds import Seeds
from nextlabel.core.task_model import FittedModel, ModelInputs, ModelOutputs
from nextlabel.core.types import Array, Ids, Labels, Task
from nextlabel.models.timing import seconds_of

COLUMNS = 32
"""The width of the rows on which a fit is timed."""


class ClassifierMaker(Protocol):
    """The settings of a classifier, from which it is fitted."""

    def classifier(self, rows: Array, labelled: Ids, labels: Labels) -> Any:
        """Return a classifier fitted to rows (N, d) and the labels (n) of `labelled`."""
        ...


@dataclass(frozen=True, eq=False)
class FittedClassical:
    """One fitted classifier for all classes, or one for each finding (None: only one answer seen).

    Rows are divided by `unit`, the pool's root-mean-square distance, so that settings mean the
    same in every space.
    """

    classifiers: tuple[Any, ...]
    constants: Array
    outputs: int
    task: Task
    unit: float
    training: Training

    def predict(self, inputs: ModelInputs) -> ModelOutputs:
        """Return the predictions for a part of the data."""
        return self.infer(_rows(inputs))

    def state(self) -> dict[str, Any]:
        """Return nothing: no state is kept."""
        return {}

    def infer(self, rows: Array) -> ModelOutputs:
        """Return the scaled rows as features (N, d) and probabilities (N, K), both float32."""
        scaled = _scaled(rows, self.unit)
        filled = np.zeros((len(rows), self.outputs), np.float32)
        if self.task == "multiclass":
            (classifier,) = self.classifiers
            if classifier is None:
                filled[:] = self.constants
            else:
                filled[:, classifier.classes_] = _probabilities(classifier, scaled)
        else:
            for k, classifier in enumerate(self.classifiers):
                filled[:, k] = (
                    self.constants[k]
                    if classifier is None
                    else _probabilities(classifier, scaled)[:, 1]
                )
        return ModelOutputs(scaled.astype(np.float32), filled)


@dataclass(frozen=True)
class ClassicalModel:
    """Logistic regression, or label spreading over the pool [Zhou et al. 2004], by scikit-learn."""

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
        """Fit to the labelled rows of the model's block."""
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
        rows = np.random.default_rng(0).normal(size=(len(data.train), COLUMNS))
        labelled = np.arange(max(count for _, count in rounds), dtype=np.int64)
        labels = data.train.labels[labelled]
        return len(rounds) * seconds_of(lambda: self.train(rows, labelled, labels))

    def state_bytes(self) -> int:
        """Return 0: no state is kept."""
        return 0

    def train(self, pool_rows: Array, labelled: Ids, labels: Labels) -> FittedClassical:
        """Fit to `labels` (n) or (n, K) of the rows `labelled` of the pool (N, d).

        Label spreading uses the other rows too. Nothing is random. A class, or a finding, of which
        no second answer is labelled is predicted as the labelled have it.
        """
        clock = time.perf_counter()
        unit = rms_distance(pool_rows) or 1.0
        scaled = _scaled(pool_rows, unit)
        columns = [labels] if self.task == "multiclass" else list(labels.T)
        made = [self._classifier(scaled, labelled, column) for column in columns]
        constants = (
            (np.arange(self.outputs) == labels[0]) if self.task == "multiclass" else labels[0]
        )
        fitted = FittedClassical(
            tuple(made),
            constants.astype(np.float32),
            self.outputs,
            self.task,
            unit,
            Training(0.0, 0, 0, "none"),
        )
        right = fitted.infer(pool_rows[labelled]).probabilities
        accuracy = (
            (right.argmax(1) == labels).mean()
            if self.task == "multiclass"
            else ((right > 0.5) == (labels > 0)).mean()
        )
        seconds = {"train": time.perf_counter() - clock}
        training = Training(float(accuracy), 0, 0, "none", seconds=seconds)
        return replace(fitted, training=training)

    def _classifier(self, scaled: Array, labelled: Ids, labels: Labels) -> Any:
        """Return a classifier of one column of labels; None where they are all alike."""
        if len(np.unique(labels)) < 2:
            return None
        return self.model.classifier(scaled, labelled, labels)


def _rows(inputs: ModelInputs) -> Array:
    assert inputs.rows is not None
    return inputs.rows


def _scaled(rows: Array, unit: float) -> Array:
    return np.asarray(rows, np.float64) / unit


def _probabilities(classifier: Any, scaled: Array) -> Array:
    """Return probabilities (N, classes); an image that no label reaches could be any of them."""
    with np.errstate(invalid="ignore"):
        predicted: Array = classifier.predict_proba(scaled)
    return np.where(np.isfinite(predicted), predicted, 1 / predicted.shape[1])
