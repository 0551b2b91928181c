"""MaxHerding: greedily the image that raises Σ_x w_x max_s k(x, s) most, s labelled or picked.

Bae et al., Generalized coverage for more robust low-budget active learning, 2024,
https://arxiv.org/abs/2407.12212; with weights it is the uncertainty coverage of Uncertainty
herding, 2024, https://arxiv.org/abs/2412.20644.

A gain only falls as centres are added, so an old one bounds today's from above. Candidates are
kept in tiles sorted by their first gain; a tile is brought up to date, by what has changed since
it last was, only while its best bound exceeds the best fresh gain. Once few pairs are left in
which a candidate is nearer to an image than its centre is, they are listed, and a pick costs next
to nothing. Products of float64 with a bound on their error find the few candidates that can be
best; direct differences and a correctly rounded sum decide between them.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import DataError
from nextlabel.core.feature_space import Embedding
from nextlabel.core.pool import Pool
from nextlabel.core.types import Array, Ids, as_array, as_ids
from nextlabel.kernels.coverage.gaussian_kernel import Gaussian, gaussian
from nextlabel.kernels.coverage.neighbour_lists import PAIRS, Lists, pairs_alive
from nextlabel.kernels.distance.exact import Metric, does_not_vary
from nextlabel.kernels.distance.tiles import SIDE, Distances, Side, nearest, unit

ROUND = 2.0**-53

TILES = 64
"""At most so many groups of candidates, each with its own memory of what covered the images."""

Floats = NDArray[np.float64]


def max_herding(
    features: object,
    labelled: object,
    budget: int,
    bandwidth: float,
    *,
    weights: object = None,
    excluded: object = (),
) -> Ids:
    """Return `budget` ids, each raising the coverage of all images most, ties to the smallest id.

    `features` is an Embedding or one array (N, d); `bandwidth` σ is a distance in that space, and
    0 makes only copies alike; `weights` is (N), not negative, 1 by default. `excluded` images are
    neither picked nor covered. O(N) memory beside the features, and at most some 400 MB of lists
    and tiles. Returns int64 (budget), in order. Raises DataError, UnknownId, AlreadyLabelled,
    BudgetError; warns when the rows do not vary.
    """
    embedding = Embedding.of(features)
    pool = Pool(len(embedding), as_ids(labelled), as_ids(excluded))
    pool.check_budget(budget)
    weight = checked_weights(weights, pool.size)[pool.unlabelled]
    metric = Metric(embedding)
    if budget == 0 or does_not_vary(metric):
        return pool.unlabelled[:budget].copy()
    own = bandwidth * unit(metric, embedding)
    herd = _Herd(metric, pool, weight, own * own)
    return pool.unlabelled[herd.picks(budget)]


def checked_weights(weights: object, size: int) -> Floats:
    """Return weights as float64 (N), ones for None; DataError for what cannot be weights."""
    if weights is None:
        return np.ones(size)
    own = np.asarray(as_array(weights), np.float64)
    if own.shape != (size,):
        raise DataError(f"weights have shape {own.shape} for {size} images; give one for each")
    bad = np.flatnonzero(~(np.isfinite(own) & (own >= 0)))
    if bad.size:
        raise DataError(
            f"weight {own[bad[0]]:g} of image {bad[0]} must be finite and at least 0; repair it"
        )
    return own


class _Herd:
    """What covers each open image, and an upper bound on each candidate's gain.

    Places count within the unlabelled ids, who are both the candidates and the images to cover:
    a labelled one is covered by itself. `squared` is the direct squared distance to the nearest
    centre, `covered` its kernel value; gains are off by at most `error`.
    """

    def __init__(self, metric: Metric, pool: Pool, weight: Floats, width: float) -> None:
        self.ids, self.weight, self.width = pool.unlabelled, weight, width
        size = len(self.ids)
        both = Distances(metric, np.concatenate([pool.unlabelled, pool.labelled]))
        self.squared = nearest(both, np.arange(size), np.arange(size, len(both)))
        self.covered = gaussian(self.squared, width)
        self.metric, self.kernel = metric, Gaussian(Distances(metric, self.ids), width)
        self.limit = self.kernel.limits(self.squared)
        self.free = np.ones(size, bool)
        self.gain, self.error = np.zeros(size), np.zeros(size)
        self.lists: Lists | None = None
        self.work = 0
        self.tiles: list[_Tile] = []

    def picks(self, budget: int) -> Ids:
        """Return places in the order of choice."""
        found = np.empty(budget, np.int64)
        self._measure(listing=pairs_alive(self.kernel, self.limit) <= PAIRS)
        for k in range(budget):
            if not (self.weight[self.covered < 1] > 0).any():  # nothing is left to gain: all tie
                found[k:] = np.flatnonzero(self.free)[: budget - k]
                break
            found[k] = place = self._best()
            self.free[place] = False
            self._cover(place)
            # Listing costs half a pass over all pairs: worth it when as many picks are to come.
            if self.work > len(self.ids) ** 2 / 4 and budget - k > k + 1:
                self.work = 0
                if pairs_alive(self.kernel, self.limit) <= PAIRS:
                    self._measure(listing=True)
        return found

    def _measure(self, listing: bool) -> None:
        """Compute all gains anew, each pair of images once, and list the pairs that are alive."""
        size = len(self.ids)
        lists = Lists(size) if listing else None
        self.gain[:] = 0
        for first, second, differ in self.kernel.distances.halves(size):
            squares = self.kernel.squares(first, second)
            self._take(squares, first, second, 1, lists)
            if differ:
                self._take(squares, second, first, 0, lists)
            if lists is not None and lists.count > 2 * PAIRS:
                lists = None
        self.error = (self.kernel.doubt + size * ROUND) * self.gain
        self.error += 2 * self.kernel.doubt * float(self.weight @ self.covered)
        self.lists, self.work = lists, 0
        if lists is not None:
            lists.close()
        order, step = np.argsort(-self.gain, kind="stable"), max(SIDE, -(-size // TILES))
        spans = [] if lists is not None else range(0, size, step)
        self.tiles = [_Tile(np.sort(order[s : s + step]), self.squared.copy()) for s in spans]

    def _take(
        self, squares: Array, candidates: Side, images: Side, axis: int, lists: Lists | None
    ) -> None:
        """Add what candidates would gain on images, who are on `axis` of a tile."""
        places = images.places
        line = (1, -1) if axis else (-1, 1)
        near = squares <= self.limit[places].reshape(line)
        low, weight = self.covered[places], self.weight[places]
        if lists is None and 3 * np.count_nonzero(near) > near.size:
            values = self.kernel.values(squares)
            values -= low.reshape(line)
            np.maximum(values, 0, out=values)
            self.gain[candidates.places] += values @ weight if axis else weight @ values
            return
        where, pair = _pairs(near)
        image, candidate = pair[axis], pair[1 - axis]
        values = self.kernel.values(squares.reshape(-1)[where])
        if lists is not None:
            lists.add(places[image], candidates.places[candidate], values)
        more = np.maximum(values - low[image], 0) * weight[image]
        self.gain[candidates.places] += np.bincount(candidate, more, len(candidates.places))

    def _best(self) -> int:
        """Return the free place of largest gain, the smallest at a tie."""
        near = self._near()
        if len(near) > 1:
            own = self.metric.without_copies(self.ids[near])
            near = np.searchsorted(self.ids, own)
        if len(near) == 1:
            return int(near[0])
        return int(near[np.argmax([self._exact_gain(int(place)) for place in near])])

    def _near(self) -> Ids:
        """Return the free places, ascending, whose gain rounding may hide to be the largest."""
        if self.lists is not None:
            free = np.flatnonzero(self.free)
            return self._contenders(free)
        bounds = [self._bound(tile) for tile in self.tiles]
        fresh: list[Ids] = []
        least = -np.inf
        for t in np.argsort([-b for b in bounds], kind="stable"):
            if bounds[t] < least:
                break
            self._refresh(self.tiles[t])
            own = self.tiles[t].places[self.free[self.tiles[t].places]]
            if own.size:
                least = max(least, float((self.gain[own] - self.error[own]).max()))
                fresh.append(own)
        return self._contenders(np.sort(np.concatenate(fresh)))

    def _contenders(self, places: Ids) -> Ids:
        gain, error = self.gain[places], self.error[places]
        return np.asarray(places[gain + error >= (gain - error).max()])

    def _bound(self, tile: "_Tile") -> float:
        own = tile.places[self.free[tile.places]]
        return float((self.gain[own] + self.error[own]).max(initial=-np.inf))

    def _refresh(self, tile: "_Tile") -> None:
        """Take from a tile's gains what has been covered since it was last looked at."""
        changed = np.flatnonzero((self.squared < tile.seen) & (self.weight > 0))
        own = tile.places[self.free[tile.places]]
        if not changed.size or not own.size:
            return
        self.work += len(changed) * len(own)
        for candidates in self.kernel.distances.sides(own):
            for images in self.kernel.distances.sides(changed):
                lost = self._lost(candidates, images, tile.seen[images.places])
                self.gain[candidates.places] -= lost
                self.error[candidates.places] += SIDE * ROUND * lost
        self.error[own] += (
            2 * self.kernel.doubt * float(self.weight[changed] @ self.covered[changed])
        )
        self.error[own] += 2 * ROUND * self.gain[own]
        tile.seen[:] = self.squared

    def _lost(self, candidates: Side, images: Side, seen: Floats) -> Floats:
        """Return what candidates gain less on images since these were `seen` from a centre."""
        squares = self.kernel.squares(candidates, images)
        near = squares <= self.kernel.limits(seen)
        low, high = gaussian(seen, self.width), self.covered[images.places]
        weight = self.weight[images.places]
        if 3 * np.count_nonzero(near) > near.size:
            values = self.kernel.values(squares)
            np.clip(values, low, high, out=values)
            values -= low
            return np.asarray(values @ weight)
        where, (candidate, image) = _pairs(near)
        values = self.kernel.values(squares.reshape(-1)[where])
        less = (np.clip(values, low[image], high[image]) - low[image]) * weight[image]
        return np.asarray(np.bincount(candidate, less, len(candidates.places)), np.float64)

    def _reach(self, place: int) -> Ids:
        """Return the places that one place may cover better than they are."""
        if self.lists is not None:
            images, values = self.lists.of_candidate(place)
            return images[values * (1 + 2 * self.kernel.doubt) >= self.covered[images]]
        own, found = self.kernel.distances.side(np.array([place])), []
        for side in self.kernel.distances.sides(size=8 * SIDE):
            near = self.kernel.squares(own, side)[0] <= self.limit[side.places]
            found.append(side.places[near])
        return np.concatenate(found)

    def _exact_gain(self, place: int) -> float:
        """Return Σ_x w_x max(k(x, place) - what covers x, 0): direct, and rounded once."""
        images = self._reach(place)
        values = gaussian(self.kernel.distances.to(place, images), self.width)
        more = np.maximum(values - self.covered[images], 0) * self.weight[images]
        return math.fsum(more.tolist())

    def _cover(self, place: int) -> None:
        """Make a place a centre."""
        images = self._reach(place)
        squared = self.kernel.distances.to(place, images)
        closer = squared < self.squared[images]
        images = images[closer]
        self.squared[images] = squared[closer]
        low, high = self.covered[images], gaussian(squared[closer], self.width)
        self.covered[images] = high
        self.limit[images] = self.kernel.limits(squared[closer])
        if self.lists is None:
            return
        which, candidates, values = self.lists.of_images(images)
        lost = (np.clip(values, low[which], high[which]) - low[which]) * self.weight[images][which]
        self.error += (len(images) + 4) * ROUND * float(self.gain.max())
        self.gain -= np.bincount(candidates, lost, minlength=len(self.gain))


class _Tile(NamedTuple):
    """Candidates of like gain, ascending, and `squared` as it was when they were measured."""

    places: Ids
    seen: Floats


def _pairs(marks: Array) -> tuple[Ids, tuple[Ids, Ids]]:
    """Return the flat places that are marked, and their rows and columns."""
    where = np.flatnonzero(marks)
    rows = where // marks.shape[1]
    return where, (rows, where - rows * marks.shape[1])
