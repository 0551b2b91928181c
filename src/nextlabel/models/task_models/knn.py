"""The task model `knn`: the classes of the nearest labelled images, in the space of blocks."""

from typing import Any, Literal

from pydantic import Field

from nextlabel.core.types import Array, Ids, Labels
from nextlabel.models.settings import ShippedOptions
from nextlabel.models.task_models import register
from nextlabel.models.task_models.base import ClassicalSettings


@register("knn")
class NearestNeighboursSettings(ShippedOptions, ClassicalSettings):
    """Classes of the `neighbours` nearest labelled images, weighed by the inverse distance."""

    name: Literal["knn"] = "knn"
    neighbours: int = Field(5, ge=1)
    """Number of nearest labelled images; all of them where there are fewer."""

    def classifier(self, rows: Array, labelled: Ids, labels: Labels) -> Any:
        """Return the classifier, fitted to the labelled rows."""
        from sklearn.neighbors import KNeighborsClassifier

        count = min(self.neighbours, len(labels))
        nearest = KNeighborsClassifier(count, weights="distance", algorithm="brute")
        return nearest.fit(rows[labelled], labels)
