"""UHerding: the images that represent best what the model is unsure of."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Ids, Signal
from nextlabel.kernels.coverage.bandwidth import closest_pair, neighbour_distance
from nextlabel.kernels.coverage.max_herding import max_herding
from nextlabel.kernels.uncertainty import margin
from nextlabel.strategies import register
from nextlabel.strategies.max_herding import check_bandwidth


@register("uherding")
@dataclass(frozen=True)
class UHerding:
    """MaxHerding with each image weighted by 1 - margin; multi-label: by the mean 1 - |2p - 1|.

    `bandwidth` is "labelled", the paper's: the smallest distance above 0 between two labelled
    images, which falls as labels come in and so turns coverage of the space into uncertainty;
    with fewer than two distinct labelled images there is none, and "neighbour" stands in:
    MaxHerding's σ, the same in every round. Or it is a distance. The paper also calibrates the
    temperature on held-out labels; a strategy sees none, so probabilities are taken as they are.
    Bae et al., Uncertainty herding: one active learning method for all label budgets, 2024,
    https://arxiv.org/abs/2412.20644
    """

    bandwidth: str | float = "labelled"

    needs: ClassVar[frozenset[Signal]] = frozenset({"features", "probabilities"})
    prefix: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_bandwidth(self.bandwidth, ("labelled", "neighbour"))

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return `budget` unlabelled ids, int64, each covering most doubt; ties: smallest id.

        Where the model is sure of everything all tie. Raises BudgetError, UsageError without
        features or probabilities, DataError for bad probabilities.
        """
        pool = snapshot.pool
        pool.check_budget(budget)
        snapshot.require("features")
        snapshot.require("probabilities")
        assert snapshot.probabilities is not None
        weights = np.maximum(1 - margin(snapshot.probabilities, snapshot.task), 0)
        return max_herding(
            snapshot.features,
            pool.labelled,
            budget,
            self._width(snapshot),
            weights=weights,
            excluded=pool.excluded,
        )

    def _width(self, snapshot: Snapshot) -> float:
        pool = snapshot.pool
        if not isinstance(self.bandwidth, str):
            return float(self.bandwidth)
        if self.bandwidth == "labelled" and (
            width := closest_pair(snapshot.features, pool.labelled)
        ):
            return width
        ids = np.setdiff1d(np.arange(pool.size), pool.excluded)
        return neighbour_distance(snapshot.features, ids)
