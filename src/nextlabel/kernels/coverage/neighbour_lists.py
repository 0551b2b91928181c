"""Lists of the pairs in which a candidate would cover an image better than its centre does.

n candidates, m images, s of them in a sample; a tile has c candidates; p pairs.
"""

import numpy as np

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.coverage.covered_images import CoveredImages

SAMPLE = 256
"""Images whose pairs are counted to estimate the number of all."""


def estimated_pairs(images: CoveredImages, numbers: Ids) -> float:
    """Return about how many pairs of a candidate and one of some images (m) raise its coverage."""
    m, kernel = len(numbers), images.quick
    if not m:
        return 0.0
    sample = numbers[np.unique(np.linspace(0, m - 1, min(SAMPLE, m)).astype(np.int64))]  # [s]
    columns, count = kernel.distances.rows_at(images.positions[sample]), 0
    for candidates in kernel.distances.each_rows_at():
        exponents = kernel.exponents(candidates, columns)  # [c, s]
        count += int(np.count_nonzero(exponents >= images.least[sample]))
    return count * m / len(sample)


class NeighbourLists:
    """Pairs of an image and a candidate with their kernel value, by image."""

    def __init__(self, candidates: int, images: int) -> None:
        self.shape, self.count = (candidates, images), 0
        self._added: list[tuple[Array, Array, Array]] = []

    def add(self, images: Ids, candidates: Ids, values: Array) -> None:
        """Add pairs: three arrays of one length."""
        self.count += len(values)
        self._added.append((images.astype(np.int32), candidates.astype(np.int32), values.copy()))

    def close(self) -> None:
        """Sort the pairs by image."""
        from scipy.sparse import coo_array

        none = np.empty(0, np.int32)
        pairs = [(none, none, np.empty(0)), *self._added]
        images, candidates, values = (np.concatenate(column) for column in zip(*pairs, strict=True))
        self._added.clear()
        both = coo_array((values, (images, candidates)), shape=self.shape[::-1])
        self._by_image = both.tocsr()

    def of_images(self, numbers: Ids) -> tuple[Ids, Ids, Array]:
        """Return (index into `numbers`, candidate, kernel value) of all pairs of some images."""
        rows = self._by_image[numbers]  # [numbers, n], sparse, with p values
        index = np.repeat(np.arange(len(numbers)), np.diff(rows.indptr))  # [p]
        return index, rows.indices.astype(np.int64), rows.data
