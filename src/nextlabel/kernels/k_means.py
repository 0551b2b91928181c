"""k-means in a feature space, by scikit-learn, on one thread and from one generator.

n images to cluster, d columns of all blocks.
"""

import math
import warnings

import numpy as np

from nextlabel.core.progress import part_of_preparation, prepared
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.distance.exact import TILE, Metric
from nextlabel.kernels.distance.products import FloatType, ShiftedRows
from nextlabel.kernels.initial_means import initial_means
from nextlabel.kernels.repeated_draws import RepeatedDraws

FEW = 50
"""The largest number of clusters for k-means on all images; beyond, mini-batches (Hacohen)."""

BATCH = 5000

BEGINNING = 0.4
"""Share of the time of many clusters that goes into the initial means, about."""


def k_means(
    metric: Metric, ids: Ids, count: int, rng: np.random.Generator, few: int = FEW
) -> Array:
    """Return the cluster, 0 … count - 1, of each of `ids`, int64 (n); a cluster may be empty.

    Rows are copied for its duration, as float32 about their mean. Equal rows share a cluster.

    Parameters
    ----------
    metric
        The rows.
    ids
        The images to cluster, int64 (n).
    count
        The number of clusters; with as many images or fewer, each is a cluster of its own.
    rng
        The source of the initial means of k-means++.
    few
        The largest number of clusters that use all images; more are made from mini-batches.
    """
    if count >= len(ids):
        return np.arange(len(ids))
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    draws = RepeatedDraws(int(rng.integers(2**31)))
    matrix = _matrix(metric, ids)
    prepared(0)
    if count <= few:
        means = KMeans(count, n_init=1, random_state=draws, copy_x=False)
    else:
        means = MiniBatchKMeans(
            count, init=initial_means, n_init=1, batch_size=BATCH, random_state=draws
        )
    with warnings.catch_warnings(), threadpool_limits(1), part_of_preparation(0, BEGINNING):
        # Fewer distinct rows than clusters leave some empty, as they should.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(means.fit_predict(matrix), np.int64)


def _matrix(metric: Metric, ids: Ids) -> Array:
    """Return the weighted rows of all blocks next to each other, float32 (n, d)."""
    shifted = ShiftedRows(metric)
    matrix = np.empty((len(ids), metric.dimensions), np.float32)  # [n, d]
    weights = [math.sqrt(block.squared_weight) for block in metric.blocks]
    precision: FloatType = np.float32 if all(weight == 1 for weight in weights) else np.float64
    for start in range(0, len(ids), TILE):
        span, column = slice(start, start + TILE), 0
        for weight, rows in zip(weights, shifted.rows(ids[span], precision), strict=True):
            width = rows.shape[1]
            matrix[span, column : column + width] = rows if weight == 1 else rows * weight
            column += width
    return matrix
