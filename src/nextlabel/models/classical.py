"""Models that see a block's rows and no pixels: a space judged as a representation."""

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nextlabel.core.errors import DataError
from nextlabel.core.feature_space import rms_distance
from nextlabel.core.learner import Training
from nextlabel.core.task_model import ModelOutputs
from nextlabel.core.types import Array, Ids, Labels, Task
from nextlabel.models.settings import ModelSettings

MOST_ITERATIONS = 1000


@dataclass(frozen=True, eq=False)
class FittedShallow:
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

    def infer(self, rows: Array) -> ModelOutputs:
        """Return the scaled rows as features (N, d) and probabilities (N, K), both float32."""
        scaled = _scaled(rows, self.unit)
        found = np.zeros((len(rows), self.outputs), np.float32)
        if self.task == "multiclass":
            (classifier,) = self.classifiers
            if classifier is None:
                found[:] = self.constants
            else:
                found[:, classifier.classes_] = _probabilities(classifier, scaled)
        else:
            for k, classifier in enumerate(self.classifiers):
                found[:, k] = (
                    self.constants[k]
                    if classifier is None
                    else _probabilities(classifier, scaled)[:, 1]
                )
        return ModelOutputs(scaled.astype(np.float32), found)


@dataclass(frozen=True)
class ShallowModel:
    """Logistic regression, or label spreading over the pool [Zhou et al. 2004], by scikit-learn."""

    model: ModelSettings
    task: Task
    outputs: int

    def fit(self, pool_rows: Array, labelled: Ids, labels: Labels) -> FittedShallow:
        """Fit to `labels` (n) or (n, K) of the rows `labelled` of the pool (N, d).

        Label spreading sees the other rows too. Nothing is random. A class, or a finding, of which
        no second answer is labelled is predicted as the labelled have it.
        """
        clock = time.perf_counter()
        unit = rms_distance(pool_rows) or 1.0
        scaled = _scaled(pool_rows, unit)
        columns = [labels] if self.task == "multiclass" else list(labels.T)
        made = [self._one(scaled, labelled, column) for column in columns]
        constants = (
            (np.arange(self.outputs) == labels[0]) if self.task == "multiclass" else labels[0]
        )
        fitted = FittedShallow(
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

    def _one(self, scaled: Array, labelled: Ids, labels: Labels) -> Any:
        """Return a classifier of one column of labels; None where they are all alike."""
        if len(np.unique(labels)) < 2:
            return None
        if self.model.name == "linear":
            from sklearn.linear_model import LogisticRegression

            made = LogisticRegression(C=self.model.regularisation, max_iter=MOST_ITERATIONS)
            return made.fit(scaled[labelled], labels)
        from sklearn.semi_supervised import LabelSpreading

        if self.model.neighbours >= len(scaled):
            raise DataError(
                f"model.neighbours {self.model.neighbours} needs more than the {len(scaled)} "
                f"images of the pool; lower it to at most {len(scaled) - 1}"
            )
        answers = np.full(len(scaled), -1, np.int64)
        answers[labelled] = labels
        spreading = LabelSpreading(
            kernel="knn", n_neighbors=self.model.neighbours, max_iter=MOST_ITERATIONS
        )
        return spreading.fit(scaled, answers)


def _scaled(rows: Array, unit: float) -> Array:
    return np.asarray(rows, np.float64) / unit


def _probabilities(classifier: Any, scaled: Array) -> Array:
    """Return probabilities (N, classes); an image that no label reaches could be any of them."""
    with np.errstate(invalid="ignore"):
        found: Array = classifier.predict_proba(scaled)
    return np.where(np.isfinite(found), found, 1 / found.shape[1])
