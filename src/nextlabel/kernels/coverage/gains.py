"""The gain in coverage of each candidate, by upper bounds that few picks need to renew.

A gain only falls as centres are added, so an old gain bounds the present one from above; section
"Coverage" of `kernels/README.md` has the bounds.

n open (unlabelled) images, which are the candidates; m of them have a weight above 0, and only
these are covered. A tile has c candidates and i images, either way round; p pairs.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nextlabel.core.pool import Pool
from nextlabel.core.progress import picked
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.coverage.gaussian_kernel import VANISHING, GaussianKernel, gaussian
from nextlabel.kernels.coverage.lost_gains import lost_gains
from nextlabel.kernels.coverage.neighbour_lists import NeighbourLists, estimated_pairs
from nextlabel.kernels.coverage.tile_marks import dense, pairs
from nextlabel.kernels.coverage.tuning import HerdingTuning
from nextlabel.kernels.distance.exact import Floats, Metric
from nextlabel.kernels.distance.products import ShiftedRows
from nextlabel.kernels.distance.tiles import Distances, TileRows, nearest_squared_distances

ROUNDOFF = 2.0**-53


@dataclass(frozen=True, eq=False)
class _Group:
    """Candidates of similar gain, ascending, and `squared` (m) as it was at their last update."""

    candidates: Ids
    seen: Floats


class Gains:
    """The coverage of each open image, and an upper bound on the gain of each candidate.

    Positions count within the unlabelled ids, which are the candidates; `images` (m) are those to
    cover: a labelled image covers itself. `squared` (n) is the direct squared distance to the
    nearest centre, 0 where the weight is 0, and `covered` (n) its kernel value. Gains (n) are off
    by at most `error` (n).
    """

    def __init__(
        self,
        metric: Metric,
        pool: Pool,
        weight: Floats,
        squared_bandwidth: float,
        tuning: HerdingTuning,
    ) -> None:
        self.ids, self.weight, self.squared_bandwidth = pool.unlabelled, weight, squared_bandwidth
        self.tuning = tuning
        n = len(self.ids)
        ids = np.concatenate([pool.unlabelled, pool.labelled])
        self.images = np.flatnonzero(weight > 0)  # [m]
        shifted = ShiftedRows(metric)
        both = Distances(metric, ids, np.float64, tuning.tile_rows, shifted)
        centres = np.arange(n, len(both))
        self.squared = np.zeros(n)
        self.squared[self.images] = nearest_squared_distances(both, self.images, centres)
        self.covered = gaussian(self.squared, squared_bandwidth)
        self.distances = Distances(metric, self.ids, np.float64, tuning.tile_rows, shifted)
        self.metric, self.kernel = metric, GaussianKernel(self.distances, squared_bandwidth)
        quick = Distances(metric, self.ids, np.float32, tuning.tile_rows, shifted)
        self.quick = GaussianKernel(quick, squared_bandwidth)
        if not self.quick.usable:
            self.quick = self.kernel
        self.limit = self.kernel.limits(self.squared)  # [n]
        self.unpicked = np.ones(n, bool)
        self.gain, self.error = np.zeros(n), np.zeros(n)
        self.lists: NeighbourLists | None = None
        self.work = 0
        self.groups: list[_Group] = []

    def picks(self, budget: int) -> Ids:
        """Return positions in the order of choice."""
        positions = np.empty(budget, np.int64)
        self._measure(listing=self._few_pairs())
        for k in range(budget):
            if not (self.weight[self.covered < 1] > 0).any():  # no gain is left: all tie
                positions[k:] = np.flatnonzero(self.unpicked)[: budget - k]
                break
            positions[k] = best = self._best()
            self.unpicked[best] = False
            self._cover(best)
            picked(k + 1, budget)
            # Listing costs half a pass over all pairs: it pays when as many picks are to come.
            if self.work > len(self.ids) * len(self.images) / 4 and budget - k > k + 1:
                self.work = 0
                if self._few_pairs():
                    self._measure(listing=True)
        return positions

    def _few_pairs(self) -> bool:
        count = estimated_pairs(self.kernel, self.images, self.limit)
        return count <= self.tuning.listed_pairs

    def _measure(self, listing: bool) -> None:
        """Compute all gains, each pair of images once, and list the pairs that matter."""
        n = len(self.ids)
        lists = NeighbourLists(n) if listing else None
        kernel = self.kernel if listing else self.quick
        self.gain[:] = 0
        for rows, columns, both_ways in self._tiles(kernel.distances):
            squared = kernel.squared_distances(rows, columns)
            self._add_gains(kernel, squared, rows, columns, 1, lists)
            if both_ways:
                self._add_gains(kernel, squared, columns, rows, 0, lists)
            if lists is not None and lists.count > 2 * self.tuning.listed_pairs:
                lists = None
        self.error = self._error(kernel, self.gain)
        self.lists, self.work = lists, 0
        if lists is not None:
            lists.close()
        order = np.argsort(-self.gain, kind="stable")
        step = max(self.tuning.tile_rows, -(-n // self.tuning.groups))
        starts = [] if lists is not None else range(0, n, step)
        seen = self.squared[self.images]  # [m]
        self.groups = [_Group(np.sort(order[s : s + step]), seen.copy()) for s in starts]

    def _tiles(self, distances: Distances) -> Iterator[tuple[TileRows, TileRows, bool]]:
        """Yield candidates and images of each tile; True where the tile serves both ways round."""
        n = len(self.ids)
        if 2 * len(self.images) >= n:  # distances are symmetric: half of all pairs is less
            yield from distances.upper_triangle(n)
        else:
            for rows, columns in distances.rectangle(np.arange(n), self.images):
                yield rows, columns, False

    def _error(self, kernel: GaussianKernel, gain: Floats) -> Floats:
        """Return the largest error of gains that are summed from a kernel's tiles."""
        error = (kernel.doubt + len(self.ids) * ROUNDOFF + self._rounding(kernel)) * gain
        error += 2 * (kernel.doubt + self._rounding(kernel)) * float(self.weight @ self.covered)
        return np.asarray(error + VANISHING * float(self.weight.sum()) * kernel.single)

    def _rounding(self, kernel: GaussianKernel) -> float:
        """Return the largest relative error of a sum over one tile."""
        return self.tuning.tile_rows * (2.0**-24 if kernel.single else ROUNDOFF)

    def _add_gains(
        self,
        kernel: GaussianKernel,
        squared: Array,
        candidates: TileRows,
        images: TileRows,
        axis: int,
        lists: NeighbourLists | None,
    ) -> None:
        """Add the gains of candidates on images, which are on `axis` of a tile."""
        positions = images.positions
        along = (1, -1) if axis else (-1, 1)
        limits = kernel.limits(self.squared[positions])  # [i]
        limits = limits.reshape(along)
        precision = kernel.distances.precision
        covered = self.covered[positions].astype(precision)  # [i]
        weight = self.weight[positions].astype(precision)  # [i]
        if lists is None and dense(squared, limits):
            values = kernel.values(squared)
            values -= covered.reshape(along)
            np.maximum(values, 0, out=values)
            gain = values @ weight if axis else weight @ values
            self.gain[candidates.positions] += np.asarray(gain, np.float64)
            return
        flat, pair = pairs(squared <= limits)
        image, candidate = pair[axis], pair[1 - axis]  # [p]
        values = kernel.values(squared.reshape(-1)[flat])  # [p]
        if lists is not None:
            lists.add(positions[image], candidates.positions[candidate], values)
        more = np.maximum(values - covered[image], 0) * weight[image]  # [p]
        count = len(candidates.positions)
        self.gain[candidates.positions] += np.bincount(candidate, more, count)

    def _best(self) -> int:
        """Return the unpicked position of largest gain, the smallest at a tie."""
        near_ties = self._near_ties()
        if len(near_ties) > 1:
            distinct = self.metric.without_copies(self.ids[near_ties])
            near_ties = np.searchsorted(self.ids, distinct)
        if len(near_ties) > 1 and self.lists is None and self.quick.single:
            near_ties = self._refreshed(near_ties)
        if len(near_ties) == 1:
            return int(near_ties[0])
        gains = [self._exact_gain(int(position)) for position in near_ties]
        return int(near_ties[np.argmax(gains)])

    def _near_ties(self) -> Ids:
        """Return the unpicked positions, ascending, whose true gain may be the largest."""
        if self.lists is not None:
            return self._within_error(np.flatnonzero(self.unpicked))
        bounds = [self._bound(group) for group in self.groups]
        updated: list[Ids] = []
        least = -np.inf
        for g in np.argsort([-bound for bound in bounds], kind="stable"):
            if bounds[g] < least:
                break
            self._update(self.groups[g])
            candidates = self._unpicked_of(self.groups[g])
            if candidates.size:
                lower = self.gain[candidates] - self.error[candidates]
                least = max(least, float(lower.max()))
                updated.append(candidates)
        return self._within_error(np.sort(np.concatenate(updated)))

    def _within_error(self, candidates: Ids) -> Ids:
        gain, error = self.gain[candidates], self.error[candidates]
        return np.asarray(candidates[gain + error >= (gain - error).max()])

    def _refreshed(self, positions: Ids) -> Ids:
        """Compute some gains in float64; return the positions that may still have the largest.

        Their groups are up to date, so that the gains count all that is covered.
        """
        self.gain[positions] = 0
        for rows, columns in self.distances.rectangle(positions, self.images):
            squared = self.kernel.squared_distances(rows, columns)
            values = self.kernel.values(squared)  # [c, i]
            values -= self.covered[columns.positions]
            np.maximum(values, 0, out=values)
            self.gain[rows.positions] += values @ self.weight[columns.positions]
        self.error[positions] = self._error(self.kernel, self.gain[positions])
        return self._within_error(positions)

    def _unpicked_of(self, group: _Group) -> Ids:
        return np.asarray(group.candidates[self.unpicked[group.candidates]])

    def _bound(self, group: _Group) -> float:
        candidates = self._unpicked_of(group)
        return float((self.gain[candidates] + self.error[candidates]).max(initial=-np.inf))

    def _update(self, group: _Group) -> None:
        """Take from a group's gains the coverage that has been added since its last update."""
        closer = np.flatnonzero(self.squared[self.images] < group.seen)
        changed, seen = self.images[closer], np.zeros(len(self.ids))
        seen[changed] = group.seen[closer]
        unpicked = self._unpicked_of(group)
        if not changed.size or not unpicked.size:
            return
        self.work += len(changed) * len(unpicked)
        kernel = self.quick
        for candidates, images in kernel.distances.rectangle(unpicked, changed):
            at = images.positions
            lost = lost_gains(
                kernel, candidates, images, seen[at], self.covered[at], self.weight[at]
            )  # [c]
            self.gain[candidates.positions] -= lost
            self.error[candidates.positions] += self._rounding(kernel) * lost
        covered = float(self.weight[changed] @ self.covered[changed])
        self.error[unpicked] += 2 * (kernel.doubt + 2.0**-23 * kernel.single) * covered
        self.error[unpicked] += VANISHING * float(self.weight.sum()) * kernel.single
        self.error[unpicked] += 2 * ROUNDOFF * self.gain[unpicked]
        group.seen[:] = self.squared[self.images]

    def _improvable(self, position: int) -> Ids:
        """Return the images that one candidate may cover better than their centre does."""
        if self.lists is not None:
            images, values = self.lists.of_candidate(position)
            return images[values * (1 + 2 * self.kernel.doubt) >= self.covered[images]]
        candidate = self.distances.rows_at(np.array([position]))
        improvable = [self.images[:0]]
        for tile in self.distances.each_rows_at(self.images, 8 * self.tuning.tile_rows):
            squared = self.kernel.squared_distances(candidate, tile)[0]  # [i]
            improvable.append(tile.positions[squared <= self.limit[tile.positions]])
        return np.concatenate(improvable)

    def _exact_gain(self, position: int) -> float:
        """Return Σ_x w_x max(k(x, candidate) - coverage of x, 0): direct, and rounded once."""
        images = self._improvable(position)
        squared = self.distances.from_one(position, images)
        values = gaussian(squared, self.squared_bandwidth)
        more = np.maximum(values - self.covered[images], 0) * self.weight[images]
        return math.fsum(more.tolist())

    def _cover(self, position: int) -> None:
        """Make a position a centre."""
        images = self._improvable(position)
        squared = self.distances.from_one(position, images)
        closer = squared < self.squared[images]
        images, squared = images[closer], squared[closer]
        before, after = self.covered[images], gaussian(squared, self.squared_bandwidth)
        self.squared[images] = squared
        self.covered[images] = after
        self.limit[images] = self.kernel.limits(squared)
        if self.lists is None:
            return
        index, candidates, values = self.lists.of_images(images)  # [p]
        lost = np.clip(values, before[index], after[index]) - before[index]
        lost *= self.weight[images][index]
        self.error += (len(images) + 4) * ROUNDOFF * float(self.gain.max())
        self.gain -= np.bincount(candidates, lost, minlength=len(self.gain))
