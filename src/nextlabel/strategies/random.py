"""Random: the baseline that everything else must beat."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Ids
from nextlabel.strategies import register


@register("random")
@dataclass(frozen=True)
class Random:
    """Any unlabelled image, with equal probability."""

    needs: ClassVar[frozenset[str]] = frozenset()
    prefix: ClassVar[bool] = True

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return the first `budget` ids, int64, of a random permutation of the unlabelled.

        Raises BudgetError.
        """
        snapshot.pool.check_budget(budget)
        free = snapshot.pool.unlabelled
        return free[rng.permutation(len(free))[:budget]]
