"""Pairs in which a candidate is nearer to an image than the image's nearest centre is.

Only these raise the coverage, for any weights and bandwidth. Labels only bring centres nearer,
so the pairs of one round are among those of the round before.

n candidates, m images, p pairs.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.coverage.covered_images import CoveredImages
from nextlabel.kernels.coverage.gaussian_kernel import GaussianKernel

MOST = 2**23
"""The largest number of pairs that are kept, at 12 bytes each."""


class KnownPairs(NamedTuple):
    """Pairs that may raise the coverage: positions of candidates and numbers of images (p)."""

    candidates: Ids
    numbers: Ids
    others: Ids
    """The numbers of the images of which not all pairs are known."""


def no_pairs(images: CoveredImages) -> KnownPairs:
    """Return that no pair of any image is known."""
    none = np.empty(0, np.int64)
    return KnownPairs(none, none, np.arange(len(images)))


class NearPairs:
    """Pairs of a candidate and an image of one round, for a later one.

    Parameters
    ----------
    images
        The images and their nearest centres, when the pairs are measured.
    most
        The largest number of pairs; of more, none are kept.

    """

    def __init__(self, images: CoveredImages, most: int = MOST) -> None:
        self.candidates = images.ids  # [n]
        self.images = images.ids[images.positions]  # [m]
        self.reach = images.reach  # [m]: pairs nearer than this are there
        self.count, self.most = 0, most
        self._added: list[tuple[Array, ...]] = []

    @property
    def full(self) -> bool:
        """True when there were too many pairs."""
        return self.count > self.most

    def add(self, candidates: Ids, numbers: Ids, squared: Array) -> None:
        """Add pairs: positions, numbers of images, and at most their squared distance (p)."""
        self.count += len(squared)
        if self.full:
            self._added.clear()
            return
        below = np.nextafter(squared.astype(np.float32), np.float32(-np.inf))
        self._added.append((candidates.astype(np.int32), numbers.astype(np.int32), below))

    def tile(
        self, kernel: GaussianKernel, candidates: Ids, numbers: Ids
    ) -> Callable[[Ids, Ids, Array], None] | None:
        """Return what adds pairs of a tile by their indices (p) and exponents; None when full."""
        if self.full:
            return None

        def add(i: Ids, j: Ids, exponents: Array) -> None:
            squared = exponents.astype(np.float64) * -kernel.squared_bandwidth - kernel.slack
            self.add(candidates[i], numbers[j], squared)

        return add

    def within(self, images: CoveredImages) -> KnownPairs:
        """Return the pairs that may still raise the coverage, by what is here."""
        if self.full or not len(self.images):
            return no_pairs(images)
        if not np.isin(images.ids, self.candidates, assume_unique=True).all():
            return no_pairs(images)
        ids = images.ids[images.positions]
        at = np.minimum(np.searchsorted(self.images, ids), len(self.images) - 1)  # [m now]
        here = (self.images[at] == ids) & (images.reach <= self.reach[at])
        number = np.full(len(self.images), -1)
        number[at[here]] = np.flatnonzero(here)
        limit = np.full(len(self.images), -np.inf, np.float32)
        limit[at[here]] = np.nextafter(images.squared[here].astype(np.float32), np.float32(np.inf))
        position = np.searchsorted(images.ids, self.candidates)
        position = np.minimum(position, len(images.ids) - 1)
        position[images.ids[position] != self.candidates] = -1  # labelled since
        left = [(np.empty(0, np.int32),) * 2]
        for candidates, numbers, squared in self._joined():
            nearer = np.flatnonzero(squared < limit[numbers])
            left.append((candidates[nearer], numbers[nearer]))
        candidates, numbers = (np.concatenate(column) for column in zip(*left, strict=True))
        free = position[candidates] >= 0
        return KnownPairs(position[candidates[free]], number[numbers[free]], np.flatnonzero(~here))

    def _joined(self) -> list[tuple[Array, ...]]:
        """Return all pairs in one piece, which is much faster to read; nothing without any."""
        if len(self._added) > 1:
            joined = tuple(np.concatenate(column) for column in zip(*self._added, strict=True))
            self._added = [joined]
        return self._added
