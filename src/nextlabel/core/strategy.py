"""Strategies: selection heuristics as pure functions of a snapshot."""

from typing import Protocol, runtime_checkable

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Ids


@runtime_checkable
class Strategy(Protocol):
    """Chooses the next batch; `needs` names the signals to compute for it, and no others."""

    @property
    def needs(self) -> frozenset[str]:
        """The signals that `select` reads."""
        ...

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return the ids of the images to label next.

        Parameters
        ----------
        snapshot : Snapshot
            All that a strategy may see: the pool, and the signals named in `needs`, read-only.
        budget : int
            The number of images to choose, from 0 to the number of unlabelled ones.
        rng : numpy.random.Generator
            The only source of random numbers.

        Returns
        -------
        int64 array (budget)
            Distinct unlabelled ids, in the order of choice.

        Raises
        ------
        BudgetError
            The budget is negative or exceeds the unlabelled images.
        """
        ...
