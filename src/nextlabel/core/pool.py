"""The state of labelling: the ids of the images that are labelled, excluded and neither."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from nextlabel.core.errors import AlreadyLabelled, BudgetError, UnknownId, UsageError
from nextlabel.core.types import Ids, as_ids


def _empty() -> Ids:
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Pool:
    """The labelled images of a pool, in labelling order, and those that a person has excluded.

    Parameters
    ----------
    size
        The number of images, N.
    labelled
        Ids in labelling order, int64.
    excluded
        Ids that may never be chosen, int64.

    Raises
    ------
    UsageError
        `size` is not a whole number of at least 0.
    UnknownId
        An id is outside 0 … N - 1.
    AlreadyLabelled
        An id is listed twice.

    """

    size: int
    labelled: Ids = field(default_factory=_empty)
    excluded: Ids = field(default_factory=_empty)

    def __post_init__(self) -> None:
        size = self.size
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 0:
            raise UsageError(
                f"size {size!r} is not a whole number of at least 0; give the number of images",
                code="bad-pool-size",
            )
        for name in ("labelled", "excluded"):
            ids = as_ids(getattr(self, name), self.size).copy()
            ids.flags.writeable = False
            object.__setattr__(self, name, ids)
        both = np.concatenate([self.labelled, self.excluded])
        outside = both[(both < 0) | (both >= self.size)]
        if outside.size:
            raise UnknownId(
                f"id {outside[0]} is outside the pool of {self.size} images; "
                f"ids run from 0 to {self.size - 1}",
                code="id-outside-pool",
            )
        ids, counts = np.unique(both, return_counts=True)
        if (counts > 1).any():
            repeated = counts > 1
            raise AlreadyLabelled(
                f"id {ids[repeated][0]} is listed {counts[repeated][0]} times among the labelled "
                "and excluded; name each id once",
                code="id-listed-twice",
            )

    @classmethod
    def random(cls, size: int, initial: int, rng: np.random.Generator) -> "Pool":
        """Label images drawn without replacement (Algorithm 1, lines 1-2).

        Parameters
        ----------
        size : int
            The number of images.
        initial : int
            The number of images to label.
        rng : numpy.random.Generator
            The source of the draws.

        Returns
        -------
        Pool
            The pool with `initial` labelled images.

        Raises
        ------
        BudgetError
            `initial` exceeds `size`.
        """
        if initial > size:
            raise BudgetError(
                f"initial {initial} exceeds the pool of {size} images; lower initial to {size}",
                code="initial-too-large",
            )
        return cls(size, rng.choice(size, initial, replace=False).astype(np.int64))

    @cached_property
    def unlabelled(self) -> Ids:
        """Ids that may be chosen, ascending, int64, read-only."""
        free = np.ones(self.size, bool)
        free[self.labelled] = False
        free[self.excluded] = False
        ids = np.flatnonzero(free)
        ids.flags.writeable = False
        return ids

    @cached_property
    def included(self) -> Ids:
        """Ids that are not excluded, labelled or not, ascending, int64, read-only."""
        ids = np.delete(np.arange(self.size, dtype=np.int64), self.excluded)
        ids.flags.writeable = False
        return ids

    @property
    def labelled_count(self) -> int:
        """The number of labelled images."""
        return len(self.labelled)

    def label(self, chosen: Ids) -> "Pool":
        """Return the pool with `chosen` labelled as well.

        Parameters
        ----------
        chosen : int64 array (n)
            Unlabelled ids, in labelling order.

        Returns
        -------
        Pool
            The new pool; this one stays as it is.

        Raises
        ------
        UnknownId
            An id is outside the pool.
        AlreadyLabelled
            An id is labelled, excluded or listed twice.
        """
        return Pool(self.size, np.concatenate([self.labelled, as_ids(chosen)]), self.excluded)

    def exclude(self, ids: Ids) -> "Pool":
        """Return the pool without `ids` among those that may be chosen.

        Parameters
        ----------
        ids : int64 array (n)
            Unlabelled ids, for example of images that a person skipped.

        Returns
        -------
        Pool
            The new pool; this one stays as it is.

        Raises
        ------
        UnknownId
            An id is outside the pool.
        AlreadyLabelled
            An id is labelled, excluded or listed twice.
        """
        return Pool(self.size, self.labelled, np.concatenate([self.excluded, as_ids(ids)]))

    def check_budget(self, budget: int) -> None:
        """Check that a budget can be met.

        Parameters
        ----------
        budget : int
            The number of images to choose.

        Raises
        ------
        BudgetError
            The budget is not a whole number from 0 to the number of unlabelled images.
        """
        free = len(self.unlabelled)
        if isinstance(budget, bool) or not isinstance(budget, int | np.integer):
            raise BudgetError(
                f"budget {budget!r} is not a whole number; give 0 to {free}",
                code="budget-not-whole",
            )
        if budget < 0:
            raise BudgetError(
                f"budget {budget} is negative; give 0 to {free}", code="budget-negative"
            )
        if budget > free:
            raise BudgetError(
                f"budget {budget} exceeds the {free} unlabelled images; "
                f"lower the budget to {free} or add images",
                code="budget-too-large",
            )
