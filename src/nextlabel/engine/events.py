"""What a running experiment reports, in order; whoever consumes it draws or prints."""

from dataclasses import dataclass
from typing import TypeAlias

from nextlabel.core.round import Round


@dataclass(frozen=True)
class ExperimentReady:
    """The data are loaded and the trials enrolled; `pending` of `trials` are still to run."""

    trials: int
    pending: int


@dataclass(frozen=True)
class TrialStarted:
    """A trial begins, or goes on after `rounds_done` rounds known from before."""

    arm: str
    seed: int
    key: str
    rounds_done: int
    rounds_total: int


@dataclass(frozen=True, eq=False)
class RoundDone:
    """A round is in the store."""

    arm: str
    seed: int
    key: str
    round: Round
    rounds_total: int


@dataclass(frozen=True)
class TrialWarned:
    """Something in a trial deserves a look; the same words are reported once in a run."""

    arm: str
    seed: int
    key: str
    warning: str


@dataclass(frozen=True)
class TrialDone:
    """A trial has reached its target."""

    arm: str
    seed: int
    key: str


@dataclass(frozen=True)
class TrialFailed:
    """A trial stopped; the others go on."""

    arm: str
    seed: int
    key: str
    error: str


Event: TypeAlias = (
    ExperimentReady | TrialStarted | RoundDone | TrialWarned | TrialDone | TrialFailed
)
