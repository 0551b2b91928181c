"""Who answers: the one difference between a simulation and a person."""

from dataclasses import dataclass
from typing import Protocol

from nextlabel.core.types import Ids, Labels


class Oracle(Protocol):
    """Gives the labels of ids, shape (n,) or (n, K); a person's raises AnswersPending."""

    def __call__(self, ids: Ids) -> Labels:
        """Return the labels of `ids`, in their order."""
        ...


@dataclass(frozen=True, eq=False)
class Reveal:
    """Simulation: the labels are known and revealed when asked for."""

    labels: Labels

    def __call__(self, ids: Ids) -> Labels:
        """Return the labels of `ids`, in their order."""
        return self.labels[ids]
