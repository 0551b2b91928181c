"""The task model `label_spreading`: labels spread over near rows of a block [Zhou et al. 2004]."""

from typing import Any, Literal

import numpy as np

from nextlabel.core.errors import DataError
from nextlabel.core.types import Array, Ids, Labels
from nextlabel.models.settings import MOST_ITERATIONS, ShippedOptions
from nextlabel.models.task_models import register
from nextlabel.models.task_models.base import ClassicalSettings


@register("label_spreading")
class LabelSpreadingSettings(ShippedOptions, ClassicalSettings):
    """Label spreading over the `neighbours` nearest images of the pool."""

    name: Literal["label_spreading"] = "label_spreading"

    def classifier(self, rows: Array, labelled: Ids, labels: Labels) -> Any:
        """Return the spreading, fitted to all rows; DataError for too many neighbours."""
        from sklearn.semi_supervised import LabelSpreading

        if self.neighbours >= len(rows):
            raise DataError(
                f"model.neighbours {self.neighbours} needs more than the {len(rows)} "
                f"images of the pool; lower it to at most {len(rows) - 1}",
                code="too-many-neighbours",
            )
        answers = np.full(len(rows), -1, np.int64)
        answers[labelled] = labels
        spreading = LabelSpreading(
            kernel="knn", n_neighbors=self.neighbours, max_iter=MOST_ITERATIONS
        )
        return spreading.fit(rows, answers)
