"""ProbCover: greedily the image whose ball of radius δ holds most images that no ball holds yet.

Yehuda et al., Active learning through a covering lens, 2022, https://arxiv.org/abs/2205.11320.
Balls are closed. Once all images are covered, those in the fewest balls count: a second cover
begins, and so on. This depends on the labelled and picked images alone, not on their order.

n open (unlabelled) images, which are the candidates too; a tile has r rows and c columns.
"""

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.carried import Carried, digest
from nextlabel.core.pool import Pool
from nextlabel.core.space.embedding import Embedding
from nextlabel.core.types import Ids, as_ids
from nextlabel.kernels.coverage.ball_counts import STANDARD, BallCounts, BallTuning
from nextlabel.kernels.coverage.carried_cover import resumed
from nextlabel.kernels.distance.exact import Metric, does_not_vary
from nextlabel.kernels.inputs import metric_and_pool


def ball_cover(
    features: object,
    labelled: object,
    budget: int,
    radius: float,
    *,
    excluded: object = (),
    references: object = None,
    carried: Carried | None = None,
    tuning: BallTuning = STANDARD,
) -> Ids:
    """Return ids, each covering most of the images in the fewest balls; ties: the smallest id.

    Balls about the labelled count from the beginning. Pairs are decided by direct differences in
    float64. Takes O(N) memory in addition to the features and at most about 300 MB of bits.

    Parameters
    ----------
    features
        An Embedding or one array (N, d) of real numbers.
    labelled
        Ids of labelled images.
    budget
        The number of ids to pick.
    radius
        δ, a distance in the space of the features.
    excluded
        Ids that are neither picked nor covered.
    references
        Ids of the images that are covered; all by default. The share of all images that a ball
        holds is off by at most sqrt(ln(2/p) / 2m) in all but a share p of the random samples of
        m images (Hoeffding 1963).
    carried
        Numbers of an earlier call with the same images and fewer labels. The picks are the same
        with it.
    tuning
        Sizes for speed and memory.

    Returns
    -------
    Ids
        Ids in the order of choice, int64 (budget).

    Raises
    ------
    DataError
        The features are not a table of finite numbers.
    UnknownId, AlreadyLabelled, BudgetError
        The ids or the budget do not fit the pool.

    Warns
    -----
    UserWarning
        All rows are the same.

    """
    features = Embedding.of(features)
    metric, pool = metric_and_pool(features, labelled, excluded, budget)
    if budget == 0 or does_not_vary(metric):
        return pool.unlabelled[:budget].copy()
    delta = radius * metric.distance_unit
    squared = delta * delta

    def begin() -> BallCounts:
        return BallCounts(metric, pool, _counted(pool, references), squared, tuning)

    def content() -> bytes:
        covered = "all" if references is None else as_ids(references, pool.size)
        return digest(features.digest, covered, squared, np.sort(pool.excluded), tuning)

    counts = resumed(carried, "ball_cover", content, pool, begin)
    return counts.ids[counts.picks(budget)]


def _counted(pool: Pool, references: object) -> NDArray[np.bool_]:
    """Return which of the open images are covered (n): the references, or all for None."""
    if references is None:
        return np.ones(len(pool.unlabelled), bool)
    return np.isin(pool.unlabelled, as_ids(references, pool.size))


def newly_covered(
    features: object, pool: Pool, chosen: Ids, radius: float, references: object = None
) -> Ids:
    """Return how many of the images in the fewest balls each pick covered when it was picked.

    Parameters
    ----------
    features
        An Embedding or one array (N, d) of real numbers.
    pool
        The labelled images before the first pick.
    chosen
        Ids in the order of choice, int64 (B).
    radius
        δ, a distance in the space of the features.
    references
        Ids of the images that are covered; all by default.

    Returns
    -------
    Ids
        Numbers, int64 (B).
    """
    metric = Metric(Embedding.of(features))
    delta = radius * metric.distance_unit
    counts = BallCounts(metric, pool, _counted(pool, references), delta * delta, STANDARD)
    numbers = np.zeros(len(chosen), np.int64)
    for k, pick in enumerate(chosen.tolist()):
        targets = counts.in_fewest_balls()  # [n]
        squared = metric.squared_distances(pool.unlabelled, metric.row(pick))  # [n]
        inside = squared <= counts.squared_radius  # [n]
        numbers[k] = (inside & targets).sum()
        counts.balls += inside
        counts.unpicked &= pool.unlabelled != pick
    return numbers
