"""What the store says of trials and their pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True)
class TrialRecord:
    """What identifies a trial: `key` is the sha256 of what decides its outcome."""

    key: str
    arm: str
    seed: int
    spec: Mapping[str, Any]


@dataclass(frozen=True)
class TrialState:
    """What is known of a trial; `status` is pending, running, done or failed.

    `labelled_count` is that of the last round, 0 when there is none. A trial whose process was
    killed still says `running`.
    """

    record: TrialRecord
    status: str
    labelled_count: int
    rounds: int
    error: str | None
    environment: Mapping[str, Any]
    initial_hash: str | None
    traceback: str = ""


class Picture(NamedTuple):
    """A PNG of a round (`number`) or of a feature block (`block`)."""

    number: int | None
    block: str | None
    kind: str
    png: bytes
