"""Which images a candidate would cover better than they are: lists, once they fit in memory."""

import numpy as np

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.coverage.gaussian_kernel import Gaussian

PAIRS = 2**23
"""Pairs in lists, at 24 bytes each when sorted both ways."""

SAMPLE = 256
"""Images whose lists are counted to tell how long all would be."""


def pairs_alive(kernel: Gaussian, limits: Array) -> float:
    """Return about how many pairs have a squared distance within the image's limit."""
    size = len(kernel.distances)
    sample = np.unique(np.linspace(0, size - 1, min(SAMPLE, size)).astype(np.int64))
    images, count = kernel.distances.side(sample), 0
    for candidates in kernel.distances.sides():
        count += int(np.count_nonzero(kernel.squares(candidates, images) <= limits[sample]))
    return count * size / len(sample)


class Lists:
    """For each image who could cover it better, and for each candidate whom; with kernel values."""

    def __init__(self, size: int) -> None:
        self.size, self.count, self._found = size, 0, list[tuple[Array, Array, Array]]()

    def add(self, images: Ids, candidates: Ids, values: Array) -> None:
        """Take as many pairs of places as values."""
        self.count += len(values)
        self._found.append((images.astype(np.int32), candidates.astype(np.int32), values.copy()))

    def close(self) -> None:
        """Sort the pairs by image and by candidate."""
        from scipy.sparse import coo_array

        images, candidates, values = (
            np.concatenate(own) if own else np.empty(0) for own in zip(*self._found, strict=True)
        )
        self._found.clear()
        both = coo_array((values, (images, candidates)), shape=(self.size, self.size))
        self._by_image = both.tocsr()
        self._by_candidate = self._by_image.tocsc()

    def of_candidate(self, place: int) -> tuple[Ids, Array]:
        """Return the images that a candidate may cover, and how well."""
        own = self._by_candidate
        span = slice(own.indptr[place], own.indptr[place + 1])
        return own.indices[span].astype(np.int64), own.data[span]

    def of_images(self, places: Ids) -> tuple[Ids, Ids, Array]:
        """Return (which of `places`, candidate, kernel value) of all pairs of some images."""
        rows = self._by_image[places]
        which = np.repeat(np.arange(len(places)), np.diff(rows.indptr))
        return which, rows.indices.astype(np.int64), rows.data
