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
from nextlabel.project.labelling.models import Model
from nextlabel.project.labelling.state import State

NONE = -1
"""The class of an image without a label or a prediction."""


class Predicted(NamedTuple):
    """The predicted class of an image, -1 for no finding, and its probability."""

    class_id: int
    confidence: float


@dataclass(frozen=True, eq=False)
class Predictions:
    """The predictions for all images.

    Parameters
    ----------
    classes : int64 array (N)
        The id of the likeliest class; -1 without a prediction, and where no finding is likely.
    confidence : float32 array (N)
        Its probability; without a finding, that there is none; NaN without a prediction.
    margin : float32 array (N)
        The difference of the two highest probabilities; for findings, the least of |2p - 1|.
    """

    classes: NDArray[np.int64]
    confidence: NDArray[np.float32]
    margin: NDArray[np.float32]

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
        return Predicted(int(self.classes[image]), float(self.confidence[image]))


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
    there = np.asarray(arrays["there"], bool)[:count]
    ends = followed(classes)
    names = [ends.get(int(one)) for one in arrays["classes"]]
    columns = sorted({one for one in names if one is not None})
    if not columns:
        return _nothing(count)
    p = np.zeros((len(of_model), len(columns)), np.float32)
    for k, name in enumerate(names):
        if name is not None and task == "multiclass":
            p[:, columns.index(name)] += of_model[:, k]
        elif name is not None:
            p[:, columns.index(name)] = np.maximum(p[:, columns.index(name)], of_model[:, k])
    ids = np.array(columns, np.int64)
    best = p.argmax(axis=1)
    confidence = p[np.arange(len(p)), best]
    predicted = ids[best]
    if task == "multilabel":
        margin = np.abs(2 * p - 1).min(axis=1)
        predicted = np.where(confidence > 0.5, predicted, NONE)
        confidence = np.maximum(confidence, 1 - confidence)
    elif p.shape[1] > 1:
        two = np.partition(p, -2, axis=1)[:, -2:]
        margin = two[:, 1] - two[:, 0]
    else:
        margin = confidence.copy()
    out = _nothing(count)
    rows = np.flatnonzero(there)
    out.classes[rows], out.confidence[rows] = predicted[rows], confidence[rows]
    out.margin[rows] = margin[rows]
    return out


def _nothing(count: int) -> Predictions:
    blank = np.full(count, np.nan, np.float32)
    return Predictions(np.full(count, NONE, np.int64), blank, blank.copy())


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
