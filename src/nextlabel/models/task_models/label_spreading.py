"""The task model `label_spreading`: labels spread over near rows of blocks [Zhou et al. 2004]."""

from typing import Any, Literal

import numpy as np

from nextlabel.core.errors import DataError
from nextlabel.core.types import Array, Ids, Labels
from nextlabel.models.settings import MOST_ITERATIONS, ClassWeight, ShippedOptions
from nextlabel.models.task_models import register
from nextlabel.models.task_models.base import ClassicalSettings, ClassWeightOption


@register("label_spreading")
class LabelSpreadingSettings(ClassWeightOption, ShippedOptions, ClassicalSettings):
    """Label spreading over the `neighbours` nearest images of the pool."""

    name: Literal["label_spreading"] = "label_spreading"

    def classifier(self, rows: Array, labelled: Ids, labels: Labels) -> Any:
        """Return the spreading, fitted to all rows; DataError for too many neighbours."""
        return spread(rows, labelled, labels, self.neighbours, self.class_weight)


def spread(
    rows: Array, labelled: Ids, labels: Labels, neighbours: int, class_weight: ClassWeight
) -> Any:
    """Return scikit-learn's label spreading, fitted to the rows of the pool (N, d).

    With "balanced" each class spreads a weight of 1 in all, divided among its labels: spreading is
    linear in the labels, so the class's result is divided by their number.
    Raises DataError for too many neighbours.
    """
    from sklearn.semi_supervised import LabelSpreading

    if neighbours >= len(rows):
        raise DataError(
            f"model.neighbours {neighbours} needs more than the {len(rows)} "
            f"images of the pool; lower it to at most {len(rows) - 1}",
            code="too-many-neighbours",
        )
    answers = np.full(len(rows), -1, np.int64)
    answers[labelled] = labels
    spreading: Any = LabelSpreading(kernel="knn", n_neighbors=neighbours, max_iter=MOST_ITERATIONS)
    spreading.fit(rows, answers)
    if class_weight == "balanced":
        even = spreading.label_distributions_ / np.bincount(labels)[spreading.classes_]
        with np.errstate(invalid="ignore"):  # no label reaches some rows
            spreading.label_distributions_ = even / even.sum(axis=1, keepdims=True)
    return spreading
