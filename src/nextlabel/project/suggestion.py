"""Suggestions: the images of a folder that a person should label next."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nextlabel.core.errors import BudgetError
from nextlabel.core.pool import Pool
from nextlabel.core.strategy import needs_now
from nextlabel.core.types import Array, Ids
from nextlabel.features.cache import Cache
from nextlabel.project.audit import AuditOrder, audit_places
from nextlabel.project.folder_features import Changes, FolderFeatures, folder_features
from nextlabel.project.folder_images import folder_images
from nextlabel.project.labels import KnownLabels, known_labels, label_files
from nextlabel.project.pipeline import DEFAULT, Pipeline
from nextlabel.selection.choice import Request
from nextlabel.selection.choice import choose as select_rows
from nextlabel.strategies import create
from nextlabel.strategies.switch import Switch

AUDIT = "audit"
"""The reason for an image that was drawn at random."""


@dataclass(frozen=True)
class Suggestion:
    """An image to label.

    Parameters
    ----------
    path : str
        The name of the file, relative to the folder.
    reason : str
        The name of the strategy that chose it; "audit" for an image drawn at random.
    score : float, optional
        The number by which the strategy chose it, where the strategy has one.
    prediction : str, optional
        The class that a model of the labels so far predicts; None before there are two classes.
    confidence : float, optional
        The probability of that class.
    """

    path: str
    reason: str
    score: float | None = None
    prediction: str | None = None
    confidence: float | None = None


class Pick(NamedTuple):
    """A row that was chosen, the strategy that chose it or "audit", and its score if it has one."""

    row: int
    reason: str
    score: float | None = None


@dataclass(frozen=True)
class Suggestions:
    """The images to label next, and the facts that they follow from.

    Parameters
    ----------
    items : tuple of Suggestion
        The images, the most useful first.
    images, labelled : int
        The number of images, and of those that have a label.
    classes : mapping of str to int
        The number of labelled images of each class.
    changes : Changes
        The images that differ from the time before.
    """

    items: tuple[Suggestion, ...]
    images: int
    labelled: int
    classes: Mapping[str, int]
    changes: Changes

    @property
    def paths(self) -> tuple[str, ...]:
        """The names of the files to label next."""
        return tuple(item.path for item in self.items)


def suggest(
    folder: str | PathLike[str],
    budget: int = 20,
    *,
    labels: str | PathLike[str] | Sequence[str | PathLike[str]] = (),
    classes: Sequence[str] | None = None,
    pipeline: Pipeline = DEFAULT,
    cache_dir: str | PathLike[str] | None = None,
    refit: bool = False,
    progress: bool = False,
) -> Suggestions:
    """Return the images of a folder to label next.

    Features are learned when the folder is read for the first time, and kept. Without labels, the
    images chosen are typical ones of different groups.

    Parameters
    ----------
    folder
        The folder of images.
    budget
        The number of images to choose.
    labels
        A file of labels, or several: CSV with the columns path and label.
    classes
        The names of the classes; by default those that the labels have.
    pipeline
        The feature space, the strategies and the model.
    cache_dir
        The folder of fitted features; the user's cache folder by default.
    refit
        Whether to learn the features again from all images that are there now.
    progress
        Whether to show progress on stderr.

    Returns
    -------
    Suggestions
        The images in the order of choice. There are fewer when fewer are unlabelled.

    Raises
    ------
    UsageError
        There is no such folder, the budget is below 1, or all images are labelled.
    DataError
        The images or the labels cannot be used.

    Examples
    --------
    >>> from nextlabel import suggest
    >>> suggest("photos", 20, labels="labels.csv").paths  # doctest: +SKIP
    """
    if isinstance(budget, bool) or not isinstance(budget, int | np.integer) or budget < 1:
        raise BudgetError(f"budget {budget!r} must be a whole number from 1", code="bad-budget")
    root = Path(folder)
    cache = Cache.open(None if cache_dir is None else Path(cache_dir))
    data = folder_images(root, pipeline.image_size, cache, progress=progress)
    assert data.train.names is not None
    known = known_labels(data.train.names, label_files(labels), classes)
    features = folder_features(root, data, pipeline, cache, refit=refit)
    left = len(features) - len(known)
    if not left:
        raise BudgetError(
            f"all {len(features)} images of {root} are labelled; add images", code="all-labelled"
        )
    picks = choose(features, known, min(int(budget), left), pipeline)
    if not picks:
        raise BudgetError(
            f"the {left} images of {root} without a label are copies of others; add images",
            code="all-labelled",
        )
    probabilities = predict_pool(features, known, pipeline)
    items = []
    for row, reason, score in picks:
        chances = None if probabilities is None else probabilities[row]
        items.append(
            Suggestion(
                features.names[row],
                reason,
                score,
                None if chances is None else known.classes[int(chances.argmax())],
                None if chances is None else float(chances.max()),
            )
        )
    return Suggestions(
        tuple(items),
        len(features),
        len(known),
        dict(zip(known.classes, known.counts, strict=True)),
        features.changes,
    )


def choose(
    features: FolderFeatures, known: KnownLabels, budget: int, pipeline: Pipeline
) -> list[Pick]:
    """Return the picks to label next in the order of choice; fewer where only copies are left.

    Images that are reserved for the audit, and their copies, stay unknown to the strategy, also
    those with a label.
    """
    order = AuditOrder.of(features.digests)
    digests = np.array(features.digests)
    reserved = np.flatnonzero(np.isin(digests, digests[order.reserved(pipeline.audit)]))
    places = audit_places(len(known), budget, pipeline.audit)
    alike = np.flatnonzero(np.isin(digests, digests[known.ids]))  # those labelled, and copies
    drawn = order.next(alike, len(places))
    taken = np.concatenate([known.ids, reserved, drawn])
    # Of equal images one is free, and none where one is labelled.
    free = np.setdiff1d(order.rows, np.concatenate([taken, alike]))
    missing = budget - len(drawn) - len(free)
    if missing > 0:  # the strategy takes all that is not reserved, and the audit gives the rest
        drawn = np.concatenate([drawn, order.next(np.concatenate([alike, drawn, free]), missing)])
    budget = min(budget, len(drawn) + len(free))
    by_strategy = budget - len(drawn)
    at = np.setdiff1d(np.arange(budget), places)[:by_strategy].tolist()
    picks = {
        place: Pick(row, AUDIT)
        for place, row in zip(
            np.setdiff1d(np.arange(budget), at).tolist(), drawn.tolist(), strict=True
        )
    }
    barred = np.flatnonzero(np.isin(digests, digests[drawn]))
    found = _by_strategy(features, known, reserved, barred, by_strategy, pipeline)
    picks |= zip(at, found, strict=False)  # fewer where only copies are left
    return [picks[place] for place in range(budget) if place in picks]


def _by_strategy(
    features: FolderFeatures,
    known: KnownLabels,
    reserved: Ids,
    barred: Ids,
    budget: int,
    pipeline: Pipeline,
) -> list[Pick]:
    """Return the picks of the strategy outside the audit; fewer where only copies are left."""
    if not budget:
        return []
    strategy = create(pipeline.strategy, pipeline.options)
    seen = known.without(reserved)
    excluded = np.setdiff1d(np.union1d(reserved, barred), seen.ids)
    needs = needs_now(strategy, Pool(len(features), seen.ids, excluded), budget)
    probabilities = None
    if "probabilities" in needs:
        probabilities = predict_pool(features, seen, pipeline)
        if probabilities is None:  # before two classes are labelled, all are equally likely
            probabilities = np.full((len(features), 2), 0.5, np.float32)
    request = Request(
        dict(features.rows),
        budget,
        strategy=strategy,
        weights=pipeline.features,
        scale=pipeline.scale,
        probabilities=probabilities,
        labelled=seen.ids,
        excluded=excluded,
        seed=pipeline.seed,
        task=known.task,
    )
    choice = select_rows(request, scores="if there")
    budget = len(choice.ids)
    before, second = budget, pipeline.strategy
    if isinstance(strategy, Switch):
        before = min(max(strategy.after - len(seen), 0), budget)
        second = pipeline.options.get("then", {}).get("strategy", second)
    names = [pipeline.strategy] * before + [second] * (budget - before)
    scores = [None] * budget if choice.scores is None else choice.scores.tolist()
    return [
        Pick(row, name, None if score is None or math.isnan(score) else score)
        for row, name, score in zip(choice.ids.tolist(), names, scores, strict=True)
    ]


def predict_pool(features: FolderFeatures, known: KnownLabels, pipeline: Pipeline) -> Array | None:
    """Return the probabilities (N, K) by a model of the labels; None before two classes occur."""
    if not known.can_be_told_apart:
        return None
    return pipeline.fit(features.rows, known).probabilities(features.rows)
