"""Typicality: the inverse mean distance to the nearest neighbours [Hacohen et al. 2022].

Active learning on a budget: opposite strategies suit high and low budgets,
https://arxiv.org/abs/2202.02794. It is high where images lie close together.

n images among which neighbours are sought, r of them at a time, m neighbours measured.
"""

from collections.abc import Callable

import numpy as np

from nextlabel.core.types import Ids
from nextlabel.kernels.distance.exact import TILE, Floats
from nextlabel.kernels.distance.tiles import Distances

SPARE = 8
"""Neighbours measured beyond those wanted, so that rounding seldom needs a second pass."""

VALUES = 2**23
"""Distances in memory at a time, 64 MB."""


def mean_neighbour_distances(
    distances: Distances, positions: Ids, neighbours: int, spare: int = SPARE
) -> Floats:
    """Return the mean distance of each position to its nearest others among them, shape (n).

    `neighbours` are averaged, or all others when there are fewer; the mean is 0 for a single
    position. Distances are direct differences, added from the smallest, in the metric's unit.
    `spare` decides the speed alone.
    """
    n = len(positions)
    count = min(neighbours, n - 1)
    if count < 1:
        return np.zeros(n)
    step = max(1, min(distances.tile_rows, VALUES // n))
    pairs = _pairs(distances, positions)
    return np.concatenate(
        [
            _some(distances, positions, pairs, slice(start, min(start + step, n)), count, spare)
            for start in range(0, n, step)
        ]
    )


def _pairs(distances: Distances, positions: Ids) -> Callable[[Ids, Ids], Floats]:
    """Return the direct distances of pairs, each two indices into `positions`.

    Rows are converted once where they fit into memory.
    """
    metric = distances.metric
    if len(positions) * metric.dimensions > VALUES:
        return lambda first, second: distances.pairs(positions[first], positions[second])
    blocks = metric.rows(distances.ids[positions])  # [n, d_b] per block

    def pairs(first: Ids, second: Ids) -> Floats:
        squared = np.empty(len(first))
        for start in range(0, len(first), TILE):
            span = slice(start, start + TILE)
            rows, others = ([rows[at[span]] for rows in blocks] for at in (first, second))
            squared[span] = metric.between(rows, others)
        return squared

    return pairs


def _some(
    distances: Distances,
    positions: Ids,
    pairs: Callable[[Ids, Ids], Floats],
    span: slice,
    count: int,
    spare: int,
) -> Floats:
    """Return the mean distances of the positions in `span` (r)."""
    of_span, others = positions[span], len(positions) - 1
    r = len(of_span)
    values = distances.table(of_span, positions)  # [r, n]
    values[np.arange(r), np.arange(r) + span.start] = np.inf
    m = min(count + spare, others)
    order = np.argpartition(values, m, axis=1)[:, : m + 1]  # [r, m + 1]
    near = order[:, :m]
    direct = pairs(np.repeat(np.arange(r) + span.start, m), near.ravel()).reshape(-1, m)
    direct = np.sort(direct, axis=1)[:, :count]  # [r, count]
    if m < others:
        beyond = values[np.arange(r), order[:, m]]  # [r]: the nearest that was not measured
        largest = float(distances.squared_norms[positions].max())
        error = distances.error(distances.squared_norms[of_span], largest)  # [r]
        farthest = direct[:, -1]  # [r]
        for i in np.flatnonzero((farthest > 0) & (beyond - error <= farthest)):
            maybe = np.flatnonzero(values[i] <= farthest[i] + error[i])
            measured = distances.from_one(int(of_span[i]), positions[maybe])
            direct[i] = np.sort(measured)[:count]
    return np.asarray(np.sqrt(direct).sum(axis=1) / count)
