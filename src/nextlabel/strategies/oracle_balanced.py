"""Oracle, balanced: equal random draws by true class, a ceiling for what balance can gain."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Ids, Task
from nextlabel.kernels.even_draws import even_draws
from nextlabel.strategies import register


@register("oracle_balanced")
@dataclass(frozen=True)
class OracleBalanced:
    """Random images, equally many of each true class: a ceiling, in simulations only.

    Each pick is a random image of a class with the fewest labelled and picked images. It reads the
    labels that other strategies never get, so it cannot choose among images without labels. The
    difference between it and `random` is what a perfect balance of classes gains.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"true_labels"})
    tasks: ClassVar[tuple[Task, ...]] = ("multiclass",)

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return `budget` unlabelled ids, int64, in the order of the draws.

        `rng` draws. Raises BudgetError, UsageError without true labels.
        """
        pool = snapshot.pool
        pool.check_budget(budget)
        classes = snapshot.require("true_labels")
        ids = pool.included
        free = np.isin(ids, pool.unlabelled)
        return ids[even_draws(classes[ids], free, budget, rng)]
