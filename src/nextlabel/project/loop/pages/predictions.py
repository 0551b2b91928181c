"""The predictions of the newest model for all images, in the ids of classes.

N images, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array, Task
from nextlabel.project.labelling.classes import ClassOf, followed
from nextlabel.project.labelling.image_state import ClassIds
from nextlabel.project.labelling.models import Model
from nextlabel.project.labelling.state import State

NONE = -1
"""The class of an image without a label or a prediction."""


class Predicted(NamedTuple):
    """The likeliest class of an image, -1 for no finding; the confidence; all predicted classes."""

    class_id: int
    confidence: float
    classes: ClassIds


@dataclass(frozen=True, eq=False)
class Predictions:
    """The predictions for all images; every page and every export has its own from here.

    Parameters
    ----------
    columns : int64 array (K)
        The ids of the classes that the model distinguishes, ascending.
    probabilities : float32 array (N, K)
        The probability of each; NaN without a prediction.
    findings : bool array (N, K)
        The classes of the predicted label: the likeliest one, or all findings above one half.
    classes : int64 array (N)
        The id of the likeliest class; -1 without a prediction, and where no finding is likely.
    confidence : float32 array (N)
        The probability of the predicted label; of its least sure finding; NaN without one.
    several : bool
        True when an image may have several classes, or none.
    """

    columns: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    findings: NDArray[np.bool_]
    classes: NDArray[np.int64]
    confidence: NDArray[np.float32]
    several: bool

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def there(self) -> Array:
        """The images that have a prediction, bool (N)."""
        return ~np.isnan(self.confidence)

    def of(self, image: int) -> Predicted | None:
        """Return the prediction for an image; None when there is none."""
        if image >= len(self) or np.isnan(self.confidence[image]):
            return None
        predicted = tuple(self.columns[self.findings[image]].tolist())
        return Predicted(int(self.classes[image]), float(self.confidence[image]), predicted)

    def of_class(self, class_id: int) -> Array:
        """Return which images are predicted to be of a class, bool (N); -1: no finding at all."""
        if class_id == NONE:
            return np.asarray(self.there & ~self.findings.any(axis=1))
        return np.asarray(self.findings[:, self.columns == class_id].any(axis=1))

    def differ(self, state: State) -> Array:
        """Return the images whose label is not the predicted one, bool (N)."""
        if not self.several:
            labels = first_labels(state, len(self))
            return np.asarray(self.there & (labels != NONE) & (labels != self.classes))
        out = np.zeros(len(self), bool)
        for image, label in state.labels.items():
            predicted = self.of(image)
            out[image : image + 1] = predicted is not None and predicted.classes != label
        return out


def predictions(
    model: Model | None, classes: Sequence[ClassOf], count: int, task: Task
) -> Predictions:
    """Return the predictions of a model for `count` images; a merged class counts as the other.

    The last few results are kept, since all pages need them.

    Parameters
    ----------
    model : Model or None
        The newest model.
    classes : sequence of ClassOf
        The classes of the project.
    count : int
        The number N of images.
    task : str
        "multiclass" or "multilabel".
    """
    if model is None:
        return _nothing(count)
    return _of_model(model, tuple(classes), count, task)


@lru_cache(maxsize=2)
def _of_model(model: Model, classes: tuple[ClassOf, ...], count: int, task: Task) -> Predictions:
    arrays = model.arrays
    if "probabilities" not in arrays:
        return _nothing(count)
    of_model = np.asarray(arrays["probabilities"], np.float32)[:count]  # [M, K]
    rows = np.arange(len(of_model))
    if "there" in arrays:  # the others have the mean of the features
        rows = np.flatnonzero(arrays["there"][:count])
    ends = followed(classes)
    names = [ends.get(int(one)) for one in arrays["classes"]]
    columns = np.array(sorted({one for one in names if one is not None}), np.int64)
    if not len(columns):
        return _nothing(count)
    p = np.zeros((len(rows), len(columns)), np.float32)
    for k, name in enumerate(names):
        if name is None:
            continue
        column = p[:, np.searchsorted(columns, name)]
        if task == "multiclass":
            column += of_model[rows, k]
        else:
            np.maximum(column, of_model[rows, k], out=column)
    best = p.argmax(axis=1)
    if task == "multiclass":
        label = np.eye(len(columns), dtype=bool)[best]
        confidence = p[np.arange(len(p)), best]
        predicted = columns[best]
    else:
        label = p > 0.5
        confidence = np.maximum(p, 1 - p).min(axis=1)
        predicted = np.where(label.any(axis=1), columns[best], NONE)
    out = _nothing(count, columns, several=task == "multilabel")
    out.probabilities[rows], out.findings[rows] = p, label
    out.classes[rows], out.confidence[rows] = predicted, confidence
    return out


def _nothing(
    count: int, columns: NDArray[np.int64] | None = None, *, several: bool = False
) -> Predictions:
    columns = np.empty(0, np.int64) if columns is None else columns
    shape = count, len(columns)
    return Predictions(
        columns,
        np.full(shape, np.nan, np.float32),
        np.zeros(shape, bool),
        np.full(count, NONE, np.int64),
        np.full(count, np.nan, np.float32),
        several,
    )


@lru_cache(maxsize=2)
def _labels(state: "_ByIdentity", count: int) -> NDArray[np.int64]:
    out = np.full(count, NONE, np.int64)
    for image, label in state.state.labels.items():
        if image < count:
            out[image] = label[0] if label else NONE
    return out


@dataclass(frozen=True)
class _ByIdentity:
    """A state that is compared by what it follows from, which is quicker than by its content."""

    state: State

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and other.state is self.state

    def __hash__(self) -> int:
        return id(self.state)


def first_labels(state: State, count: int) -> NDArray[np.int64]:
    """Return the first class of each image's label, int64 (N); -1 without a label or a class."""
    return _labels(_ByIdentity(state), count)
