"""The task model `linear`: logistic regression on the rows of a block."""

from typing import Any, Literal

from nextlabel.core.types import Array, Ids, Labels
from nextlabel.models.settings import MOST_ITERATIONS, ShippedOptions
from nextlabel.models.task_models import register
from nextlabel.models.task_models.base import ClassicalSettings


@register("linear")
class LinearSettings(ShippedOptions, ClassicalSettings):
    """Logistic regression of inverse strength `regularisation`."""

    name: Literal["linear"] = "linear"

    def classifier(self, rows: Array, labelled: Ids, labels: Labels) -> Any:
        """Return the regression, fitted to the labelled rows."""
        from sklearn.linear_model import LogisticRegression

        regression = LogisticRegression(C=self.regularisation, max_iter=MOST_ITERATIONS)
        return regression.fit(rows[labelled], labels)
