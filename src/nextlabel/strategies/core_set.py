"""Core-set: greedy k-centre. Equation 1; equation 6 when the space has more blocks."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.progress import picked
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.k_centre.farthest_first import farthest_first
from nextlabel.kernels.pick_scores import nearest_labelled_distances
from nextlabel.strategies import register


@register("core_set")
@dataclass(frozen=True)
class CoreSet:
    """Largest distance to the nearest labelled image, each pick counting as labelled at once.

    Sener & Savarese, Active learning for convolutional neural networks: a core-set approach,
    2018, https://arxiv.org/abs/1708.00489
    """

    needs: ClassVar[frozenset[str]] = frozenset({"features"})
    prefix: ClassVar[bool] = True
    score: ClassVar[str] = "distance to the nearest labelled or earlier picked image"

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return `budget` unlabelled ids, int64, each the farthest from all labelled or picked.

        Ties go to the smallest id; with nothing labelled the first is the one nearest the mean.
        Raises BudgetError, UsageError without features.
        """
        pool, features = snapshot.pool, snapshot.require("features")
        return farthest_first(
            features, pool.labelled, budget, excluded=pool.excluded, progress=picked
        )

    def scores(self, snapshot: Snapshot, chosen: Ids, rng: np.random.Generator) -> Array:
        """Return the distance of each pick (B) when it was picked; NaN for the very first."""
        features = snapshot.require("features")
        return nearest_labelled_distances(features, snapshot.pool.labelled, chosen)
