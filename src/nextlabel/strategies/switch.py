"""Two strategies one after the other: the option `then`, which every strategy has."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

import numpy as np

from nextlabel.core.errors import UsageError, nearest
from nextlabel.core.pool import Pool
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.strategy import Scored, Strategy, needs_now
from nextlabel.core.types import Array, Ids, Task
from nextlabel.strategies.options import set_option, whole

KEYS = ("after", "strategy", "options")


@dataclass(frozen=True)
class Switch:
    """The first strategy until `after` images are labelled, then the second.

    A batch that passes `after` is divided: the second strategy chooses its rest, with the images
    of the first counted as labelled. So the first chooses `after` images.
    """

    first: Strategy
    """The strategy for the first images."""
    second: Strategy
    """The strategy for all others."""
    after: int
    """The number of labelled images at which the strategy changes."""

    def __post_init__(self) -> None:
        set_option(self, "after", whole("after", self.after))

    score: ClassVar[str] = "the score of the strategy that chose the image"

    @property
    def needs(self) -> frozenset[str]:
        """The signals of both."""
        return self.first.needs | self.second.needs

    @property
    def prefix(self) -> bool:
        """True when both begin a larger budget's picks with a smaller one's."""
        return all(getattr(each, "prefix", False) for each in (self.first, self.second))

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that both can do."""
        both = [getattr(each, "tasks", get_args(Task)) for each in (self.first, self.second)]
        return tuple(task for task in both[0] if task in both[1])

    @property
    def cold(self) -> bool:
        """True when the first can begin without labels."""
        return bool(getattr(self.first, "cold", True))

    def needs_now(self, pool: Pool, budget: int) -> frozenset[str]:
        """Return the signals of the one or the two that choose for this pool and budget.

        Parameters
        ----------
        pool : Pool
            The pool to choose from.
        budget : int
            The number of images to choose.

        Returns
        -------
        frozenset of str
            Names of signals.
        """
        begin, rest = self._shares(pool, budget)
        if not begin:
            return needs_now(self.second, pool, rest)
        needs = needs_now(self.first, pool, begin)
        # The second begins with the labels of the first, whose ids come only with its choice.
        return needs | self.second.needs if rest else needs

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return `budget` unlabelled ids, int64: those of the first strategy, then the second's.

        Raises BudgetError, and what the strategies raise.
        """
        pool = snapshot.pool
        pool.check_budget(budget)
        begin, rest = self._shares(pool, budget)
        if not begin:
            return self.second.select(snapshot, rest, rng)
        chosen = self.first.select(snapshot, begin, rng)
        if not rest:
            return chosen
        after = snapshot.with_pool(pool.label(chosen))
        return np.concatenate([chosen, self.second.select(after, rest, rng)])

    def scores(self, snapshot: Snapshot, chosen: Ids, rng: np.random.Generator) -> Array:
        """Return the score (B) of each pick by the strategy that chose it; NaN if it has none."""
        begin, rest = self._shares(snapshot.pool, len(chosen))
        first, second = chosen[:begin], chosen[begin:]
        state = copy.deepcopy(rng)
        scores = [scores_of(self.first, snapshot, first, rng)]
        if rest:
            if begin:
                self.first.select(snapshot, begin, state)  # the draws before those of the second
                snapshot = snapshot.with_pool(snapshot.pool.label(first))
            scores.append(scores_of(self.second, snapshot, second, state))
        return np.concatenate(scores)

    def _shares(self, pool: Pool, budget: int) -> tuple[int, int]:
        """Return how many images each of the two chooses."""
        begin = min(max(self.after - pool.labelled_count, 0), budget)
        return begin, budget - begin


def scores_of(
    strategy: Strategy, snapshot: Snapshot, chosen: Ids, rng: np.random.Generator
) -> Array:
    """Return the scores (B) of picks, NaN where the strategy has none."""
    if not len(chosen) or not isinstance(strategy, Scored):
        return np.full(len(chosen), np.nan)
    return strategy.scores(snapshot, chosen, rng)


def switched(
    first: Strategy, then: object, create: Callable[[str, Mapping[str, Any]], Strategy]
) -> Switch:
    """Return `first` followed by what the option `then` says.

    Parameters
    ----------
    first
        The strategy for the first images.
    then
        A table such as {"after": 10, "strategy": "margin"}; "options" are those of that strategy.
    create
        Makes a strategy of a name and options.

    Raises
    ------
    UsageError
        `then` is not such a table, or a strategy or an option in it is refused.
    """
    example = 'write then = { after = 10, strategy = "margin" }'
    if not isinstance(then, Mapping):
        raise UsageError(f"then {then!r} is not a table; {example}", code="then-not-a-table")
    for key in then:
        if key not in KEYS:
            raise UsageError(
                f"then has no key {key!r}; {nearest(str(key), KEYS)}", code="unknown-key"
            )
    for key in ("after", "strategy"):
        if key not in then:
            raise UsageError(f"then lacks {key!r}; {example}", code="then-incomplete")
    return Switch(first, create(then["strategy"], then.get("options", {})), then["after"])
