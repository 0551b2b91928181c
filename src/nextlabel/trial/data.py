"""The data set of an experiment, checked for a simulation."""

from pathlib import Path

import numpy as np

from nextlabel.algorithm1 import check_sizes
from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.types import PARTS, Part
from nextlabel.experiment.spec import Experiment
from nextlabel.features.cache import Cache
from nextlabel.models.metrics import MEASURED, RANKING
from nextlabel.store.records import DataRecord, PartRecord


def load_data(
    experiment: Experiment,
    data_dir: Path | None,
    progress: bool = False,
    cache: Cache | None = None,
) -> Dataset:
    """Load the experiment's data set and refuse what no trial could use.

    `progress` draws the bars of a download on stderr. A `cache` keeps decoded images.

    Raises DataError when a label is unknown, when there is one class only, or when there is
    nothing to validate on; UsageError when the sizes do not fit or the headline is not measured.
    """
    from nextlabel.data import load

    size = experiment.model.image_size
    data = load(experiment.data, image_size=size, data_dir=data_dir, progress=progress, cache=cache)
    check_sizes(len(data.train), experiment.initial, experiment.batch, experiment.target)
    judged: tuple[Part, ...] = ("train", "validation")
    for part in judged:
        labels = data.part(part).labels
        if labels is None or not len(labels):
            raise DataError(
                f"{data.name} has no {part} labels; an experiment needs them, so give labels or "
                "use `nextlabel select` on unlabelled images",
                code="labels-missing",
            )
        lacking = (labels < 0).reshape(len(labels), -1).any(axis=1)
        if lacking.any():
            what = "have no label" if labels.ndim == 1 else "lack the label of a class"
            raise DataError(
                f"{data.name}: {int(lacking.sum())} {part} images {what}, the first in "
                f"{data.whereabouts(part, int(lacking.argmax()))}; a simulation needs all labels, "
                "so leave such images out of the data",
                code="labels-missing",
            )
    train = data.train.labels
    assert train is not None
    if data.task == "multiclass" and len(np.unique(train)) < 2:
        raise DataError(
            f"{data.name}: all {len(train)} training images are of one class; "
            "there is nothing to distinguish",
            code="one-class-only",
        )
    headline(experiment, data)
    return data


def data_record(data: Dataset) -> DataRecord:
    """Return what the store keeps of a data set: counts, and the pool's names and labels."""
    parts = {
        part: PartRecord(len(data.part(part)), _per_class(data, part))
        for part in PARTS
        if len(data.part(part))
    }
    labels = data.train.labels
    assert labels is not None
    plain = labels.tolist() if labels.ndim == 1 else map(tuple, labels.tolist())
    return DataRecord(
        data.checksum, data.name, data.task, data.classes, parts, data.train.names, tuple(plain)
    )


def _per_class(data: Dataset, part: Part) -> tuple[int, ...]:
    labels = data.part(part).labels
    if labels is None:
        return (0,) * len(data.classes)
    if labels.ndim == 2:
        return tuple((labels == 1).sum(axis=0).tolist())
    return tuple(np.bincount(labels[labels >= 0], minlength=len(data.classes)).tolist())


def headline(experiment: Experiment, data: Dataset) -> str:
    """Return the metric of curves and tests; refuse one that no round will have.

    Raises UsageError when it is not measured on such data, DataError when it is not defined there.
    """
    chosen = experiment.headline or f"validation/{MEASURED[data.task][0]}"
    parts = [part for part in ("validation", "test") if len(getattr(data, part))]
    choices = [f"{part}/{name}" for part in parts for name in MEASURED[data.task]]
    if chosen not in choices:
        raise UsageError(
            f"headline {chosen!r} is not measured on {data.name}, which is {data.task}; "
            f"set it to one of {', '.join(choices)}",
            code="headline-not-measured",
        )
    part, _, name = chosen.partition("/")
    labels = getattr(data, part).labels
    if name in RANKING and (labels == labels[:1]).all():
        others = [key for key in choices if key.rpartition("/")[2] not in RANKING]
        raise DataError(
            f"headline {chosen!r} is not defined, since all {part} images of {data.name} are of "
            f"one kind; give images of another, or set headline to one of {', '.join(others)}",
            code="headline-not-defined",
        )
    return chosen
