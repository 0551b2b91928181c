"""The labels of a project as a model takes them."""

import numpy as np

from nextlabel.core.types import Ids, Task
from nextlabel.project.labelling.classes import live
from nextlabel.project.labelling.state import State
from nextlabel.project.labels import KnownLabels


def known_labels(state: State, task: Task, among: Ids | None = None) -> KnownLabels:
    """Return the labels of a state, with the classes that images can get.

    Parameters
    ----------
    state : State
        The state of the project.
    task : str
        "multiclass" or "multilabel".
    among : int64 array, optional
        Only labels of these images.
    """
    classes = live(state.classes)
    column = {one.id: k for k, one in enumerate(classes)}
    labelled = np.array(sorted(state.labels), np.int64)
    ids = labelled if among is None else np.intersect1d(labelled, among)
    if task == "multiclass":
        numbers = [column[state.labels[image][0]] for image in ids.tolist()]
        return KnownLabels(task, tuple(c.name for c in classes), ids, np.array(numbers, np.int64))
    labels = np.zeros((len(ids), len(classes)), np.int64)
    for row, image in enumerate(ids.tolist()):
        labels[row, [column[one] for one in state.labels[image]]] = 1
    return KnownLabels(task, tuple(c.name for c in classes), ids, labels)
