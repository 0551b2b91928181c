"""One round of the loop: from labels and a space to a model, its estimate, and the next queue."""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from nextlabel.core.errors import NextlabelError
from nextlabel.core.types import Array, Ids
from nextlabel.project.accuracy import audited_accuracy
from nextlabel.project.audit import AuditOrder
from nextlabel.project.choice import AUDIT, Candidates, Pick, choose
from nextlabel.project.labelling.models import NewModel, QueueItem
from nextlabel.project.labels import KnownLabels
from nextlabel.project.loop.space import Space
from nextlabel.project.pipeline import DEFAULT, Pipeline
from nextlabel.statistics.accuracy_estimate import AccuracyEstimate

LENGTH = 100
"""Images in a queue: a grid of fifty, and some to spare until the next one."""
MOST = 10_000
"""Images without a label that a strategy considers: covering takes time of their square."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """The labels that a round starts from.

    Parameters
    ----------
    labels : KnownLabels
        The labels; rows are ids of images.
    class_ids : tuple of int
        The id of each class of `labels`.
    excluded : int64 array
        Images without a label that are not asked: skipped, unsure, flagged, gone, unreadable.
    order : AuditOrder
        The random order of all images.
    seq : int
        The last answer that is among them.
    shown : int64 array
        Images that were labelled next to their prediction, by the page-full; the audit leaves them
        out, since their labels may be the model's own.
    """

    labels: KnownLabels
    class_ids: tuple[int, ...]
    excluded: Ids
    order: AuditOrder
    seq: int
    shown: Ids = field(default_factory=lambda: np.empty(0, np.int64))


@dataclass(frozen=True, eq=False)
class Round:
    """A model and the queue that it leads to, and what went wrong, if anything."""

    model: NewModel
    queue: list[QueueItem]
    problem: str | None = None


class Models:
    """Probabilities by models of the labels; the same labels are fitted once.

    Parameters
    ----------
    space : Space
        The rows.
    pipeline : Pipeline
        The model.
    """

    def __init__(self, space: Space, pipeline: Pipeline) -> None:
        self.space, self.pipeline = space, pipeline
        self.blocks = space.scaled(pipeline.features)
        self._made: dict[bytes, Array | None] = {}

    def predict(self, labels: KnownLabels) -> Array | None:
        """Return the probabilities (N, K) by a model of some labels; None before two classes."""
        key = labels.ids.tobytes()
        if key not in self._made:
            self._made[key] = self.pipeline.predict(self.blocks, labels)
        return self._made[key]


def next_round(
    space: Space, labelled: Labelled, pipeline: Pipeline, length: int = LENGTH, most: int = MOST
) -> Round:
    """Return the model of the labels, the estimate of its accuracy, and the queue.

    It depends on nothing but its arguments. Above `most` images without a label, the strategy
    chooses among that many, the first of the random order that the audit leaves: a fair sample.

    Parameters
    ----------
    space : Space
        The rows of all images.
    labelled : Labelled
        The labels and the images that are not asked.
    pipeline : Pipeline
        The strategy and the model. Its features that the space lacks are left out.
    length : int
        The number of images of the queue.
    most : int
        The most images that the strategy considers.
    """
    seconds: dict[str, float] = {}
    labels, unplaced = labelled.labels, space.unplaced
    features = {name: pipeline.features.get(name, 1.0) for name in space.rows}
    pipeline = pipeline.model_copy(update={"features": features})
    models = Models(space, pipeline)
    placed = labels.without(unplaced)
    excluded = np.setdiff1d(labelled.excluded, labels.ids)
    candidates = Candidates(space.rows, labelled.order, np.arange(len(space)), excluded, unplaced)
    with _timed(seconds, "queue"):
        picks, problem = _picks(candidates, labels, length, pipeline, models, most)
    with _timed(seconds, "model"):
        probabilities = models.predict(placed)
    with _timed(seconds, "estimate"):
        estimate = None
        if probabilities is not None:
            left_out = np.concatenate([excluded, unplaced, labelled.shown])
            order = labelled.order.without(left_out)
            estimate = _estimate(models, placed, order, excluded)
    free = len(space) - len(np.union1d(labels.ids, excluded))
    facts: dict[str, Any] = {
        "images": len(space),
        "with features": int(space.there.sum()),
        "features": features,
        "labelled": len(labels),
        "considered": min(most, free),
        "without a label": free,
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
    }
    arrays: dict[str, Array] = {"classes": np.array(labelled.class_ids, np.int64)}
    if probabilities is not None:
        arrays |= {"probabilities": probabilities.astype(np.float32), "there": space.there}
    strategy = picks[-1].reason if picks else pipeline.strategy
    queue = [
        QueueItem(position, row, reason, score, reason == AUDIT)
        for position, (row, reason, score) in enumerate(picks)
    ]
    strategy = next((item.reason for item in reversed(queue) if not item.audit), strategy)
    of_model = None if estimate is None else asdict(estimate)
    return Round(
        NewModel(labelled.seq, space.name, strategy, facts, of_model, arrays), queue, problem
    )


def _picks(
    candidates: Candidates,
    labels: KnownLabels,
    length: int,
    pipeline: Pipeline,
    models: Models,
    most: int,
) -> tuple[list[Pick], str | None]:
    """Return the picks, and why those of the default strategies were taken instead, if they were.

    A strategy that a person chose may need what a project does not have.
    """
    taken = np.union1d(labels.ids, candidates.excluded)
    length = min(length, len(candidates) - len(taken))
    if length < 1:
        return [], None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of copies among the picks
        try:
            return choose(candidates, labels, length, pipeline, models.predict, most), None
        except NextlabelError as error:
            usual = {"strategy": DEFAULT.strategy, "options": DEFAULT.options}
            pipeline = pipeline.model_copy(update=usual)
            return choose(candidates, labels, length, pipeline, models.predict, most), str(error)


def _estimate(
    models: Models, labels: KnownLabels, order: AuditOrder, excluded: Ids
) -> AccuracyEstimate:
    """Return the estimate of the accuracy on the images that a person can still label."""
    positions = order.audited(labels.ids)
    there = np.flatnonzero(models.space.there)
    free = np.setdiff1d(there, np.union1d(labels.ids, excluded))
    return audited_accuracy(models.blocks, labels, positions, free, models.pipeline, models.predict)


@contextmanager
def _timed(seconds: dict[str, float], phase: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[phase] = time.perf_counter() - start
