"""MedAL: the farthest on average. Equation 2; equation 6 when the space has more blocks."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.farthest_from_mean import farthest_from_mean
from nextlabel.kernels.pick_scores import mean_squared_distances
from nextlabel.kernels.ranking import highest
from nextlabel.kernels.uncertainty import entropy
from nextlabel.strategies import register
from nextlabel.strategies.options import optional_whole, set_option

ALL = "leave it out to consider all images"


@register("medal")
@dataclass(frozen=True)
class MedAL:
    """Largest mean squared distance to the labelled, each pick counting as labelled at once.

    `entropy_top` first narrows the choice to that many most entropic images (never fewer than the
    budget), as the MedAL paper does; by default all are candidates. Smailagic et al., MedAL:
    deep active learning sampling method for medical image analysis, 2018,
    https://arxiv.org/abs/1809.09287
    """

    entropy_top: int | None = None
    """Number of images of highest entropy to choose among, at least 1; needs probabilities. If not
    set, all images are candidates.
    """

    score: ClassVar[str] = "mean squared distance to the labelled and earlier picked images"

    def __post_init__(self) -> None:
        set_option(self, "entropy_top", optional_whole("entropy_top", self.entropy_top, ALL))

    @property
    def needs(self) -> frozenset[str]:
        """Features, and probabilities when the choice is narrowed by entropy."""
        if self.entropy_top is None:
            return frozenset({"features"})
        return frozenset({"features", "probabilities"})

    @property
    def prefix(self) -> bool:
        """True when a smaller budget gives the beginning of a larger one's picks."""
        return self.entropy_top is None

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return `budget` unlabelled ids, int64, each the farthest on average from all labelled.

        Ties go to the smallest id; with nothing labelled the first is the one nearest the mean.
        Raises BudgetError, UsageError without a needed signal, DataError for bad probabilities.
        """
        pool = snapshot.pool
        pool.check_budget(budget)
        features = snapshot.require("features")
        out = pool.excluded
        if self.entropy_top is not None:
            scores = entropy(snapshot.require("probabilities"), snapshot.task)
            top = highest(scores, pool.unlabelled, max(self.entropy_top, budget))
            out = np.concatenate([out, np.setdiff1d(pool.unlabelled, top)])
        return farthest_from_mean(features, pool.labelled, budget, excluded=out)

    def scores(self, snapshot: Snapshot, chosen: Ids, rng: np.random.Generator) -> Array:
        """Return the mean squared distance of each pick (B); NaN for the very first."""
        features = snapshot.require("features")
        return mean_squared_distances(features, snapshot.pool.labelled, chosen)
