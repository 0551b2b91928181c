"""The images that arms picked: ids, file names, classes, and the share of each class."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Ids
from nextlabel.report.experiment_record import ExperimentRecord, Trial
from nextlabel.report.frame import make_frame
from nextlabel.store.records import DataRecord

if TYPE_CHECKING:
    from pandas import DataFrame

Floats = NDArray[np.float64]

PICK_COLUMNS = ("arm", "seed", "round", "order", "id", "name", "true_class")


@dataclass(frozen=True, eq=False)
class ClassShares:
    """The share of each class among the images that an arm picked, averaged over its seeds.

    `labelled` (rounds) are the label counts after each round, `picks` (rounds, classes) the shares
    in the batch of that round, `pool` (classes) those in the whole pool; from 0 to 1. `counts`
    (rounds, classes) are the picked images of all seeds, `images` (rounds) how many were picked.
    """

    arm: str
    classes: tuple[str, ...]
    labelled: NDArray[np.int64]
    counts: NDArray[np.int64]
    images: NDArray[np.int64]
    pool: Floats

    @property
    def picks(self) -> Floats:
        """The share of each class in each round (rounds, classes)."""
        shares: Floats = self.counts / np.maximum(self.images, 1)[:, None]
        return shares

    @property
    def overall(self) -> Floats:
        """The share of each class among all picks (classes)."""
        shares: Floats = self.counts.sum(axis=0) / max(1, int(self.images.sum()))
        return shares


def pick_frame(record: ExperimentRecord, data: DataRecord | None) -> "DataFrame":
    """Return every picked image of every trial in the order of choice; round 0 is the start.

    Names and classes are empty where the store does not hold them.
    """
    rows = (
        row
        for trial in record.trials
        for r in trial.rounds
        for row in _rows(trial, r.number, r.chosen, data)
    )
    return make_frame(PICK_COLUMNS, rows)


def next_pick_frame(record: ExperimentRecord, data: DataRecord | None) -> "DataFrame":
    """Return the images that each trial would label next, in the order of choice."""
    rows = (
        row
        for trial in record.trials
        for row in _rows(trial, len(trial.rounds), trial.next_picks, data)
    )
    return make_frame(PICK_COLUMNS, rows)


def describe(image: int, data: DataRecord | None) -> str:
    """Return the file name of an image, or its id, with its true class where it is known."""
    if data is None:
        return f"image {image}"
    name = f"image {image}" if data.names is None else data.names[image]
    classes = ", ".join(data.classes_of(image))
    return f"{name} ({classes})" if classes else name


def class_shares(record: ExperimentRecord, data: DataRecord | None) -> tuple[ClassShares, ...]:
    """Return the class shares of each arm with a complete trial; empty without known classes."""
    if data is None or len(data.classes) < 2:
        return ()
    labelled, indicators = _indicators(data)
    if not labelled.any():
        return ()
    pool = indicators[labelled].mean(axis=0)
    return tuple(
        shares
        for arm in record.drawn
        if len((shares := _shares(record, arm, data.classes, indicators, pool)).labelled)
    )


def class_share_frame(shares: Sequence[ClassShares]) -> "DataFrame":
    """Return the picked images of each class, per arm and round, over all complete seeds."""
    return make_frame(
        ("arm", "labelled", "class", "picked", "share", "pool_share"),
        (
            {
                "arm": arm.arm,
                "labelled": int(count),
                "class": name,
                "picked": int(arm.counts[t, c]),
                "share": float(arm.picks[t, c]),
                "pool_share": float(arm.pool[c]),
            }
            for arm in shares
            for t, count in enumerate(arm.labelled)
            for c, name in enumerate(arm.classes)
        ),
    )


def _rows(
    trial: Trial, number: int, ids: Ids | None, data: DataRecord | None
) -> Iterator[dict[str, Any]]:
    for order, image in enumerate([] if ids is None else ids.tolist(), 1):
        yield {
            "arm": trial.arm,
            "seed": trial.seed,
            "round": number,
            "order": order,
            "id": image,
            "name": None if data is None or data.names is None else data.names[image],
            "true_class": None if data is None else "; ".join(data.classes_of(image)) or None,
        }


def _indicators(data: DataRecord) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return which images have a label (images), and 1 where an image has a class."""
    labels = np.array(data.labels)
    if labels.ndim == 1:
        has_class = labels[:, None] == np.arange(len(data.classes))
        return np.asarray(labels >= 0), has_class.astype(np.float64)
    return np.asarray((labels >= 0).all(axis=1)), (labels == 1).astype(np.float64)


def _shares(
    record: ExperimentRecord,
    arm: str,
    classes: tuple[str, ...],
    indicators: NDArray[np.float64],
    pool: Floats,
) -> ClassShares:
    trials = [trial for trial in record.of(arm) if trial.complete]
    rounds = [[r for r in trial.rounds if r.number > 0] for trial in trials]
    by_number = list(zip(*rounds, strict=False))  # a round of each seed
    counts = [sum(indicators[r.chosen].sum(axis=0) for r in group) for group in by_number]
    return ClassShares(
        arm,
        classes,
        np.array([group[0].labelled_count for group in by_number], np.int64),
        np.array(counts, np.int64).reshape(len(by_number), len(classes)),
        np.array([sum(len(r.chosen) for r in group) for group in by_number], np.int64),
        pool,
    )
