"""The gallery: the images of a project by class, confidence, person and other facts.

N images.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from nextlabel.core.types import Array, Ids
from nextlabel.project.labelling.classes import live
from nextlabel.project.labelling.state import State
from nextlabel.project.loop.pages.predictions import NONE, Predictions, first_labels
from nextlabel.project.scanning.images import ProjectImages

By = Literal["label", "prediction", "any"]
Order = Literal["least", "most", "new", "path"]


@dataclass(frozen=True)
class Filters:
    """The choice of what the gallery shows, and in which order.

    Parameters
    ----------
    class_id : int, optional
        Only images of this class; -1 for images without a class.
    by : str
        Whether the class is that of the label, that of the prediction, or "any": the label where
        there is one, else the prediction.
    person : str, optional
        Only images that this person has labelled.
    disagree : bool
        Only images whose label and prediction differ, or on which people disagree.
    flagged, unsure, problem : bool
        Only images with a flag; of which a person was unsure; that cannot be shown.
    labelled : bool, optional
        Only images with a label, or only those without.
    above, below : float, optional
        Only images predicted with at least, and with less than, this confidence.
    folder : str, optional
        Only images below this folder.
    order : str
        "least" or "most" sure first, "new" the newest answer first, "path" by the name of the file.
    collapse : bool
        Show only the first image of each group of near-copies, in the order of the gallery.
    """

    class_id: int | None = None
    by: By = "any"
    person: str | None = None
    disagree: bool = False
    flagged: bool = False
    unsure: bool = False
    problem: bool = False
    labelled: bool | None = None
    above: float | None = None
    below: float | None = None
    folder: str | None = None
    order: Order = "least"
    collapse: bool = False


@dataclass(frozen=True, eq=False)
class Rows:
    """The images that the gallery shows, in order, and the number of near-copies of each."""

    ids: Ids
    copies: Ids

    def __len__(self) -> int:
        return len(self.ids)


def gallery(
    filters: Filters,
    images: ProjectImages,
    state: State,
    predicted: Predictions,
    groups: Ids | None = None,
) -> Rows:
    """Return the images that pass some filters, in order; N is the number of all images.

    Parameters
    ----------
    filters : Filters
        The filters.
    images : ProjectImages
        The images; those without a file are left out.
    state : State
        The answers.
    predicted : Predictions
        The predictions for all images.
    groups : int64 array (N), optional
        The first image of each image's group of near-copies.
    """
    labels, labelled = first_labels(state, len(images)), _mask(state.labels, len(images))
    shown = _passing(filters, images, state, predicted, labelled)
    if filters.class_id is not None:
        shown &= _of_class(filters, state, labels, labelled, predicted)
    ids = _ordered(np.flatnonzero(shown), filters.order, images, state, predicted)
    if not filters.collapse or groups is None:
        return Rows(ids, np.ones(len(ids), np.int64))
    _, first, counts = np.unique(groups[ids], return_index=True, return_counts=True)
    order = np.argsort(first)
    return Rows(ids[first[order]], counts[order].astype(np.int64))


def class_counts(
    filters: Filters,
    images: ProjectImages,
    state: State,
    predicted: Predictions,
    groups: Ids | None = None,
) -> dict[int, int]:
    """Return how many images `gallery` shows of each live class under the other filters."""
    labels, labelled = first_labels(state, len(images)), _mask(state.labels, len(images))
    passing = _passing(filters, images, state, predicted, labelled)
    counts = {}
    for one in live(state.classes):
        of_class = replace(filters, class_id=one.id)
        shown = passing & _of_class(of_class, state, labels, labelled, predicted)
        if filters.collapse and groups is not None:
            counts[one.id] = len(np.unique(groups[shown]))
        else:
            counts[one.id] = int(shown.sum())
    return counts


def _passing(
    filters: Filters,
    images: ProjectImages,
    state: State,
    predicted: Predictions,
    labelled: Array,
) -> Array:
    """Return which images pass all filters but that of the class, bool (N)."""
    count = len(images)
    shown = ~images.gone
    if filters.person is not None:
        shown &= _mask(
            (i for i, one in state.images.items() if filters.person in one.by_person), count
        )
    if filters.disagree:
        shown &= predicted.differ(state) | _mask(state.conflicts, count)
    if filters.flagged:
        shown &= _mask(state.flagged, count)
    if filters.problem:
        shown &= np.fromiter((p is not None for p in images.problems), bool, count)
    if filters.unsure:
        shown &= _mask(state.unsure, count)
    if filters.labelled is not None:
        shown &= labelled == filters.labelled
    if filters.folder is not None:
        head = filters.folder.rstrip("/") + "/"
        shown &= np.fromiter((name.startswith(head) for name in images.names), bool, count)
    with np.errstate(invalid="ignore"):  # no prediction is neither above nor below
        if filters.above is not None:
            shown &= predicted.confidence >= filters.above
        if filters.below is not None:
            shown &= predicted.confidence < filters.below
    return np.asarray(shown)


def _of_class(
    filters: Filters, state: State, labels: Ids, labelled: Array, predicted: Predictions
) -> Array:
    """Return which images are of the class that is asked for, bool (N)."""
    wanted = NONE if filters.class_id is None else filters.class_id
    by_label = labelled & (labels == wanted)
    if state.class_counts.get(wanted, 0) > int(by_label.sum()):  # it is a further finding of some
        several = [i for i, label in state.labels.items() if wanted in label and i < len(labels)]
        by_label[several] = True
    if wanted == NONE:
        by_label = ~labelled
    by_prediction = predicted.of_class(wanted)
    if filters.by == "label":
        return np.asarray(by_label)
    if filters.by == "prediction":
        return by_prediction
    return np.asarray(by_label | (~labelled & by_prediction))


def _ids(images: Iterable[int], count: int) -> Ids:
    ids = np.fromiter(images, np.int64)
    return np.asarray(ids[ids < count], np.int64)


def _mask(images: Iterable[int], count: int) -> Array:
    mask = np.zeros(count, bool)
    mask[_ids(images, count)] = True
    return mask


def _ordered(
    ids: Ids, order: Order, images: ProjectImages, state: State, predicted: Predictions
) -> Ids:
    """Return ids in an order; images without a value come last, the smallest id first."""
    if order == "path":
        names = images.names
        return np.array(sorted(ids.tolist(), key=lambda image: names[image]), np.int64)
    if order == "new":
        seq = np.zeros(len(images))
        for image, answer in state.last.items():
            if image < len(seq):
                seq[image] = answer.seq
        return ids[np.argsort(-seq[ids], kind="stable")]
    sure = predicted.confidence[ids].astype(np.float64)
    key = sure if order == "least" else -sure
    return ids[np.argsort(np.where(np.isnan(key), np.inf, key), kind="stable")]
