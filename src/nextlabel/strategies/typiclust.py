"""TypiClust: the most typical image of each cluster that has no label."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar

import numpy as np

from nextlabel.core.progress import picked, prepared
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.distance.exact import Metric, does_not_vary
from nextlabel.kernels.distance.products import COARSE
from nextlabel.kernels.distance.tiles import Distances
from nextlabel.kernels.k_means import k_means
from nextlabel.kernels.typicality import mean_neighbour_distances, most_typical
from nextlabel.strategies import register
from nextlabel.strategies.options import set_option, whole

SMALL = 5
"""Clusters of fewer images are used only when the others are exhausted."""


@register("typiclust")
@dataclass(frozen=True)
class TypiClust:
    """Most typical image of each cluster, the clusters with the fewest labels first.

    Clusters with equally many labels follow by size. k-means makes as many clusters as there are
    labels and picks together, at most `max_clusters`. Typicality is the inverse mean distance to
    the `neighbours` nearest images of the cluster, or to all of them. Each cluster gives one image
    in a round; when all have, which the paper leaves open, they go round again in the same order.
    Clusters of fewer than 5 images wait until the others are exhausted. Hacohen et al., Active
    learning on a budget: opposite strategies suit high and low budgets, 2022,
    https://arxiv.org/abs/2202.02794
    """

    max_clusters: int = 500
    """Largest number of clusters."""
    neighbours: int = 20
    """Number of nearest images of the cluster that typicality averages over."""

    needs: ClassVar[frozenset[str]] = frozenset({"features"})

    def __post_init__(self) -> None:
        for name in ("max_clusters", "neighbours"):
            set_option(self, name, whole(name, getattr(self, name)))

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return `budget` unlabelled ids, int64, in the order of choice; ties to the smallest id.

        `rng` begins k-means; nothing need be labelled. Raises BudgetError, UsageError without
        features; warns when the rows do not vary.
        """
        pool = snapshot.pool
        pool.check_budget(budget)
        metric = Metric(snapshot.require("features"))
        if budget == 0 or does_not_vary(metric):
            return pool.unlabelled[:budget].copy()
        ids = pool.included
        count = min(pool.labelled_count + budget, self.max_clusters)
        clusters = k_means(metric, ids, count, rng)
        prepared(1)
        labelled = np.isin(ids, pool.labelled)
        large, small = order_of(clusters, labelled)
        queues = _Queues(metric, ids, clusters, labelled, self.neighbours)
        positions: list[int] = []
        for position in chain(queues.round_robin(large), queues.round_robin(small)):
            positions.append(position)
            picked(len(positions), budget)
            if len(positions) == budget:
                break
        return ids[np.array(positions, np.int64)]


def order_of(clusters: Array, labelled: Array) -> tuple[list[int], list[int]]:
    """Return the clusters of 5 images and more, then the smaller, each in the order of choice.

    That is by fewest labelled, then by size, then by the smallest id. `clusters` and `labelled`
    (bool) are (n).
    """
    names, first, cluster, sizes = np.unique(
        clusters, return_index=True, return_inverse=True, return_counts=True
    )
    labels = np.bincount(cluster[labelled], minlength=len(names))
    order = np.lexsort((first, -sizes, labels))
    large = [int(names[i]) for i in order if sizes[i] >= SMALL]
    return large, [int(names[i]) for i in order if sizes[i] < SMALL]


class _Queues:
    """The unlabelled positions of each cluster, the most typical first.

    A cluster is ranked whole only when a second one of its positions is asked for.
    """

    def __init__(
        self, metric: Metric, ids: Ids, clusters: Array, labelled: Array, neighbours: int
    ) -> None:
        quick = Distances(metric, ids, np.float32)
        self.fine = Distances(metric, ids, shifted=quick.shifted)
        self.precisions = (quick, self.fine) if quick.kappa <= COARSE else (self.fine,)
        self.clusters, self.labelled, self.neighbours = clusters, labelled, neighbours
        self.unlabelled = np.bincount(clusters[~labelled], minlength=int(clusters.max()) + 1)
        self.ranked = dict[int, list[int]]()

    def round_robin(self, order: list[int]) -> Iterator[int]:
        """Yield one position of each cluster in turn, until none is left."""
        turn = 0
        while order := [name for name in order if self.unlabelled[name] > turn]:
            for name in order:
                yield self._of(name)[turn] if turn else self._first(name)
            turn += 1

    def _first(self, cluster: int) -> int:
        """Return the most typical unlabelled position of a cluster that has one."""
        positions = self._positions(cluster)
        unlabelled = np.flatnonzero(~self.labelled[positions])
        best = most_typical(self.precisions, positions, self.neighbours, unlabelled)
        return int(positions[best])

    def _of(self, cluster: int) -> list[int]:
        """Return the unlabelled positions of a cluster, the most typical first."""
        if cluster not in self.ranked:
            positions = self._positions(cluster)
            means = mean_neighbour_distances(self.fine, positions, self.neighbours)
            ranked = positions[np.argsort(means, kind="stable")]
            self.ranked[cluster] = ranked[~self.labelled[ranked]].tolist()
        return self.ranked[cluster]

    def _positions(self, cluster: int) -> Ids:
        return np.flatnonzero(self.clusters == cluster)
