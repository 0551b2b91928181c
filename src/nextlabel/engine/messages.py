"""Messages from the process that runs a trial to the driver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from nextlabel.core.round import Round
from nextlabel.core.types import Ids


@dataclass(frozen=True)
class PlacedMessage:
    """The trial has begun on a worker of a cluster, named by its address."""

    worker: str


@dataclass(frozen=True)
class EnvironmentMessage:
    """Hardware, versions and initial weights of a trial; comes before its first round."""

    environment: Mapping[str, Any]


@dataclass(frozen=True)
class WarningMessage:
    """The text of a Python warning."""

    warning: str


@dataclass(frozen=True)
class BlockMessage:
    """Numbers per epoch and pictures (PNG bytes by kind) of a fitted feature block."""

    block: str
    log: Sequence[Mapping[str, float]]
    pictures: Mapping[str, bytes]


@dataclass(frozen=True, eq=False)
class RoundMessage:
    """A finished round and its pictures (PNG bytes by kind)."""

    round: Round
    pictures: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class PicksMessage:
    """The ids that the arm would label after its last round."""

    ids: Ids


@dataclass(frozen=True)
class DoneMessage:
    """The trial has reached its target; nothing follows."""


@dataclass(frozen=True)
class FailedMessage:
    """The trial stopped with an error; nothing follows."""

    error: str
    traceback: str = ""


@dataclass(frozen=True)
class LostMessage:
    """The worker died before the trial ended; nothing follows. `reason` contains the remedy.

    A loss that cannot be the trial's fault, such as that of the scheduler, does not count.
    """

    reason: str
    counts: bool = True


Message: TypeAlias = (
    PlacedMessage
    | EnvironmentMessage
    | WarningMessage
    | BlockMessage
    | RoundMessage
    | PicksMessage
    | DoneMessage
    | FailedMessage
    | LostMessage
)
LastMessage: TypeAlias = DoneMessage | FailedMessage | LostMessage
