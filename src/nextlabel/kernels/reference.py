"""Plain float64 numpy: the definition of which ids are right.

Every squared distance is a direct difference, (u - v)² summed along a row and, with several
blocks, weighted and added block by block. Rows that are the same tie exactly, whole numbers are
exact altogether, and ties go to the smallest id. Everything is recomputed plainly, in
O(N·d) memory; the fast kernels must give the same ids.
"""

import math

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.feature_space import Embedding
from nextlabel.core.pool import Pool
from nextlabel.core.types import Ids, as_ids
from nextlabel.kernels.coverage.gaussian_kernel import gaussian
from nextlabel.kernels.distance.exact import Metric, parts_of
from nextlabel.kernels.distance.tiles import unit

Blocks = list[tuple[NDArray[np.float64], float]]


def farthest_first(features: object, labelled: object, budget: int, excluded: object = ()) -> Ids:
    """Return the ids of greedy k-centre: argmax over U of min over L of ‖u - ℓ‖², equation 1."""
    blocks, pool = _prepare(features, labelled, budget, excluded)
    nearest = np.full(pool.size, np.inf)
    for row in pool.labelled:
        nearest = np.minimum(nearest, _squared_distances(blocks, _row(blocks, int(row))))
    picks: list[int] = []
    while len(picks) < budget:
        free = _free(pool, picks)
        if not pool.labelled_count and not picks:
            pick = _nearest_to_mean(blocks, free)
        else:
            pick = int(free[nearest[free].argmax()])
        nearest = np.minimum(nearest, _squared_distances(blocks, _row(blocks, pick)))
        picks.append(pick)
    return np.array(picks, np.int64)


def farthest_from_mean(
    features: object, labelled: object, budget: int, excluded: object = ()
) -> Ids:
    """Return the ids of MedAL: argmax over U of the mean over L of ‖u - ℓ‖², equation 2, literally.

    The mean's divisor |L| is the same for every candidate and left out: sums of whole numbers
    then stay exact, so that points which tie do compare equal.
    """
    blocks, pool = _prepare(features, labelled, budget, excluded)
    total = np.zeros(pool.size)
    for row in pool.labelled:
        total = total + _squared_distances(blocks, _row(blocks, int(row)))
    picks: list[int] = []
    while len(picks) < budget:
        free = _free(pool, picks)
        if not pool.labelled_count and not picks:
            pick = _nearest_to_mean(blocks, free)
        else:
            pick = int(free[total[free].argmax()])
        total = total + _squared_distances(blocks, _row(blocks, pick))
        picks.append(pick)
    return np.array(picks, np.int64)


def _prepare(
    features: object, labelled: object, budget: int, excluded: object
) -> tuple[Blocks, Pool]:
    embedding = Embedding.of(features)
    pool = Pool(len(embedding), as_ids(labelled), as_ids(excluded))
    pool.check_budget(budget)
    # The unit is a power of two: it keeps 1e200 from overflowing and changes no bit otherwise.
    blocks = [
        (np.array(part.array, np.float64, order="C") * part.unit, part.weight)
        for part in parts_of(embedding)
    ]
    return blocks, pool


def _row(blocks: Blocks, row: int) -> list[NDArray[np.float64]]:
    return [x[row] for x, _ in blocks]


def _squared_distances(blocks: Blocks, centre: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    total = np.zeros(len(blocks[0][0]))
    for (x, weight), c in zip(blocks, centre, strict=True):
        total = total + weight * ((x - c) ** 2).sum(axis=1)
    return total


def _free(pool: Pool, picks: list[int]) -> Ids:
    return pool.unlabelled[~np.isin(pool.unlabelled, picks)]


def _nearest_to_mean(blocks: Blocks, free: Ids) -> int:
    """Return the candidate nearest to the mean x_0 + Σ (x_i - x_0) / n, added in order of ids."""
    mean = []
    for x, _ in blocks:
        total = np.zeros(x.shape[1])
        for row in x[free]:
            total = total + (row - x[free[0]])
        mean.append(x[free[0]] + total / len(free))
    return int(free[_squared_distances(blocks, mean)[free].argmin()])


def max_herding(
    features: object,
    labelled: object,
    budget: int,
    bandwidth: float,
    weights: object = None,
    excluded: object = (),
) -> Ids:
    """Return the ids of MaxHerding: argmax over U of Σ_x w_x max(k(x, u) - max_L k(x, ℓ), 0).

    k is exp(-‖x - u‖²/σ²), or whether two are copies at σ = 0; x runs over all but the excluded.
    Sums are correctly rounded, so that their order is of no account.
    """
    blocks, pool = _prepare(features, labelled, budget, excluded)
    own = bandwidth * unit(Metric(Embedding.of(features)), Embedding.of(features))
    width = own * own
    weight = np.ones(pool.size) if weights is None else np.array(weights, np.float64)
    weight[pool.excluded] = 0
    if _constant(blocks):
        return pool.unlabelled[:budget].copy()
    nearest = np.full(pool.size, np.inf)
    for row in pool.labelled:
        nearest = np.minimum(nearest, _squared_distances(blocks, _row(blocks, int(row))))
    picks: list[int] = []
    while len(picks) < budget:
        gains, covered = {}, gaussian(nearest, width)
        for u in _free(pool, picks):
            k = gaussian(_squared_distances(blocks, _row(blocks, int(u))), width)
            more = np.maximum(k - covered, 0) * weight
            gains[int(u)] = math.fsum(more.tolist())
        pick = max(gains, key=lambda u: (gains[u], -u))
        nearest = np.minimum(nearest, _squared_distances(blocks, _row(blocks, pick)))
        picks.append(pick)
    return np.array(picks, np.int64)


def ball_cover(
    features: object, labelled: object, budget: int, radius: float, excluded: object = ()
) -> Ids:
    """Return the ids of ProbCover: argmax over U of how many in the fewest balls are within δ of u.

    The images counted are those of U, and balls those about L, both after each pick.
    """
    blocks, pool = _prepare(features, labelled, budget, excluded)
    squared = (radius * unit(Metric(Embedding.of(features)), Embedding.of(features))) ** 2
    if _constant(blocks):
        return pool.unlabelled[:budget].copy()
    picks: list[int] = []
    while len(picks) < budget:
        times = np.zeros(pool.size, np.int64)
        for row in [*pool.labelled, *picks]:
            times += _squared_distances(blocks, _row(blocks, int(row))) <= squared
        free = _free(pool, picks)
        aim = free[times[free] == times[free].min()]
        gains = {}
        for u in free:
            distances = _squared_distances(blocks, _row(blocks, int(u)))
            gains[int(u)] = int((distances[aim] <= squared).sum())
        picks.append(max(gains, key=lambda u: (gains[u], -u)))
    return np.array(picks, np.int64)


def _constant(blocks: Blocks) -> bool:
    return all(bool((x == x[:1]).all()) for x, _ in blocks)
