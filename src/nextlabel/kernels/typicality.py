"""Typicality: the inverse mean distance to the nearest neighbours [Hacohen et al. 2022].

Active learning on a budget: opposite strategies suit high and low budgets,
https://arxiv.org/abs/2202.02794. It is high where images lie close together.

n images among which neighbours are sought, r of them at a time, m neighbours measured.
"""

from collections.abc import Callable, Sequence

import numpy as np

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.distance.exact import TILE, Floats
from nextlabel.kernels.distance.tiles import Distances

SPARE = 8
"""Neighbours measured beyond those wanted, so that rounding seldom needs a second pass."""

ROUNDING = 1e-12
"""A mean of square roots is off by less than this, relative to itself."""

VALUES = 2**23
"""Distances in memory at a time, 64 MB."""


def mean_neighbour_distances(
    distances: Distances,
    positions: Ids,
    neighbours: int,
    wanted: Ids | None = None,
    spare: int = SPARE,
) -> Floats:
    """Return the mean distance of each position to its nearest others among them.

    `neighbours` are averaged, or all others when there are fewer; the mean is 0 for a single
    position. Distances are direct differences, added from the smallest, in the metric's unit.
    `wanted` are the indices into `positions` whose means are returned, at least one, by default all
    (n). `spare` decides the speed alone.
    """
    n = len(positions)
    wanted = np.arange(n) if wanted is None else wanted
    count = min(neighbours, n - 1)
    if count < 1:
        return np.zeros(len(wanted))
    pairs = _pairs(distances, positions)
    return np.concatenate(
        [
            _some(distances, positions, pairs, some, count, spare)
            for some in _in_parts(distances, n, wanted)
        ]
    )


def most_typical(
    precisions: Sequence[Distances], positions: Ids, neighbours: int, candidates: Ids
) -> int:
    """Return the candidate with the smallest mean distance, the first of equals.

    Means are those of `mean_neighbour_distances`. Only those are measured that approximate
    distances leave in question.

    Parameters
    ----------
    precisions
        The distances among the same images, the coarsest first; the last measures directly.
    positions
        The images among which neighbours are, int64 (n).
    neighbours
        The number of neighbours.
    candidates
        Indices into `positions`, ascending, at least one; the result is one of them.

    """
    n = len(positions)
    count = min(neighbours, n - 1)
    if count < 1:
        return int(candidates[0])
    for distances in precisions:
        if len(candidates) > 1:
            parts = _in_parts(distances, n, candidates)
            bounds = [_bounds(distances, positions, some, count) for some in parts]
            lower, upper = np.concatenate(bounds, axis=1)
            candidates = candidates[lower <= upper.min()]
    if len(candidates) == 1:
        return int(candidates[0])
    means = mean_neighbour_distances(precisions[-1], positions, neighbours, candidates)
    return int(candidates[means.argmin()])


def _in_parts(distances: Distances, n: int, wanted: Ids) -> list[Ids]:
    """Return `wanted` in parts whose distances to n images fit into memory."""
    step = max(1, min(distances.tile_rows, VALUES // n))
    return [wanted[start : start + step] for start in range(0, len(wanted), step)]


def _to_others(distances: Distances, positions: Ids, some: Ids) -> Array:
    """Return the approximate squared distances (r, n) of some to all, infinite to themselves."""
    values = distances.table(positions[some], positions)
    values[np.arange(len(some)), some] = np.inf
    return values


def _error(distances: Distances, positions: Ids, some: Ids) -> Floats:
    """Return the largest error (r) of each row of these distances."""
    norms = distances.squared_norms[positions]
    return distances.error(norms[some], float(norms.max()))


def _bounds(distances: Distances, positions: Ids, some: Ids, count: int) -> Floats:
    """Return lower and upper bounds on the mean distances of some, (2, r).

    The i-th smallest of values that are each off by e at most is itself off by e at most.
    """
    values = _to_others(distances, positions, some)
    values.partition(count - 1, axis=1)
    nearest = values[:, :count]  # [r, count]
    error = _error(distances, positions, some)[:, None]
    least, most = np.sqrt(np.maximum(nearest - error, 0)), np.sqrt(nearest + error)
    return np.stack([least.mean(axis=1) * (1 - ROUNDING), most.mean(axis=1) * (1 + ROUNDING)])


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
    some: Ids,
    count: int,
    spare: int,
) -> Floats:
    """Return the mean distances (r) of some of the positions."""
    r, others = len(some), len(positions) - 1
    values = _to_others(distances, positions, some)  # [r, n]
    m = min(count + spare, others)
    order = np.argpartition(values, m, axis=1)[:, : m + 1]  # [r, m + 1]
    near = order[:, :m]
    direct = pairs(np.repeat(some, m), near.ravel()).reshape(-1, m)
    direct = np.sort(direct, axis=1)[:, :count]  # [r, count]
    if m < others:
        beyond = values[np.arange(r), order[:, m]]  # [r]: the nearest that was not measured
        error, farthest = _error(distances, positions, some), direct[:, -1]  # [r], [r]
        for i in np.flatnonzero((farthest > 0) & (beyond - error <= farthest)):
            maybe = np.flatnonzero(values[i] <= farthest[i] + error[i])
            measured = distances.from_one(int(positions[some[i]]), positions[maybe])
            direct[i] = np.sort(measured)[:count]
    return np.asarray(np.sqrt(direct).sum(axis=1) / count)
