"""Events of a running experiment, in the order in which they happen."""

from dataclasses import dataclass
from typing import TypeAlias

from nextlabel.core.round import Round


@dataclass(frozen=True)
class ExperimentReady:
    """The data are loaded and the trials are in the store; `pending` of `trials` are to run.

    `where` says where, in one sentence; it is empty for processes of this machine.
    """

    trials: int
    pending: int
    where: str = ""


@dataclass(frozen=True)
class TrialStarted:
    """A trial starts, or continues after `rounds_done` stored rounds of `rounds_total`."""

    arm: str
    seed: int
    key: str
    rounds_done: int
    rounds_total: int


@dataclass(frozen=True)
class TrialPlaced:
    """A worker of a cluster, named by its address, has begun with a trial."""

    arm: str
    seed: int
    key: str
    worker: str


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
    """A trial gave a warning; each text is reported once per run."""

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
class WaitingForOthers:
    """The trials that are left are those of other drivers, named HOST/PID/RANDOM."""

    trials: int
    drivers: tuple[str, ...]


@dataclass(frozen=True)
class TrialFailed:
    """A trial stopped with an error; the other trials continue."""

    arm: str
    seed: int
    key: str
    error: str


Event: TypeAlias = (
    WaitingForOthers
    | ExperimentReady
    | TrialStarted
    | TrialPlaced
    | RoundDone
    | TrialWarned
    | TrialDone
    | TrialFailed
)
