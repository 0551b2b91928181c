"""The task model `ensemble`: one logistic regression per block, joined by the geometric mean."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.core.types import Array, Ids, Labels
from nextlabel.models.settings import ShippedOptions
from nextlabel.models.task_models import register
from nextlabel.models.task_models.base import ClassicalSettings, ClassWeightOption

if TYPE_CHECKING:
    from nextlabel.models.linear import LinearClassifier


@register("ensemble")
class EnsembleSettings(ClassWeightOption, ShippedOptions, ClassicalSettings):
    """Geometric mean of one `linear` model per block; a block's weight is its share of the mean."""

    name: Literal["ensemble"] = "ensemble"

    def fit_blocks(self, rows: ScaledBlocks, labelled: Ids, labels: Labels) -> "Ensemble":
        """Return one regression for each block."""
        from nextlabel.models.linear import fit_linear

        weights = {name: self.row_blocks[name] for name in rows.arrays}
        members = {
            name: fit_linear(
                alone(rows, name, weight), labelled, labels, self.regularisation, self.class_weight
            )
            for name, weight in weights.items()
        }
        return Ensemble(members, weights)


@dataclass(frozen=True, eq=False)
class Ensemble:
    """A linear classifier for each block, and the weights of their geometric mean."""

    members: "dict[str, LinearClassifier]"
    weights: dict[str, float]

    @property
    def classes_(self) -> Array:
        """The class numbers (K)."""
        return next(iter(self.members.values())).classes_

    def probabilities(self, rows: ScaledBlocks) -> Array:
        """Return Π_b p_b^(w_b / Σw), divided by its sum over the classes, float64 (N, K)."""
        from nextlabel.models.linear import softmax

        share = 1 / sum(self.weights.values())
        logs = np.zeros((len(rows), len(self.classes_)))
        for name, member in self.members.items():
            scores = member.scores(alone(rows, name, self.weights[name]))
            logs += self.weights[name] * share * scores  # softmax ignores what all classes share
        return softmax(logs)


def alone(rows: ScaledBlocks, name: str, weight: float) -> ScaledBlocks:
    """Return one block divided by its RMS distance, without its weight."""
    return ScaledBlocks({name: rows.arrays[name]}, {name: rows.units[name] * weight})
