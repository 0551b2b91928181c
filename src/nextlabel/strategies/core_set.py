"""Core-set: greedy k-centre. Equation 1; equation 6 when the space has more blocks."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Ids
from nextlabel.kernels.k_centre.farthest_first import farthest_first
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

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return `budget` unlabelled ids, int64, each the farthest from all labelled or picked.

        Ties go to the smallest id; with nothing labelled the first is the one nearest the mean.
        Raises BudgetError, UsageError without features.
        """
        pool, features = snapshot.pool, snapshot.require("features")
        return farthest_first(features, pool.labelled, budget, excluded=pool.excluded)
