"""Least confidence: where the answer that would be given is the least probable."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Ids, Signal
from nextlabel.kernels.ranking import highest
from nextlabel.kernels.uncertainty import confidence
from nextlabel.strategies import register


@register("least_confidence")
@dataclass(frozen=True)
class LeastConfidence:
    """Lowest max p; multi-label: lowest mean of max(p, 1 - p) over the findings.

    The multi-label mean gives the order of the margin, mean |2p - 1|: max(p, 1 - p) is
    (1 + |2p - 1|) / 2. Lewis & Gale, A sequential algorithm for training text classifiers, 1994.
    """

    needs: ClassVar[frozenset[Signal]] = frozenset({"probabilities"})
    prefix: ClassVar[bool] = True

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return the `budget` least confident unlabelled ids, int64; ties to the smallest id.

        Raises BudgetError, UsageError without probabilities, DataError where they are none.
        """
        snapshot.pool.check_budget(budget)
        snapshot.require("probabilities")
        assert snapshot.probabilities is not None
        scores = -confidence(snapshot.probabilities, snapshot.task)
        return highest(scores, snapshot.pool.unlabelled, budget)
