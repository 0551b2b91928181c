"""Cluster-Margin: images of low margin, spread over clusters."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.average_linkage import average_linkage
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.ranking import highest
from nextlabel.kernels.uncertainty import margin
from nextlabel.strategies import register
from nextlabel.strategies.options import positive, set_option


@register("cluster_margin")
@dataclass(frozen=True)
class ClusterMargin:
    """Images of low margin, at most one of each cluster in turn, the smallest cluster first.

    Average linkage divides all images into clusters of `cluster_size` images on average; it uses
    no label and no prediction, so the clusters are the same in every round. The `oversampling` ×
    budget images of lowest margin are candidates. One random candidate of each cluster is taken in
    turn, the clusters in order of how many candidates they have; after the last the turn comes to
    the first again. Citovsky et al., Batch active learning at scale, 2021,
    https://arxiv.org/abs/2107.14263
    """

    oversampling: float = 1.25
    """Number of candidates for each image to choose, at least 1; 10 in the paper's largest
    experiment."""
    cluster_size: float = 1.25
    """Number of images per cluster, on average, at least 1."""

    needs: ClassVar[frozenset[str]] = frozenset({"features", "probabilities"})

    def __post_init__(self) -> None:
        for name in ("oversampling", "cluster_size"):
            limit, remedy = "a finite number of at least 1", "raise it"
            value = positive(name, getattr(self, name), limit, remedy, least=1)
            set_option(self, name, value)

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return `budget` unlabelled ids, int64, in the order of choice.

        `rng` draws within clusters. Raises BudgetError, UsageError without features or
        probabilities or with more than 20,000 images, DataError for bad probabilities.
        """
        pool = snapshot.pool
        pool.check_budget(budget)
        metric = Metric(snapshot.require("features"))
        scores = -margin(snapshot.require("probabilities"), snapshot.task)
        if budget == 0:
            return pool.unlabelled[:0].copy()
        ids = pool.included
        clusters = average_linkage(metric, ids, max(1, math.floor(len(ids) / self.cluster_size)))
        count = math.ceil(min(self.oversampling * budget, len(ids)))
        candidates = highest(scores, pool.unlabelled, count)
        of_candidates = clusters[np.searchsorted(ids, candidates)]
        return candidates[round_robin(of_candidates, budget, rng)]


def round_robin(clusters: Array, budget: int, rng: np.random.Generator) -> Ids:
    """Return positions, one random one of each cluster in turn, the smallest cluster first.

    Equally large clusters come in the order of their first position. `clusters` is (n), and
    `budget` at most n.
    """
    order = rng.permutation(len(clusters))
    names, first, sizes = np.unique(clusters, return_index=True, return_counts=True)
    queues = [
        order[clusters[order] == names[i]].tolist() for i in np.lexsort((first, sizes)).tolist()
    ]
    picked: list[int] = []
    while len(picked) < budget:
        picked += [queue.pop() for queue in queues if queue]
    return np.array(picked[:budget], np.int64)
