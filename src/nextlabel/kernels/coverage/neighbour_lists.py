"""Lists of the pairs in which a candidate would cover an image better than its centre does.

n images, which are the candidates too.
"""

import numpy as np

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.coverage.gaussian_kernel import GaussianKernel

SAMPLE = 256
"""Images whose pairs are counted to estimate the number of all."""


def estimated_pairs(kernel: GaussianKernel, images: Ids, limits: Array) -> float:
    """Return about how many pairs of a candidate and one of `images` are within its limit (n)."""
    m = len(images)
    if not m:
        return 0.0
    sample = images[np.unique(np.linspace(0, m - 1, min(SAMPLE, m)).astype(np.int64))]
    columns, count = kernel.distances.rows_at(sample), 0
    for candidates in kernel.distances.each_rows_at():
        squared = kernel.squared_distances(candidates, columns)  # [c, sample]
        count += int(np.count_nonzero(squared <= limits[sample]))
    return count * m / len(sample)


class NeighbourLists:
    """Pairs of an image and a candidate with their kernel value, by image and by candidate."""

    def __init__(self, size: int) -> None:
        self.size, self.count, self._added = size, 0, list[tuple[Array, Array, Array]]()

    def add(self, images: Ids, candidates: Ids, values: Array) -> None:
        """Add pairs: three arrays of one length."""
        self.count += len(values)
        self._added.append((images.astype(np.int32), candidates.astype(np.int32), values.copy()))

    def close(self) -> None:
        """Sort the pairs by image and by candidate."""
        from scipy.sparse import coo_array

        none = np.empty(0, np.int32)
        pairs = [(none, none, np.empty(0)), *self._added]
        images, candidates, values = (np.concatenate(column) for column in zip(*pairs, strict=True))
        self._added.clear()
        both = coo_array((values, (images, candidates)), shape=(self.size, self.size))
        self._by_image = both.tocsr()
        self._by_candidate = self._by_image.tocsc()

    def of_candidate(self, position: int) -> tuple[Ids, Array]:
        """Return the images that a candidate may cover, and its kernel value at each."""
        pairs = self._by_candidate
        span = slice(pairs.indptr[position], pairs.indptr[position + 1])
        return pairs.indices[span].astype(np.int64), pairs.data[span]

    def of_images(self, positions: Ids) -> tuple[Ids, Ids, Array]:
        """Return (index into `positions`, candidate, kernel value) of all pairs of some images."""
        rows = self._by_image[positions]
        index = np.repeat(np.arange(len(positions)), np.diff(rows.indptr))
        return index, rows.indices.astype(np.int64), rows.data
