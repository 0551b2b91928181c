"""Margin: where the two best answers are the closest."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Ids, Signal
from nextlabel.kernels.ranking import highest
from nextlabel.kernels.uncertainty import margin
from nextlabel.strategies import register


@register("margin")
@dataclass(frozen=True)
class Margin:
    """Lowest difference of the two highest p; multi-label: lowest mean |2p - 1|.

    Scheffer et al., Active hidden Markov models for information extraction, 2001.
    """

    needs: ClassVar[frozenset[Signal]] = frozenset({"probabilities"})
    prefix: ClassVar[bool] = True

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return the `budget` unlabelled ids of least margin, int64; ties to the smallest id.

        Raises BudgetError, UsageError without probabilities, DataError where they are none.
        """
        snapshot.pool.check_budget(budget)
        snapshot.require("probabilities")
        assert snapshot.probabilities is not None
        scores = -margin(snapshot.probabilities, snapshot.task)
        return highest(scores, snapshot.pool.unlabelled, budget)
