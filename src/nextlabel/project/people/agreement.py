"""The agreement of people on the images that several of them labelled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from nextlabel.core.types import Labels, Task
from nextlabel.project.labelling.classes import live
from nextlabel.project.labelling.state import State
from nextlabel.statistics.krippendorff import krippendorff_alpha


@dataclass(frozen=True)
class PairAgreement:
    """The agreement of two people.

    Parameters
    ----------
    people : tuple of str
        Their names.
    images : int
        The number of images that both labelled.
    same : float
        The share of these that have the same label.
    kappa : float or None
        Cohen's kappa; of findings, the mean over the classes. None where it is not defined.
    """

    people: tuple[str, str]
    images: int
    same: float
    kappa: float | None


@dataclass(frozen=True)
class Agreement:
    """The agreement of all people.

    Parameters
    ----------
    images : int
        The number of images that two or more people labelled.
    conflicts : int
        The number of those whose labels differ and are not settled.
    alpha : float or None
        Krippendorff's alpha; of findings, the mean over the classes. None where it is not defined.
    pairs : tuple of PairAgreement
        Each two people with a common image.
    """

    images: int
    conflicts: int
    alpha: float | None
    pairs: tuple[PairAgreement, ...]


def agreement(state: State, task: Task) -> Agreement:
    """Return the agreement of the people of a project, on their newest labels."""
    shared = {i: one for i, one in state.images.items() if len(one.by_person) > 1}
    people = sorted({person for one in shared.values() for person in one.by_person})
    classes = [one.id for one in live(state.classes)]
    columns = [None] if task == "multiclass" else classes
    tables = np.full((len(columns), len(people), len(shared)), -1, np.int64)
    for unit, one in enumerate(shared.values()):
        for row, person in enumerate(people):
            label = one.by_person.get(person)
            if label is not None:
                tables[:, row, unit] = [
                    label[0] if column is None else column in label for column in columns
                ]
    pairs = []
    for a, b in combinations(range(len(people)), 2):
        both = (tables[0, [a, b]] >= 0).all(axis=0)
        if both.any():
            of_pair = tables[:, [a, b]][:, :, both]
            same = float((of_pair[:, 0] == of_pair[:, 1]).all(axis=0).mean())
            pairs.append(
                PairAgreement((people[a], people[b]), int(both.sum()), same, _mean(_kappa, of_pair))
            )
    return Agreement(
        len(shared), len(state.conflicts), _mean(krippendorff_alpha, tables), tuple(pairs)
    )


def _kappa(values: Labels) -> float:
    """Return Cohen's kappa of two people's values (2, U); NaN where all values are the same."""
    from sklearn.metrics import cohen_kappa_score

    if len(np.unique(values)) < 2:
        return float("nan")
    return float(cohen_kappa_score(values[0], values[1]))


def _mean(measure: Callable[[Labels], float], tables: Sequence[Labels] | Labels) -> float | None:
    """Return the mean of a measure over tables, of those where it is defined; None for none."""
    if not len(tables) or not tables[0].size:
        return None
    values = [value for value in map(measure, tables) if not np.isnan(value)]
    return float(np.mean(values)) if values else None
