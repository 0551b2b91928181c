"""The task model `blend`: the mean of logistic regression and label spreading."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.types import Array, Ids, Labels
from nextlabel.models.settings import ClassWeight, ShippedOptions
from nextlabel.models.task_models import register
from nextlabel.models.task_models.base import ClassicalSettings
from nextlabel.models.task_models.label_spreading import spread

if TYPE_CHECKING:
    from nextlabel.models.cross_validation import BlockClassifier


@register("blend")
class BlendSettings(ShippedOptions, ClassicalSettings):
    """Mean probability of `linear` and `label_spreading`, by default with classes that count alike.

    One is sure where few labels suffice for a border, the other where images lie close together.
    """

    later: ClassVar[frozenset[str]] = frozenset({"class_weight"})

    name: Literal["blend"] = "blend"
    class_weight: ClassWeight = "balanced"
    """"balanced" has all classes count the same, however many labels each has."""

    def fit_blocks(self, rows: ScaledBlocks, labelled: Ids, labels: Labels) -> "MeanClassifier":
        """Return both models, fitted to the blocks."""
        from nextlabel.models.classical import JoinedRows
        from nextlabel.models.linear import fit_linear

        spreading = spread(rows.rows(), labelled, labels, self.neighbours, self.class_weight)
        return MeanClassifier(
            (
                fit_linear(rows, labelled, labels, self.regularisation, self.class_weight),
                JoinedRows(spreading),
            )
        )


@dataclass(frozen=True, eq=False)
class MeanClassifier:
    """The mean of the probabilities of classifiers that were fitted to the same labels."""

    members: "tuple[BlockClassifier, ...]"

    @property
    def classes_(self) -> Array:
        """The class numbers (K)."""
        return self.members[0].classes_

    def probabilities(self, rows: ScaledBlocks) -> Array:
        """Return probabilities, float64 (N, K)."""
        mean: Array = np.mean([member.probabilities(rows) for member in self.members], axis=0)
        return mean
