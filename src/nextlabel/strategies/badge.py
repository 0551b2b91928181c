"""BADGE: diverse images with large gradients."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Ids
from nextlabel.kernels.gradient_embedding import badge, residuals
from nextlabel.kernels.uncertainty import checked
from nextlabel.strategies import register


@register("badge")
@dataclass(frozen=True)
class Badge:
    """Images with large and diverse gradients of the model's last layer.

    They are chosen like the first centres of k-means++. The gradient of an image, for its likeliest
    label, is (p - e) ⊗ x, with x its row in the feature space, p its
    probabilities and e the likeliest label as 0 and 1; multi-label: 1 for each finding of
    p ≥ 0.5. It is large where the model is unsure, so a batch is unsure and diverse at once. Ash
    et al., Deep batch active learning by diverse, uncertain gradient lower bounds, 2020,
    https://arxiv.org/abs/1906.03671
    """

    needs: ClassVar[frozenset[str]] = frozenset({"features", "probabilities"})

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return `budget` unlabelled ids, int64, in the order of choice; copies come last.

        Raises BudgetError, UsageError without features or probabilities, DataError for bad
        probabilities.
        """
        pool = snapshot.pool
        pool.check_budget(budget)
        features = snapshot.require("features")
        probabilities = checked(snapshot.require("probabilities"), snapshot.task)
        candidates = pool.unlabelled
        factors = residuals(probabilities[candidates], snapshot.task)
        return candidates[badge(features.rows(candidates), factors, budget, rng)]
