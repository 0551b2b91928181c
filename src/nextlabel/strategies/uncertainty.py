"""Uncertainty: entropy, margin and least confidence of the predicted probabilities."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Array, Ids
from nextlabel.kernels import uncertainty
from nextlabel.kernels.ranking import highest
from nextlabel.strategies import register


@register("entropy")
@dataclass(frozen=True)
class Entropy:
    """Highest entropy of the predicted probabilities.

    The entropy is Shannon's, -Σ p log p; multi-label: the mean of the binary entropies. Settles,
    Active learning literature survey, 2009.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"probabilities"})
    prefix: ClassVar[bool] = True
    score: ClassVar[str] = "entropy, in nats"

    def scores(self, snapshot: Snapshot, chosen: Ids, rng: np.random.Generator) -> Array:
        """Return the entropy of each pick (B)."""
        return uncertainty.entropy(snapshot.require("probabilities"), snapshot.task)[chosen]

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return the `budget` unlabelled ids of highest entropy, int64; ties to the smallest id.

        Raises BudgetError, UsageError without probabilities, DataError for bad probabilities.
        """
        probabilities = _probabilities(snapshot, budget)
        scores = uncertainty.entropy(probabilities, snapshot.task)
        return highest(scores, snapshot.pool.unlabelled, budget)


@register("margin")
@dataclass(frozen=True)
class Margin:
    """Lowest difference between the two highest predicted probabilities.

    Multi-label: the lowest mean |2p - 1| over the classes. Scheffer et al., Active hidden Markov
    models for information extraction, 2001.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"probabilities"})
    prefix: ClassVar[bool] = True
    score: ClassVar[str] = "margin; the lowest are picked"

    def scores(self, snapshot: Snapshot, chosen: Ids, rng: np.random.Generator) -> Array:
        """Return the margin of each pick (B)."""
        return uncertainty.margin(snapshot.require("probabilities"), snapshot.task)[chosen]

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return the `budget` unlabelled ids of least margin, int64; ties to the smallest id.

        Raises BudgetError, UsageError without probabilities, DataError for bad probabilities.
        """
        probabilities = _probabilities(snapshot, budget)
        scores = -uncertainty.margin(probabilities, snapshot.task)
        return highest(scores, snapshot.pool.unlabelled, budget)


@register("least_confidence")
@dataclass(frozen=True)
class LeastConfidence:
    """Lowest probability of the most probable class.

    Multi-label: the lowest mean of max(p, 1 - p) over the classes. That mean gives the order of the
    margin, mean |2p - 1|: max(p, 1 - p) is (1 + |2p - 1|) / 2. Lewis & Gale, A sequential algorithm
    for training text classifiers, 1994.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"probabilities"})
    prefix: ClassVar[bool] = True
    score: ClassVar[str] = "confidence; the lowest are picked"

    def scores(self, snapshot: Snapshot, chosen: Ids, rng: np.random.Generator) -> Array:
        """Return the confidence of each pick (B)."""
        return uncertainty.confidence(snapshot.require("probabilities"), snapshot.task)[chosen]

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
        """Return the `budget` least confident unlabelled ids, int64; ties to the smallest id.

        Raises BudgetError, UsageError without probabilities, DataError for bad probabilities.
        """
        probabilities = _probabilities(snapshot, budget)
        scores = -uncertainty.confidence(probabilities, snapshot.task)
        return highest(scores, snapshot.pool.unlabelled, budget)


def _probabilities(snapshot: Snapshot, budget: int) -> Array:
    """Return the probabilities (N, K), after the budget is checked."""
    snapshot.pool.check_budget(budget)
    return snapshot.require("probabilities")
