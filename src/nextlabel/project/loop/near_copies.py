"""Near-copies: images so close in the space that one card shows them all.

n images, d columns.
"""

import numpy as np

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.equal_rows import first_equal

NEAR = 0.05
"""The largest distance of near-copies, as a share of the RMS distance between images."""
NEIGHBOURS = 5
"""Nearest neighbours of each image that are compared."""
AXES = 6
"""Principal axes by which neighbours are looked up."""


def near_copies(rows: Array, near: float = NEAR, neighbours: int = NEIGHBOURS) -> Ids:
    """Return the group of each image: the position of its first image, int64 (n).

    Two images are linked when each is among the nearest of the other or the other way round, and
    their distance is at most `near` of the RMS distance of all; a group is what is linked.

    Parameters
    ----------
    rows : array (n, d)
        The rows of the images.
    near : float
        The largest distance, as a share.
    neighbours : int
        The number of nearest images that are compared.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    equal = first_equal(rows)
    different = np.unique(equal)
    if len(different) < len(rows):
        first = different[near_copies(rows[different], near, neighbours)]
        return np.asarray(first[np.searchsorted(different, equal)])
    n = len(rows)
    if n < 2:
        return np.arange(n)
    centred = np.asarray(rows, np.float64) - rows.mean(axis=0, dtype=np.float64)
    limit = near * float(np.sqrt(2 * (centred**2).sum() / (n - 1)))
    values, vectors = np.linalg.eigh(centred.T @ centred)
    seen = centred @ vectors[:, np.argsort(-values)[:AXES]]  # a distance here is never larger
    count = min(neighbours + 1, n)
    bound = limit * (1 + 1e-9)
    distances, nearest = map(
        np.asarray, cKDTree(seen).query(seen, count, distance_upper_bound=bound)
    )
    first = np.repeat(np.arange(n), count)
    second = nearest.ravel()
    kept = np.isfinite(distances.ravel()) & (second != first)
    first, second = first[kept], second[kept]
    near_enough = np.empty(len(first), bool)
    for start in range(0, len(first), 65536):
        span = slice(start, start + 65536)
        apart = centred[first[span]] - centred[second[span]]
        near_enough[span] = np.sqrt((apart**2).sum(axis=1)) <= limit
    links = (np.ones(int(near_enough.sum())), (first[near_enough], second[near_enough]))
    _, groups = connected_components(coo_matrix(links, shape=(n, n)), directed=False)
    smallest = np.full(int(groups.max()) + 1, n)
    np.minimum.at(smallest, groups, np.arange(n))
    return np.asarray(smallest[groups], np.int64)
