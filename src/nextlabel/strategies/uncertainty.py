"""Uncertainty: entropy, margin and least confidence of the predicted probabilities."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Array, Ids, Task
from nextlabel.kernels import uncertainty
from nextlabel.kernels.ranking import highest
from nextlabel.strategies import register


class _Measure(Protocol):
    def __call__(self, probabilities: Array, task: Task, /) -> Array: ...


class _ByProbabilities:
    """The images whose probabilities give the lowest or the highest number."""

    needs: ClassVar[frozenset[str]] = frozenset({"probabilities"})
    prefix: ClassVar[bool] = True
    measure: ClassVar[_Measure]
    """From probabilities (N, K) to a number per image (N)."""
    sign: ClassVar[int] = -1
    """1 where the highest numbers are picked, and -1 where the lowest are."""

    def scores(self, snapshot: Snapshot, chosen: Ids, rng: np.random.Generator) -> Array:
        """Return the number of each pick (B)."""
        return self.measure(snapshot.require("probabilities"), snapshot.task)[chosen]

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return the `budget` unlabelled ids to pick, int64; ties go to the smallest id.

        Raises BudgetError, UsageError without probabilities, DataError for bad probabilities.
        """
        snapshot.pool.check_budget(budget)
        numbers = self.measure(snapshot.require("probabilities"), snapshot.task)
        return highest(self.sign * numbers, snapshot.pool.unlabelled, budget)


@register("entropy")
@dataclass(frozen=True)
class Entropy(_ByProbabilities):
    """Highest entropy of the predicted probabilities.

    The entropy is Shannon's, -Σ p log p; multi-label: the mean of the binary entropies. Settles,
    Active learning literature survey, 2009.
    """

    score: ClassVar[str] = "entropy, in nats"
    measure = staticmethod(uncertainty.entropy)
    sign: ClassVar[int] = 1


@register("margin")
@dataclass(frozen=True)
class Margin(_ByProbabilities):
    """Lowest difference between the two highest predicted probabilities.

    Multi-label: the lowest mean |2p - 1| over the classes. Scheffer et al., Active hidden Markov
    models for information extraction, 2001.
    """

    score: ClassVar[str] = "margin; the lowest are picked"
    measure = staticmethod(uncertainty.margin)


@register("least_confidence")
@dataclass(frozen=True)
class LeastConfidence(_ByProbabilities):
    """Lowest probability of the most probable class.

    Multi-label: the lowest mean of max(p, 1 - p) over the classes. That mean gives the order of the
    margin, mean |2p - 1|: max(p, 1 - p) is (1 + |2p - 1|) / 2. Lewis & Gale, A sequential algorithm
    for training text classifiers, 1994.
    """

    score: ClassVar[str] = "confidence; the lowest are picked"
    measure = staticmethod(uncertainty.confidence)
