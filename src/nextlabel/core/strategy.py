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
        """Return `budget` distinct unlabelled ids, in the order of choice."""
        ...
