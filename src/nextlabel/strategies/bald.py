"""BALD: where samples of the model are sure and disagree."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.posterior.information import ROUNDING, bald, checked_samples
from nextlabel.kernels.ranking import highest
from nextlabel.strategies import register


@register("bald")
@dataclass(frozen=True)
class Bald:
    """Images whose label would tell most about the model.

    That is the mutual information between an image's label and the model's weights: the entropy of
    the mean prediction less the mean entropy of samples' predictions. Multi-label: the mean over
    the findings. Images are ranked one by one, so a batch may hold similar ones. Houlsby et al.,
    Bayesian active learning for classification and preference learning, 2011,
    https://arxiv.org/abs/1112.5745
    """

    needs: ClassVar[frozenset[str]] = frozenset({"samples"})
    prefix: ClassVar[bool] = True
    score: ClassVar[str] = "information, in nats"

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return the `budget` unlabelled ids of most information, int64; ties by id.

        Raises BudgetError, UsageError without samples, DataError for samples that are not
        probabilities.
        """
        pool = snapshot.pool
        pool.check_budget(budget)
        scores = np.zeros(pool.size)
        scores[pool.unlabelled] = self.scores(snapshot, pool.unlabelled, rng)
        return highest(scores, pool.unlabelled, budget, ROUNDING)

    def scores(self, snapshot: Snapshot, chosen: Ids, rng: np.random.Generator) -> Array:
        """Return the information of each pick (B)."""
        samples = checked_samples(snapshot.require("samples"), snapshot.task)
        return bald(samples, snapshot.task, chosen)
