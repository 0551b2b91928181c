"""Plain float64 numpy: the definition of the right ids.

The functions share no code with the fast kernels, which must give the same ids. They are written
from the blocks of an embedding, pairs of an array and its factor, alone. Every squared distance is
a direct difference: (u - v)² is summed along a row, multiplied by the squared factor, and added
block by block. Equal rows tie exactly, whole numbers are exact, and ties go to the smallest id.

N images, B blocks, d_b columns of block b, U unlabelled ids, L labelled ids.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.pool import Pool
from nextlabel.core.space.embedding import Embedding
from nextlabel.core.types import Ids, as_ids

Floats = NDArray[np.float64]


class Space(NamedTuple):
    """The rows of an embedding in a unit in which their squares neither overflow nor vanish.

    A distance of the embedding times `scale` is a distance here.
    """

    arrays: list[Floats]
    squared_factors: list[float]
    scale: float

    def squared_distances(self, row: list[Floats]) -> Floats:
        """Return the squared distance of every row (N) to one, given block by block (d_b)."""
        total = np.zeros(len(self.arrays[0]))  # [N]
        for array, squared_factor, one in zip(self.arrays, self.squared_factors, row, strict=True):
            total = total + squared_factor * ((array - one) ** 2).sum(axis=1)  # [N]
        return total

    def distances_from(self, image: int) -> Floats:
        """Return the squared distance of every row (N) to the row of an image."""
        return self.squared_distances([array[image] for array in self.arrays])

    @property
    def constant(self) -> bool:
        """True if all rows are the same."""
        return all(bool((array == array[:1]).all()) for array in self.arrays)


def space_of(embedding: Embedding) -> Space:
    """Return the rows of an embedding in units that are powers of two, which round nothing.

    A block whose largest value is between 2^-8 and 2^8 keeps its unit. The factor of a single
    block is common to all distances and decides nothing, so it enters `scale` alone.
    """
    exponents = []
    for array, _ in embedding.blocks:
        exponent = math.frexp(float(np.abs(np.array(array, np.float64)).max(initial=0)))[1]
        exponents.append(0 if -8 <= exponent <= 8 else max(exponent, -1000))
    units = [math.ldexp(1.0, -exponent) for exponent in exponents]
    arrays = [
        np.array(array, np.float64, order="C") * unit
        for (array, _), unit in zip(embedding.blocks, units, strict=True)
    ]
    if len(arrays) == 1:
        factor = abs(embedding.blocks[0][1])
        return Space(arrays, [1.0], units[0] / factor if factor else 1.0)
    # Block b counts factor_b · 2^exponent_b in the embedding; the largest is brought below 1.
    pairs = [math.frexp(factor) for _, factor in embedding.blocks]
    top = max(power + extra for (_, power), extra in zip(pairs, exponents, strict=True))
    factors = [
        math.ldexp(mantissa, power + extra - top)
        for (mantissa, power), extra in zip(pairs, exponents, strict=True)
    ]
    return Space(arrays, [factor * factor for factor in factors], math.ldexp(1.0, -top))


def farthest_first(features: object, labelled: object, budget: int, excluded: object = ()) -> Ids:
    """Return the ids of greedy k-centre: argmax over U of min over L of ‖u - ℓ‖², equation 1."""
    space, pool = _prepare(features, labelled, budget, excluded)
    nearest = _nearest(space, pool)  # [N]
    picks: list[int] = []
    while len(picks) < budget:
        unlabelled = _unlabelled(pool, picks)
        if not pool.labelled_count and not picks:
            pick = _nearest_to_mean(space, unlabelled)
        else:
            pick = int(unlabelled[nearest[unlabelled].argmax()])
        nearest = np.minimum(nearest, space.distances_from(pick))
        picks.append(pick)
    return np.array(picks, np.int64)


def farthest_from_mean(
    features: object, labelled: object, budget: int, excluded: object = ()
) -> Ids:
    """Return the ids of MedAL: argmax over U of the mean over L of ‖u - ℓ‖², equation 2.

    The divisor |L| of the mean is the same for every candidate and left out. Sums of whole numbers
    then stay exact, so that points which tie compare equal.
    """
    space, pool = _prepare(features, labelled, budget, excluded)
    total = np.zeros(pool.size)  # [N]
    for image in pool.labelled:
        total = total + space.distances_from(image)
    picks: list[int] = []
    while len(picks) < budget:
        unlabelled = _unlabelled(pool, picks)
        if not pool.labelled_count and not picks:
            pick = _nearest_to_mean(space, unlabelled)
        else:
            pick = int(unlabelled[total[unlabelled].argmax()])
        total = total + space.distances_from(pick)
        picks.append(pick)
    return np.array(picks, np.int64)


def max_herding(
    features: object,
    labelled: object,
    budget: int,
    bandwidth: float,
    weights: object = None,
    excluded: object = (),
) -> Ids:
    """Return the ids of MaxHerding: argmax over U of Σ_x w_x max(k(x, u) - max_L k(x, ℓ), 0).

    k(x, u) is exp(-‖x - u‖²/σ²), and at σ = 0 it is 1 for copies and else 0; x runs over all images
    but the excluded. Sums are correctly rounded, so that their order does not matter.
    """
    space, pool = _prepare(features, labelled, budget, excluded)
    if space.constant:
        return pool.unlabelled[:budget].copy()
    image_weights = np.ones(pool.size) if weights is None else np.array(weights, np.float64)  # [N]
    image_weights[pool.excluded] = 0
    sigma = bandwidth * space.scale
    squared_bandwidth = sigma * sigma
    nearest = _nearest(space, pool)  # [N]
    picks: list[int] = []
    while len(picks) < budget:
        coverage = _gaussian(nearest, squared_bandwidth)  # [N]
        gains = {}
        for image in _unlabelled(pool, picks):
            kernel = _gaussian(space.distances_from(image), squared_bandwidth)  # [N]
            gain = np.maximum(kernel - coverage, 0) * image_weights  # [N]
            gains[int(image)] = math.fsum(gain.tolist())
        pick = max(gains, key=lambda image: (gains[image], -image))
        nearest = np.minimum(nearest, space.distances_from(pick))
        picks.append(pick)
    return np.array(picks, np.int64)


def ball_cover(
    features: object,
    labelled: object,
    budget: int,
    radius: float,
    excluded: object = (),
    references: object = None,
) -> Ids:
    """Return the ids of ProbCover: argmax over U of the images in the fewest balls within δ of u.

    Balls of radius δ are about L and all picks; they are counted again after each pick. The images
    that count are those of U in the fewest balls; only `references` count, while one is in U.
    """
    space, pool = _prepare(features, labelled, budget, excluded)
    if space.constant:
        return pool.unlabelled[:budget].copy()
    delta = radius * space.scale
    squared_radius = delta * delta
    picks: list[int] = []
    while len(picks) < budget:
        balls = np.zeros(pool.size, np.int64)  # [N]
        for image in [*pool.labelled, *picks]:
            balls += space.distances_from(image) <= squared_radius
        unlabelled = _unlabelled(pool, picks)
        to_cover = unlabelled
        if references is not None and np.isin(unlabelled, as_ids(references)).any():
            to_cover = unlabelled[np.isin(unlabelled, as_ids(references))]
        least_covered = to_cover[balls[to_cover] == balls[to_cover].min()]
        gains = {}
        for image in unlabelled:
            inside = space.distances_from(image)[least_covered] <= squared_radius
            gains[int(image)] = int(inside.sum())
        picks.append(max(gains, key=lambda image: (gains[image], -image)))
    return np.array(picks, np.int64)


def _prepare(
    features: object, labelled: object, budget: int, excluded: object
) -> tuple[Space, Pool]:
    embedding = Embedding.of(features)
    pool = Pool(len(embedding), as_ids(labelled), as_ids(excluded))
    pool.check_budget(budget)
    return space_of(embedding), pool


def _unlabelled(pool: Pool, picks: list[int]) -> Ids:
    return pool.unlabelled[~np.isin(pool.unlabelled, picks)]


def _nearest(space: Space, pool: Pool) -> Floats:
    """Return the squared distance of every row (N) to its nearest labelled one; inf without any."""
    nearest = np.full(pool.size, np.inf)
    for image in pool.labelled:
        nearest = np.minimum(nearest, space.distances_from(image))
    return nearest


def _nearest_to_mean(space: Space, unlabelled: Ids) -> int:
    """Return the candidate nearest to the mean x_0 + Σ (x_i - x_0) / n, added in order of ids."""
    mean = []
    for array in space.arrays:
        first, total = array[unlabelled[0]], np.zeros(array.shape[1])  # [d_b]
        for row in array[unlabelled]:
            total = total + (row - first)
        mean.append(first + total / len(unlabelled))
    return int(unlabelled[space.squared_distances(mean)[unlabelled].argmin()])


def _gaussian(squared_distances: Floats, squared_bandwidth: float) -> Floats:
    """Return exp(-‖x - u‖²/σ²), 0 beyond e^-700; a σ² below 2^-900 is 0."""
    if squared_bandwidth < 2.0**-900:
        return np.asarray(squared_distances == 0, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        exponents = squared_distances / squared_bandwidth
    exponents[np.isinf(squared_distances)] = np.inf  # also for an infinite bandwidth
    kernel = np.exp(-np.minimum(exponents, 700.0))
    kernel[exponents > 700.0] = 0.0
    return np.asarray(kernel)
