"""Clusters by average linkage: hierarchical agglomerative clustering, by SciPy.

n images.
"""

import numpy as np

from nextlabel.core.errors import UsageError
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.distance.exact import Metric

MOST = 20_000
"""The largest number of images; their table of distances takes 1.6 GB, and grows with n²."""


def average_linkage(metric: Metric, ids: Ids, count: int) -> Array:
    """Return the cluster of each of `ids`, int64 (n), when the nearest pair merges until `count`.

    The distance of two clusters is the mean distance between their images. Ties may leave fewer
    clusters. Takes 8 n²/2 bytes.

    Parameters
    ----------
    metric
        The distances.
    ids
        The images, int64 (n).
    count
        The number of clusters to stop at, at least 1.

    Raises
    ------
    UsageError
        There are more than `MOST` images.
    """
    n = len(ids)
    if n > MOST:
        raise UsageError(
            f"average linkage of {n:,} images needs a table of {n * n // 2:,} distances; give at "
            f"most {MOST:,} images, or use badge or typiclust",
            code="too-many-images",
        )
    if count >= n:
        return np.arange(n)
    from scipy.cluster.hierarchy import fcluster, linkage

    distances = np.empty(n * (n - 1) // 2)  # the upper triangle, row after row: [n (n - 1) / 2]
    start = 0
    for position in range(n - 1):
        rest = ids[position + 1 :]  # [n - 1 - position]
        squared = metric.squared_distances(rest, metric.row(int(ids[position])))  # [len(rest)]
        distances[start : start + len(rest)] = np.sqrt(squared)
        start += len(rest)
    tree = linkage(distances, "average")  # [n - 1, 4], as SciPy has it
    return np.asarray(fcluster(tree, count, "maxclust"), np.int64) - 1
