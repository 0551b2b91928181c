"""Entropy: where the predicted distribution is the broadest."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Ids, Signal
from nextlabel.kernels.ranking import highest
from nextlabel.kernels.uncertainty import entropy
from nextlabel.strategies import register


@register("entropy")
@dataclass(frozen=True)
class Entropy:
    """Highest Shannon entropy -Σ p log p; multi-label: highest mean of the binary entropies.

    Settles, Active learning literature survey, 2009.
    """

    needs: ClassVar[frozenset[Signal]] = frozenset({"probabilities"})
    prefix: ClassVar[bool] = True

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return the `budget` most entropic unlabelled ids, int64; ties to the smallest id.

        Raises BudgetError, UsageError without probabilities, DataError where they are none.
        """
        snapshot.pool.check_budget(budget)
        snapshot.require("probabilities")
        assert snapshot.probabilities is not None
        scores = entropy(snapshot.probabilities, snapshot.task)
        return highest(scores, snapshot.pool.unlabelled, budget)
