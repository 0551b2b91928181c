"""Strategies: selection heuristics as pure functions of a snapshot."""

from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

from nextlabel.core.pool import Pool
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Array, Ids


@runtime_checkable
class Strategy(Protocol):
    """A way of choosing the next batch; `needs` names the signals to compute for it, and no others.

    A strategy that needs less for some pools, such as one that begins without a model, may have a
    method `needs_now(pool, budget)` that names the signals for one choice.
    """

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


@runtime_checkable
class Scored(Strategy, Protocol):
    """A strategy that scores its picks: by the value that made each the best when it was picked."""

    score: ClassVar[str]
    """The score in a few words, such as "entropy, in nats"."""

    def scores(self, snapshot: Snapshot, chosen: Ids, rng: np.random.Generator) -> Array:
        """Return the score of each pick.

        Parameters
        ----------
        snapshot : Snapshot
            The snapshot that `select` chose from.
        chosen : int64 array (B)
            The ids that it returned.
        rng : numpy.random.Generator
            A generator in the state in which `select` got it.

        Returns
        -------
        float array (B)
            NaN for a pick that has no score, such as the first with nothing labelled.
        """
        ...


def needs_now(strategy: Strategy, pool: Pool, budget: int) -> frozenset[str]:
    """Return the signals that a strategy reads to choose `budget` images of a pool."""
    narrow = getattr(strategy, "needs_now", None)
    needs: frozenset[str] = strategy.needs if narrow is None else narrow(pool, budget)
    return needs
