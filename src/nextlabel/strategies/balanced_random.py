"""Balanced random: equal random draws from clusters, a control for what balance alone gains."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Ids
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.even_draws import even_draws
from nextlabel.kernels.k_means import k_means
from nextlabel.strategies import register
from nextlabel.strategies.options import set_option, whole


@register("balanced_random")
@dataclass(frozen=True)
class BalancedRandom:
    """Random images, equally many of each cluster: a control for other strategies.

    k-means divides the images into `clusters`. Each pick comes from a cluster with the fewest
    labelled and picked images, and is random within it. What a strategy gains over this it does
    not gain by balance.
    """

    clusters: int = 10
    """Number of clusters; the number of classes is a sensible choice."""

    needs: ClassVar[frozenset[str]] = frozenset({"features"})

    def __post_init__(self) -> None:
        set_option(self, "clusters", whole("clusters", self.clusters))

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return `budget` unlabelled ids, int64, in the order of the draws.

        `rng` begins k-means and draws. Nothing need be labelled. Raises BudgetError, UsageError
        without features.
        """
        pool = snapshot.pool
        pool.check_budget(budget)
        metric = Metric(snapshot.require("features"))
        if budget == 0:
            return pool.unlabelled[:0].copy()
        ids = pool.included
        groups = k_means(metric, ids, self.clusters, rng)
        return ids[even_draws(groups, np.isin(ids, pool.unlabelled), budget, rng)]
