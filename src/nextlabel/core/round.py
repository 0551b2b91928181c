"""Rounds of Algorithm 1."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nextlabel.core.learner import Metrics, Training
from nextlabel.core.types import Ids


@dataclass(frozen=True, eq=False)
class Round:
    """One round: the chosen images, the training, and the metrics afterwards.

    Parameters
    ----------
    number
        The number of the round; 0 is the initial set.
    labelled_count
        The number of labelled images, those of this round included.
    chosen
        The ids labelled before this round's training, int64, in order.
    metrics
        Metrics by name, such as "validation/accuracy".
    training
        The record of the training.
    seconds
        Seconds by phase.
    peak_memory
        The most memory of the process so far, in bytes.

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
        """The values that are equal in two rounds that count as the same."""
        metrics = tuple(sorted(self.metrics.items()))
        return self.number, self.labelled_count, tuple(self.chosen.tolist()), metrics, self.training
