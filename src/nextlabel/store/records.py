"""Records that the store returns: trials, data sets and pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from nextlabel.core.types import Part


@dataclass(frozen=True)
class TrialRecord:
    """The identity of a trial: `key` is the sha256 of `spec`, which decides its rounds."""

    key: str
    arm: str
    seed: int
    spec: Mapping[str, Any]


@dataclass(frozen=True)
class TrialState:
    """The state of a trial; `status` is pending, running, done or failed.

    `labelled_count` is that of the last round, 0 when there is none. A trial whose process was
    killed is still `running` here; the lock of the store tells whether a run is alive.
    """

    record: TrialRecord
    status: str
    labelled_count: int
    rounds: int
    error: str | None
    environment: Mapping[str, Any]
    initial_hash: str | None
    traceback: str = ""


@dataclass(frozen=True)
class PartRecord:
    """A part of a data set.

    Parameters
    ----------
    images : int
        Number of images.
    per_class : tuple of int
        Number of images of each class, in the order of the classes; an image of multi-label data
        counts once for each of its classes. Images without a label are not counted.
    """

    images: int
    per_class: tuple[int, ...]


@dataclass(frozen=True)
class DataRecord:
    """A data set as experiments used it, for reports and lists of picks.

    Parameters
    ----------
    checksum : str
        `Dataset.checksum`.
    name : str
        Name of the data set; of a folder, the folder's own name.
    task : str
        "multiclass" or "multilabel".
    classes : tuple of str
        Names of the classes.
    parts : mapping of part to PartRecord
        "train" (the pool), "validation" and "test".
    names : tuple of str, or None
        File name of each image of the pool, by id; None when the source has none.
    labels : tuple
        Label of each image of the pool, by id: a class number, or one 0 or 1 per class; -1 where
        unknown.
    """

    checksum: str
    name: str
    task: str
    classes: tuple[str, ...]
    parts: Mapping[Part, PartRecord]
    names: tuple[str, ...] | None
    labels: tuple[int | tuple[int, ...], ...]

    def classes_of(self, image: int) -> tuple[str, ...]:
        """Return the names of an image's true classes; empty when none is known."""
        label = self.labels[image]
        if isinstance(label, tuple):
            return tuple(c for c, has in zip(self.classes, label, strict=True) if has == 1)
        return () if label < 0 else (self.classes[label],)


class Picture(NamedTuple):
    """A PNG of a round (`number`) or of a feature block (`block`)."""

    number: int | None
    block: str | None
    kind: str
    png: bytes
