"""Who is labelled: no labels, no images."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from nextlabel.core.errors import AlreadyLabelled, BudgetError, UnknownId
from nextlabel.core.types import Ids, as_ids


def _empty() -> Ids:
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Pool:
    """Which of `size` images are labelled (in labelling order) and which a person has excluded.

    Raises UnknownId for an id outside 0 … size - 1, AlreadyLabelled for one that stands twice.
    """

    size: int
    labelled: Ids = field(default_factory=_empty)
    excluded: Ids = field(default_factory=_empty)

    def __post_init__(self) -> None:
        for name in ("labelled", "excluded"):
            ids = as_ids(getattr(self, name)).copy()
            ids.flags.writeable = False
            object.__setattr__(self, name, ids)
        both = np.concatenate([self.labelled, self.excluded])
        outside = both[(both < 0) | (both >= self.size)]
        if outside.size:
            raise UnknownId(
                f"id {outside[0]} is outside the pool of {self.size} images; "
                f"ids run from 0 to {self.size - 1}"
            )
        ids, counts = np.unique(both, return_counts=True)
        if (counts > 1).any():
            raise AlreadyLabelled(
                f"id {ids[counts > 1][0]} stands {counts.max()} times among the labelled and "
                "excluded; name each id once"
            )

    @classmethod
    def random(cls, size: int, initial: int, rng: np.random.Generator) -> "Pool":
        """Label `initial` of `size` images, drawn without replacement (Algorithm 1, lines 1-2)."""
        if initial > size:
            raise BudgetError(
                f"initial {initial} exceeds the pool of {size} images; lower initial to {size}"
            )
        return cls(size, rng.choice(size, initial, replace=False).astype(np.int64))

    @cached_property
    def unlabelled(self) -> Ids:
        """Ids that may be chosen, ascending, int64."""
        free = np.ones(self.size, bool)
        free[self.labelled] = False
        free[self.excluded] = False
        ids = np.flatnonzero(free)
        ids.flags.writeable = False
        return ids

    @property
    def labelled_count(self) -> int:
        """How many images are labelled."""
        return len(self.labelled)

    def label(self, chosen: Ids) -> "Pool":
        """Return the pool with `chosen` labelled as well.

        Raises UnknownId, or AlreadyLabelled when an id is labelled, excluded or stands twice.
        """
        return Pool(self.size, np.concatenate([self.labelled, as_ids(chosen)]), self.excluded)

    def exclude(self, ids: Ids) -> "Pool":
        """Return the pool with `ids` never to be chosen, because a person skipped them."""
        return Pool(self.size, self.labelled, np.concatenate([self.excluded, as_ids(ids)]))

    def check_budget(self, budget: int) -> None:
        """Raise BudgetError unless 0 <= budget <= the number of unlabelled images, and whole."""
        free = len(self.unlabelled)
        if isinstance(budget, bool) or not isinstance(budget, int | np.integer):
            raise BudgetError(f"budget {budget!r} is no whole number; ask for 0 to {free} images")
        if budget < 0:
            raise BudgetError(f"budget {budget} is negative; ask for 0 to {free} images")
        if budget > free:
            raise BudgetError(
                f"budget {budget} exceeds the {free} unlabelled images; "
                f"lower the budget to {free} or add images"
            )
