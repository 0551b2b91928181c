"""DropQuery: images whose prediction changes when features are left out, spread over clusters."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Array, Ids, Task
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.k_means import k_means
from nextlabel.kernels.posterior.information import checked_samples
from nextlabel.kernels.uncertainty import checked, margin
from nextlabel.strategies import register


@register("drop_query")
@dataclass(frozen=True)
class DropQuery:
    """Images whose prediction changes in most passes with dropout, one near each cluster's centre.

    Three passes leave out a random part of the features before the last layer. Images whose
    prediction changes in more than half of them are candidates. k-means divides these into as many
    clusters as there are images to choose, and the candidate nearest to each centre is chosen.
    Where the candidates are too few, which the paper leaves open, those with the most changes and
    then the lowest margin follow. Multi-label: a prediction is the set of findings of p ≥ 0.5.
    Gupte et al., Revisiting active learning in the era of vision foundation models, 2024,
    https://arxiv.org/abs/2401.14555
    """

    needs: ClassVar[frozenset[str]] = frozenset({"features", "probabilities", "dropped"})

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return `budget` unlabelled ids, int64, those near centres first.

        `rng` begins k-means. Raises BudgetError, UsageError without a needed signal, DataError for
        values that are not probabilities.
        """
        pool, task = snapshot.pool, snapshot.task
        pool.check_budget(budget)
        metric = Metric(snapshot.require("features"))
        probabilities = checked(snapshot.require("probabilities"), task)
        passes = checked_samples(snapshot.require("dropped"), task)
        if budget == 0:
            return pool.unlabelled[:0].copy()
        free = pool.unlabelled
        changes = changed(probabilities[free], passes[free], task)  # [n]
        candidates = free[2 * changes > passes.shape[1]]
        central = near_centres(metric, candidates, budget, rng)
        order = np.lexsort((margin(probabilities[free], task), -changes))
        rest = free[order][~np.isin(free[order], central)]
        return np.concatenate([central, rest[: budget - len(central)]])


def changed(probabilities: Array, passes: Array, task: Task) -> Array:
    """Return the number of passes (n, S, K) that predict other than (n, K) does, int64 (n)."""
    if task == "multiclass":
        differs = passes.argmax(axis=2) != probabilities.argmax(axis=1)[:, None]  # [n, S]
    else:
        differs = ((passes >= 0.5) != (probabilities >= 0.5)[:, None]).any(axis=2)
    return np.asarray(differs.sum(axis=1), np.int64)


def near_centres(metric: Metric, ids: Ids, count: int, rng: np.random.Generator) -> Ids:
    """Return the one of `ids` nearest to the mean of each of `count` clusters; all if fewer."""
    if len(ids) <= count:
        return ids
    clusters = k_means(metric, ids, count, rng, few=count)
    members = (ids[clusters == cluster] for cluster in range(count))
    return np.array([metric.nearest_to_mean(images) for images in members if len(images)], np.int64)
