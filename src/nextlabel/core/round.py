"""One turn of Algorithm 1: what was chosen and what it gave."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nextlabel.core.learner import Metrics, Training
from nextlabel.core.types import Ids


@dataclass(frozen=True, eq=False)
class Round:
    """A point (|L|, a) of the curve; round 0 is the initial set.

    `chosen` are the ids labelled just before this round's training, in order. `seconds` by phase
    and `peak_memory` (bytes, of the process so far) are records, not identity.
    """

    number: int
    labelled_count: int
    chosen: Ids
    metrics: Metrics
    training: Training
    seconds: Mapping[str, float] = field(default_factory=dict)
    peak_memory: int = 0

    @property
    def identity(self) -> tuple[object, ...]:
        """What must be equal for two rounds to count as the same."""
        metrics = tuple(sorted(self.metrics.items()))
        return self.number, self.labelled_count, tuple(self.chosen.tolist()), metrics, self.training
