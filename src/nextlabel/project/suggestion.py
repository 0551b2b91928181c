"""Suggestions: the images of a folder that a person should label next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from nextlabel.core.errors import BudgetError
from nextlabel.core.types import Array
from nextlabel.features.cache import Cache
from nextlabel.features.kept_features import Changes, FolderFeatures
from nextlabel.project.choice import Candidates, check_strategy, choose
from nextlabel.project.folder_features import encoding_blocks, folder_features
from nextlabel.project.folder_images import folder_images
from nextlabel.project.label_sources import audit_seed, folder_and_labels, passed_over
from nextlabel.project.labels import KnownLabels, known_labels
from nextlabel.project.pipeline import DEFAULT, Pipeline


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
    passed_over : int
        The number of images that people skipped, are unsure of or flagged in a project, and that
        have no label. They are not suggested.
    """

    items: tuple[Suggestion, ...]
    images: int
    labelled: int
    classes: Mapping[str, int]
    changes: Changes
    passed_over: int = 0

    @property
    def paths(self) -> tuple[str, ...]:
        """The names of the files to label next."""
        return tuple(item.path for item in self.items)


def suggest(
    folder: str | PathLike[str],
    budget: int = 20,
    *,
    labels: str | PathLike[str] | Sequence[str | PathLike[str]] | None = (),
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
        The folder of images; or that of a project, for its images with its labels.
    budget
        The number of images to choose.
    labels
        A file of labels, or several: CSV with the columns path and label; or a project.
        None means that there are not any.
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
        raise BudgetError(
            f"budget {budget!r} must be a whole number from 1; give one", code="bad-budget"
        )
    encoding_blocks(pipeline)  # refused before any image is read, and so is the strategy
    check_strategy(pipeline)
    root, sources = folder_and_labels(folder, labels)
    cache = Cache.open(None if cache_dir is None else Path(cache_dir))
    data = folder_images(root, pipeline.image_size, cache, progress=progress)
    assert data.train.names is not None
    labelled = known_labels(data.train.names, sources, classes)
    features = folder_features(root, data, pipeline, cache, refit=refit)
    passed = passed_over(data.train.names, sources, labelled)
    left = len(features) - len(labelled) - len(passed)
    if not left:
        but = f" but {len(passed)} that were skipped, unsure or flagged" if len(passed) else ""
        raise BudgetError(
            f"all {len(features)} images of {root} are labelled{but}; add images",
            code="all-labelled",
        )

    def predict(labels: KnownLabels) -> Array | None:
        return predict_pool(features, labels, pipeline)

    seed = audit_seed(sources, pipeline.seed)
    candidates = Candidates.of(features.rows, features.digests, seed, passed)
    picks = choose(candidates, labelled, min(int(budget), left), pipeline, predict)
    if not picks:
        raise BudgetError(
            f"the {left} images of {root} without a label are copies of others; add images",
            code="all-labelled",
        )
    probabilities = predict(labelled)
    items = []
    for row, reason, score in picks:
        chances = None if probabilities is None else probabilities[row]
        items.append(
            Suggestion(
                features.names[row],
                reason,
                score,
                None if chances is None else labelled.classes[int(chances.argmax())],
                None if chances is None else float(chances.max()),
            )
        )
    return Suggestions(
        tuple(items),
        len(features),
        len(labelled),
        dict(zip(labelled.classes, labelled.counts, strict=True)),
        features.changes,
        len(passed),
    )


def predict_pool(features: FolderFeatures, known: KnownLabels, pipeline: Pipeline) -> Array | None:
    """Return the probabilities (N, K) by a model of the labels; None before two classes occur."""
    if not known.can_be_told_apart:
        return None
    return pipeline.fit(features.rows, known).probabilities(features.rows)
