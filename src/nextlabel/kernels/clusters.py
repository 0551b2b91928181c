"""k-means in a feature space, by scikit-learn, on one thread and from one generator."""

import warnings

import numpy as np

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.distance.products import Screen

FEW = 50
"""Up to so many clusters k-means runs on all images, beyond on mini-batches (Hacohen et al.)."""

BATCH = 5000


def k_means(metric: Metric, ids: Ids, count: int, rng: np.random.Generator) -> Array:
    """Return the cluster, 0 … count - 1, of each of `ids`, int64; a cluster may be empty.

    k-means++ beginnings are drawn from `rng`. Rows are copied for its duration, as float32 about
    their mean. Equal rows share a cluster.
    """
    if count >= len(ids):
        return np.arange(len(ids))
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    seed = int(rng.integers(2**31))
    if count <= FEW:
        means = KMeans(count, n_init=1, random_state=seed)
    else:
        means = MiniBatchKMeans(count, n_init=1, batch_size=BATCH, random_state=seed)
    with warnings.catch_warnings(), threadpool_limits(1):
        # Fewer distinct rows than clusters leave some empty, which is what is wanted then.
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = means.fit_predict(_matrix(metric, ids))
    return np.asarray(found, np.int64)


def _matrix(metric: Metric, ids: Ids) -> Array:
    screen = Screen(metric)
    matrix = np.empty((len(ids), metric.dimensions), np.float32)
    for start in range(0, len(ids), 2048):
        span, column = slice(start, start + 2048), 0
        for part, rows in zip(metric.parts, screen.rows(ids[span], np.float64), strict=True):
            width = rows.shape[1]
            matrix[span, column : column + width] = rows * np.sqrt(part.weight)
            column += width
    return matrix
