"""EPIG: images whose label would tell most about predictions for the pool."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.posterior.information import ROUNDING, checked_samples, epig
from nextlabel.kernels.ranking import highest
from nextlabel.strategies import register
from nextlabel.strategies.options import set_option, whole


@register("epig")
@dataclass(frozen=True)
class Epig:
    """Images whose label would tell most about the model's predictions for the pool.

    That is the mutual information between an image's label and that of a target, in the mean over
    `targets` random images of the pool. Multi-label: the mean over the findings. BALD's counts all
    that a label says about the weights, also where no prediction depends on it. Images are ranked
    one by one. Bickford Smith et al., Prediction-oriented Bayesian active learning, 2023,
    https://arxiv.org/abs/2304.08151
    """

    targets: int = 200
    """Number of random images whose predictions count; all images if there are fewer."""

    needs: ClassVar[frozenset[str]] = frozenset({"samples"})
    prefix: ClassVar[bool] = True
    score: ClassVar[str] = "information, in nats"

    def __post_init__(self) -> None:
        set_option(self, "targets", whole("targets", self.targets))

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return the `budget` unlabelled ids of most information, int64; ties by id.

        `rng` draws the targets, also among the labelled. Raises BudgetError, UsageError without
        samples, DataError for samples that are not probabilities.
        """
        pool = snapshot.pool
        pool.check_budget(budget)
        scores = np.zeros(pool.size)
        scores[pool.unlabelled] = self.scores(snapshot, pool.unlabelled, rng)
        return highest(scores, pool.unlabelled, budget, ROUNDING)

    def scores(self, snapshot: Snapshot, chosen: Ids, rng: np.random.Generator) -> Array:
        """Return the information of each pick (B); `rng` draws the targets."""
        pool = snapshot.pool
        samples = checked_samples(snapshot.require("samples"), snapshot.task)
        ids = pool.included
        if self.targets < len(ids):
            ids = np.sort(rng.choice(ids, self.targets, replace=False))
        return epig(samples, samples[ids], snapshot.task, chosen)
