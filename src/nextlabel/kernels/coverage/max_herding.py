"""MaxHerding: greedily the image that raises Σ_x w_x max_s k(x, s) most, s labelled or picked.

Bae et al., Generalized coverage for more robust low-budget active learning, 2024,
https://arxiv.org/abs/2407.12212; with weights it is the uncertainty coverage of Uncertainty
herding, 2024, https://arxiv.org/abs/2412.20644.

N images, d columns, n open (unlabelled) images.
"""

import numpy as np

from nextlabel.core.carried import Carried, digest
from nextlabel.core.errors import DataError
from nextlabel.core.space.embedding import Embedding
from nextlabel.core.types import Ids, as_array, as_ids
from nextlabel.kernels.coverage.carried_cover import resumed
from nextlabel.kernels.coverage.covered_images import CoveredImages
from nextlabel.kernels.coverage.gains import Gains
from nextlabel.kernels.coverage.near_pairs import NearPairs
from nextlabel.kernels.coverage.tuning import STANDARD, HerdingTuning
from nextlabel.kernels.distance.exact import Floats, does_not_vary
from nextlabel.kernels.inputs import metric_and_pool


def max_herding(
    features: object,
    labelled: object,
    budget: int,
    bandwidth: float,
    *,
    weights: object = None,
    excluded: object = (),
    references: object = None,
    carried: Carried | None = None,
    tuning: HerdingTuning = STANDARD,
) -> Ids:
    """Return ids, each raising the coverage of all images most; ties go to the smallest id.

    Direct differences in float64 and a correctly rounded sum decide. Takes O(N) memory in addition
    to the features, and at most about 400 MB of lists and tiles.

    Parameters
    ----------
    features
        An Embedding or one array (N, d) of real numbers.
    labelled
        Ids of labelled images.
    budget
        The number of ids to pick.
    bandwidth
        σ, a distance in the space of the features; at 0 only copies are similar.
    weights
        One number of at least 0 per image, shape (N,); 1 by default.
    excluded
        Ids that are neither picked nor covered.
    references
        Ids of the images that are covered; all by default. With a random sample of m of them, the
        sum over all images is estimated without bias from the sample's: the mean rise in
        similarity of a candidate, between 0 and 1, is off by at most sqrt(ln(2/p) / 2m) in all
        but a share p of the samples (Hoeffding 1963), that is 0.014 for m = 10,000 and p = 0.05.
    carried
        What an earlier call with the same images and fewer labels left: its gains, or with
        weights, which change from round to round, the pairs of images near to one another. The
        picks are the same with it.
    tuning
        Sizes for speed and memory.

    Returns
    -------
    Ids
        Ids in the order of choice, int64 (budget).

    Raises
    ------
    DataError
        The features are not a table of finite numbers, or the weights do not fit.
    UnknownId, AlreadyLabelled, BudgetError
        The ids or the budget do not fit the pool.

    Warns
    -----
    UserWarning
        All rows are the same.

    """
    features = Embedding.of(features)
    metric, pool = metric_and_pool(features, labelled, excluded, budget)
    image_weights = checked_weights(weights, pool.size)  # [N]
    if references is not None:
        image_weights[~np.isin(np.arange(pool.size), as_ids(references, pool.size))] = 0
    if budget == 0 or does_not_vary(metric):
        return pool.unlabelled[:budget].copy()
    sigma = bandwidth * metric.distance_unit
    squared = min(sigma * sigma, float(np.finfo(np.float64).max))  # ∞ / ∞ would be NaN

    def begin(near: NearPairs | None = None) -> Gains:
        covered = CoveredImages(metric, pool, image_weights[pool.unlabelled], squared, tuning)
        return Gains(covered, tuning, near, keep_near=carried is not None)

    def content() -> bytes:
        return digest(features.digest, image_weights, squared, np.sort(pool.excluded), tuning)

    if weights is None or carried is None:
        gains = resumed(carried, "max_herding", content, pool, begin)
        return gains.ids[gains.picks(budget)]
    # Weights change with each round, but not which candidates are nearer than a centre.
    gains = begin(carried.get("near_pairs", features.digest))
    positions = gains.picks(budget)
    carried.keep("near_pairs", features.digest, gains.near)
    return gains.ids[positions]


def checked_weights(weights: object, size: int) -> Floats:
    """Return weights as float64 (N), ones for None; DataError for values that cannot be weights."""
    if weights is None:
        return np.ones(size)
    numbers = np.asarray(as_array(weights), np.float64)
    if numbers.shape != (size,):
        raise DataError(
            f"weights have shape {numbers.shape} for {size} images; give one per image",
            code="weights-shape",
        )
    bad = np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))  # [bad]
    if bad.size:
        raise DataError(
            f"weight {numbers[bad[0]]:g} of image {bad[0]} must be finite and at least 0; "
            "correct it",
            code="bad-weight",
        )
    return numbers
