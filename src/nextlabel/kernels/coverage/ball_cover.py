"""ProbCover: greedily the image whose ball of radius δ holds most images that no ball holds yet.

Yehuda et al., Active learning through a covering lens, 2022, https://arxiv.org/abs/2205.11320.
Balls are closed. Once all are covered, those in the fewest balls count: a second cover begins, and
so on, which depends on who is labelled and picked alone, not on when.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.feature_space import Embedding
from nextlabel.core.pool import Pool
from nextlabel.core.types import Array, Ids, as_ids
from nextlabel.kernels.distance.exact import Metric, does_not_vary
from nextlabel.kernels.distance.products import Precision, Screen
from nextlabel.kernels.distance.tiles import SIDE, Distances, Side, unit

EDGES = 2**24
"""Pairs of a candidate and an image to cover that are listed, at 10 bytes each."""

COARSE = 1e-3
"""Rounding of float32, relative to the squared radius, above which float64 is used."""


def ball_cover(
    features: object, labelled: object, budget: int, radius: float, *, excluded: object = ()
) -> Ids:
    """Return `budget` ids, each covering most of the images in the fewest balls; ties: smallest id.

    `features` is an Embedding or one array (N, d); `radius` is a distance in that space. Balls of
    the labelled count from the beginning; `excluded` images are neither picked nor covered. Pairs
    are decided on direct differences in float64. O(N) memory beside the features and at most some
    500 MB of lists. Returns int64 (budget), in order. Raises DataError, UnknownId,
    AlreadyLabelled, BudgetError; warns when the rows do not vary.
    """
    embedding = Embedding.of(features)
    pool = Pool(len(embedding), as_ids(labelled), as_ids(excluded))
    pool.check_budget(budget)
    metric = Metric(embedding)
    if budget == 0 or does_not_vary(metric):
        return pool.unlabelled[:budget].copy()
    own = radius * unit(metric, embedding)
    return pool.unlabelled[_Cover(metric, pool, own * own).picks(budget)]


class _Cover:
    """In how many balls each open image is, and how many of the least covered a candidate holds.

    Those that count now are the `aim`; a level ends when each is in one more ball. Only then are
    balls counted anew, since nothing before depends on it.
    """

    def __init__(self, metric: Metric, pool: Pool, squared: float) -> None:
        self.squared, self.size = squared, len(pool.unlabelled)
        single = 2 * Screen(metric).error(np.float32)[0]
        both = Distances(metric, np.concatenate([pool.unlabelled, pool.labelled]))
        small = single * float(both.norms.max()) <= COARSE * squared
        precision: Precision = np.float32 if small else np.float64
        self.distances = Distances(metric, both.ids, precision)
        self.times = self._balls(np.arange(self.size, len(both)))
        self.free = np.ones(self.size, bool)
        self.aim = np.zeros(self.size, bool)
        self.gain = np.zeros(self.size, np.int64)
        self.held: NDArray[np.int64] | None = None
        self.lists: Any = None

    def picks(self, budget: int) -> Ids:
        """Return places in the order of choice."""
        found = np.empty(budget, np.int64)
        begin = 0
        for k in range(budget):
            if not self.aim.any():
                self._rise(found[begin:k])
                begin = k
            if self.lists is None and self.gain.sum() <= EDGES:
                self._list()
            place = int(np.where(self.free, self.gain, -1).argmax())
            found[k] = place
            self.free[place] = False
            new = self._new(place)
            self.aim[new] = False
            if self.aim.any():
                self.gain -= self._holders(new)
        return found

    def _rise(self, picked: Ids) -> None:
        """Begin a level: aim at the images in the fewest balls, counting those about `picked`."""
        more = self._balls(picked)
        self.times += more
        if self.held is not None:
            self.held -= more
        self.aim = self.free & (self.times == self.times[self.free].min())
        self.lists = None
        if not np.array_equal(self.aim, self.free):
            self.gain = self._balls(np.flatnonzero(self.aim))
            return
        # All count: what a candidate holds is then known from before, less what has been picked.
        if self.held is None:
            self.held = self._balls(np.flatnonzero(self.aim))
        self.gain = self.held.copy()

    def _balls(self, centres: Ids) -> NDArray[np.int64]:
        """Return in how many balls about `centres` each open image is."""
        count = np.zeros(self.size, np.int64)
        for first in self.distances.sides(centres):
            for second in self.distances.sides(np.arange(self.size)):
                count[second.places] += self._within(first, second).sum(axis=0)
        return count

    def _list(self) -> None:
        """List who is within the radius of the images aimed at, by image and by candidate."""
        from scipy.sparse import coo_array

        found: list[tuple[Array, Array]] = [(np.empty(0, np.int32), np.empty(0, np.int32))]
        for first in self.distances.sides(np.flatnonzero(self.aim)):
            for second in self.distances.sides(np.arange(self.size)):
                rows, columns = np.nonzero(self._within(first, second))
                found.append(
                    (first.places[rows].astype(np.int32), second.places[columns].astype(np.int32))
                )
        rows, columns = (np.concatenate(side) for side in zip(*found, strict=True))
        marks = np.ones(len(rows), bool)
        by_image = coo_array((marks, (rows, columns)), shape=(self.size, self.size)).tocsr()
        self.lists = by_image, by_image.tocsc()

    def _new(self, place: int) -> Ids:
        """Return the images aimed at that a ball about `place` holds."""
        if self.lists is not None:
            own = self.lists[1]
            inside = own.indices[own.indptr[place] : own.indptr[place + 1]]
            return np.asarray(inside[self.aim[inside]], np.int64)
        centre = self.distances.side(np.array([place]))
        return np.concatenate(
            [
                other.places[self._within(centre, other)[0]]
                for other in self.distances.sides(np.flatnonzero(self.aim), 8 * SIDE)
            ]
        )

    def _holders(self, images: Ids) -> NDArray[np.int64]:
        """Return how many of `images` each candidate holds."""
        if self.lists is None:
            return self._balls(images)
        return np.bincount(self.lists[0][images].indices, minlength=self.size)

    def _within(self, first: Side, second: Side) -> NDArray[np.bool_]:
        """Say which pairs are within the radius, deciding near ties on direct differences."""
        values = self.distances.tile(first, second)
        inside = values <= np.float64(self.squared)
        if not self.distances.kappa:
            return np.asarray(inside)
        slack = float(self.distances.error(first.norms.max(), second.norms.max()))
        rows, columns = np.nonzero(np.abs(values - self.squared) <= slack)
        off = np.abs(values[rows, columns].astype(np.float64) - self.squared)
        near = off <= self.distances.error(first.norms[rows], second.norms[columns])
        rows, columns = rows[near], columns[near]
        direct = self.distances.between(first.places[rows], second.places[columns])
        inside[rows, columns] = direct <= self.squared
        return np.asarray(inside)
