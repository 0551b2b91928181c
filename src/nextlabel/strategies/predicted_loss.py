"""Loss prediction: where the module P expects the task model to be most wrong. Equation 3."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.ranking import highest
from nextlabel.strategies import register
from nextlabel.strategies.options import optional_whole, set_option

ALL = "leave it out to consider all images"


@register("predicted_loss")
@dataclass(frozen=True)
class PredictedLoss:
    """Highest predicted loss (needs a loss-prediction model).

    `sub_pool` first narrows the choice to that many images drawn at random (never fewer than the
    budget), which keeps picks apart; by default all are candidates. Yoo & Kweon, Learning loss for
    active learning, 2019, https://arxiv.org/abs/1905.03677
    """

    needs: ClassVar[frozenset[str]] = frozenset({"predicted_loss"})

    score: ClassVar[str] = "predicted loss"

    sub_pool: int | None = None
    """Number of random images to choose among, at least 1. If not set, all are candidates."""

    def __post_init__(self) -> None:
        set_option(self, "sub_pool", optional_whole("sub_pool", self.sub_pool, ALL))

    @property
    def prefix(self) -> bool:
        """True when a smaller budget gives the beginning of a larger one's picks."""
        return self.sub_pool is None

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return the `budget` unlabelled ids of highest predicted loss, int64; ties by id.

        Raises BudgetError, UsageError without predicted losses.
        """
        pool = snapshot.pool
        pool.check_budget(budget)
        predicted_loss = snapshot.require("predicted_loss")
        candidates = pool.unlabelled
        if self.sub_pool is not None:
            size = min(len(candidates), max(self.sub_pool, budget))
            candidates = np.sort(rng.choice(candidates, size, replace=False))
        return highest(predicted_loss, candidates, budget)

    def scores(self, snapshot: Snapshot, chosen: Ids, rng: np.random.Generator) -> Array:
        """Return the predicted loss of each pick (B)."""
        return snapshot.require("predicted_loss")[chosen]
