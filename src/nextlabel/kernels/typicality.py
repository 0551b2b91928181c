"""Typicality: the inverse mean distance to the nearest neighbours [Hacohen et al. 2022].

Active learning on a budget: opposite strategies suit high and low budgets,
https://arxiv.org/abs/2202.02794. The larger, the denser it is around an image.
"""

import numpy as np

from nextlabel.core.types import Ids
from nextlabel.kernels.distance.tiles import SIDE, Distances, Floats

SPARE = 8
"""Neighbours measured beyond those asked for, so that rounding seldom needs a second look."""

VALUES = 2**23


def mean_neighbour_distances(distances: Distances, places: Ids, neighbours: int) -> Floats:
    """Return the mean distance of each of `places` to its nearest others among them, shape (n).

    `neighbours` is how many, or all others when there are fewer; 0 for one alone. Distances are
    direct differences, added from the smallest; in the metric's unit.
    """
    size = len(places)
    count = min(neighbours, size - 1)
    if count < 1:
        return np.zeros(size)
    found = [
        _nearest(distances, places, start, min(start + step, size), count)
        for step in (max(1, min(SIDE, VALUES // size)),)
        for start in range(0, size, step)
    ]
    return np.concatenate(found)


def _nearest(distances: Distances, places: Ids, start: int, end: int, count: int) -> Floats:
    first, others = distances.side(places[start:end]), len(places) - 1
    values = np.empty((end - start, len(places)))
    for column in range(0, len(places), SIDE):
        second = distances.side(places[column : column + SIDE])
        values[:, column : column + SIDE] = distances.tile(first, second)
    rows = np.arange(end - start)
    values[rows, rows + start] = np.inf
    width = min(count + SPARE, others)
    near = np.argpartition(values, width - 1, axis=1)[:, :width]
    own = np.repeat(first.places, width)
    direct = distances.between(own, places[near].ravel()).reshape(-1, width)
    direct = np.sort(direct, axis=1)[:, :count]
    if width < others:
        beyond = np.partition(values, width, axis=1)[:, width]
        error = distances.error(first.norms, float(distances.norms[places].max()))
        farthest = direct[:, -1]
        for row in np.flatnonzero((farthest > 0) & (beyond - error <= farthest)):
            maybe = np.flatnonzero(values[row] <= farthest[row] + error[row])
            again = distances.to(int(first.places[row]), places[maybe])
            direct[row] = np.sort(again)[:count]
    return np.asarray(np.sqrt(direct).sum(axis=1) / count)
