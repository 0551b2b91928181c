"""ProbCover: greedily the image whose ball of radius δ holds most images that no ball holds yet.

Yehuda et al., Active learning through a covering lens, 2022, https://arxiv.org/abs/2205.11320.
Balls are closed. Once all are covered, those in the fewest balls count: a second cover begins, and
so on, which depends on who is labelled and picked alone, not on when.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.features import Embedding
from nextlabel.core.pool import Pool
from nextlabel.core.types import Array, Ids, as_ids
from nextlabel.kernels.distances import SIDE, Distances, Side, unit
from nextlabel.kernels.farthest_first import does_not_vary
from nextlabel.kernels.metric import Metric
from nextlabel.kernels.screen import Precision, Screen

EDGES = 2**24
"""Pairs of images within a radius that are listed; with more they are measured when needed."""

SAMPLE = 256

COARSE = 1e-3
"""Rounding of float32, relative to the squared radius, above which float64 is used."""


def ball_cover(
    features: object, labelled: object, budget: int, radius: float, *, excluded: object = ()
) -> Ids:
    """Return `budget` ids, each covering most of the images in the fewest balls; ties: smallest id.

    `features` is an Embedding or one array (N, d); `radius` is a distance in that space. Balls of
    the labelled count from the beginning; `excluded` images are neither picked nor covered. Pairs
    are decided on direct differences in float64. O(N) memory beside the features and at most some
    400 MB of lists. Returns int64 (budget), in order. Raises DataError, UnknownId,
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
    """In how many balls each open image is, and how many of the least covered a candidate holds."""

    def __init__(self, metric: Metric, pool: Pool, squared: float) -> None:
        self.squared, self.size = squared, len(pool.unlabelled)
        single = 2 * Screen(metric).error(np.float32)[0]
        both = Distances(metric, np.concatenate([pool.unlabelled, pool.labelled]))
        small = single * float(both.norms.max()) <= COARSE * squared
        precision: Precision = np.float32 if small else np.float64
        self.distances = Distances(metric, both.ids, precision)
        self.places = np.arange(self.size)
        self.lists: Any = None
        self.times = self._balls(np.arange(self.size, len(both)))
        self.free = np.ones(self.size, bool)
        self.lists = self._listed()

    def picks(self, budget: int) -> Ids:
        """Return places in the order of choice."""
        found = np.empty(budget, np.int64)
        aim = np.zeros(self.size, bool)
        gain = np.zeros(self.size, np.int64)
        for k in range(budget):
            if not aim.any():
                aim = self.free & (self.times == self.times[self.free].min())
                gain = self._balls(np.flatnonzero(aim))
            place = int(np.where(self.free, gain, -1).argmax())
            found[k] = place
            inside = self._ball(place)
            new = inside[aim[inside]]
            self.times[inside] += 1
            self.free[place] = False
            aim[new] = False
            gain -= self._balls(new)
        return found

    def _balls(self, centres: Ids) -> NDArray[np.int64]:
        """Return in how many balls about `centres` each open image is."""
        if self.lists is not None:
            held = self.lists[centres].indices
            return np.bincount(held, minlength=self.size)
        count = np.zeros(self.size, np.int64)
        for first in self.distances.sides(centres):
            for second in self.distances.sides(self.places):
                count[second.places] += self._within(first, second).sum(axis=0)
        return count

    def _ball(self, place: int) -> Ids:
        """Return the open images in one ball, ascending."""
        if self.lists is not None:
            return np.sort(self.lists[[place]].indices).astype(np.int64)
        own = self.distances.side(np.array([place]))
        inside = [
            other.places[self._within(own, other)[0]]
            for other in self.distances.sides(self.places, 8 * SIDE)
        ]
        return np.concatenate(inside)

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

    def _listed(self) -> Any:
        """Return who is in whose ball as a sparse matrix, or None when it would be too large."""
        sample = np.unique(np.linspace(0, self.size - 1, min(SAMPLE, self.size)).astype(np.int64))
        if self._balls(sample).sum() * (self.size / len(sample)) > EDGES:
            return None
        from scipy.sparse import coo_array

        found: list[tuple[Array, Array]] = []
        for first, second, differ in self.distances.halves(self.size):
            rows, columns = np.nonzero(self._within(first, second))
            pair = first.places[rows].astype(np.int32), second.places[columns].astype(np.int32)
            found.append(pair)
            if differ:
                found.append(pair[::-1])
        rows, columns = (np.concatenate(side) for side in zip(*found, strict=True))
        marks = np.ones(len(rows), bool)
        return coo_array((marks, (rows, columns)), shape=(self.size, self.size)).tocsr()
