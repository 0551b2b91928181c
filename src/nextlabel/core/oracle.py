"""Oracles: sources of labels, which are a simulation or a person."""

from dataclasses import dataclass
from typing import Protocol

from nextlabel.core.types import Ids, Labels


class Oracle(Protocol):
    """A source of labels; a person's raises AnswersPending until all answers are there."""

    def __call__(self, ids: Ids) -> Labels:
        """Return the labels of `ids`, in their order."""
        ...


@dataclass(frozen=True, eq=False)
class Reveal:
    """An oracle of known labels, for a simulation.

    Parameters
    ----------
    labels
        The labels of all images: class numbers (N), or findings (N, K).

    Examples
    --------
    >>> import numpy as np
    >>> from nextlabel import Reveal
    >>> Reveal(np.array([7, 8, 9]))(np.array([2, 0]))
    array([9, 7])

    """

    labels: Labels

    def __call__(self, ids: Ids) -> Labels:
        """Return the labels of `ids`, in their order."""
        return self.labels[ids]
