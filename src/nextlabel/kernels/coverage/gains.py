"""The gain in coverage of each candidate, by upper bounds that few picks need to renew.

A gain only falls as centres are added, so an old gain bounds the present one from above; section
"Coverage" of `kernels/README.md` has the bounds.

n open (unlabelled) images, which are the candidates; m of them have a weight above 0, and only
these are covered. A tile has c candidates and i images; p pairs.
"""

from collections.abc import Iterator

import numpy as np

from nextlabel.core.progress import picked, prepared
from nextlabel.core.types import Ids
from nextlabel.kernels.coverage.covered_images import CoveredImages
from nextlabel.kernels.coverage.gain_groups import GainGroup, gain_groups
from nextlabel.kernels.coverage.gaussian_kernel import KernelTile, gaussian
from nextlabel.kernels.coverage.near_pairs import KnownPairs, NearPairs, no_pairs
from nextlabel.kernels.coverage.neighbour_lists import NeighbourLists, estimated_pairs
from nextlabel.kernels.coverage.rises import rises
from nextlabel.kernels.coverage.tuning import HerdingTuning
from nextlabel.kernels.distance.exact import Floats
from nextlabel.kernels.distance.tile_marks import dense, marked, pairs

ROUNDOFF = 2.0**-53

PAIRS = 2**16
"""Pairs that are measured directly at a time."""


class Gains:
    """An upper bound on the gain of each candidate, by which the next picks are chosen.

    Positions count within the unlabelled ids, which are the candidates. Gains (n) are off by at
    most `error` (n); those of a group may be too high by what it delays, too.

    `near` are pairs measured in an earlier round; with `keep_near` they become those of this one.
    """

    def __init__(
        self,
        images: CoveredImages,
        tuning: HerdingTuning,
        near: NearPairs | None = None,
        keep_near: bool = False,
    ) -> None:
        self.images, self.tuning = images, tuning
        self.near, self.keep_near = near, keep_near
        n = len(images.ids)
        self.unpicked = np.ones(n, bool)
        self.gain, self.error = np.zeros(n), np.zeros(n)
        self.lists: NeighbourLists | None = None
        self.groups: list[GainGroup] = []
        self.work = 0
        self.measured = False

    @property
    def ids(self) -> Ids:
        """The ids of the candidates (n)."""
        return self.images.ids

    def take(self, position: int) -> None:
        """Make a candidate a centre: it is picked or labelled."""
        self.unpicked[position] = False
        self._cover(position)

    def picks(self, budget: int) -> Ids:
        """Return positions in the order of choice."""
        images, tuning, n = self.images, self.tuning, len(self.unpicked)
        positions = np.empty(budget, np.int64)
        first = bool(np.isinf(images.squared).all())  # there is no centre yet
        if not self.measured:
            self._measure(self._few_pairs())
        elif self.lists is None and self.near is not None:  # a later round
            self._list_if_few()
        for k in range(budget):
            if images.all_covered:  # no gain is left: all tie
                positions[k:] = np.flatnonzero(self.unpicked)[: budget - k]
                self.unpicked[positions[k:]] = False
                break
            positions[k] = best = self._best()
            self.take(best)
            picked(k + 1, budget)
            many = budget > tuning.last_picks and not images.all_covered
            if first and k == 0 and self.lists is None and many:
                # It covers all images a little, so that no earlier gain is near the present one.
                self._measure(None)
            if (k + 1) % tuning.last_picks == 0 and self.lists is None:
                # Listing costs some passes over all pairs; are as many to come?
                to_come = self.work / tuning.last_picks * (budget - k - 1)
                self.work = 0
                if to_come > tuning.passes * n * len(images):
                    self._list_if_few()
        return positions

    def _list_if_few(self) -> None:
        few = self._few_pairs()
        if few is not None:
            self._measure(few)

    def _few_pairs(self) -> KnownPairs | None:
        """Return the known pairs when all pairs are so few that they can be listed, else None."""
        pairs = no_pairs(self.images) if self.near is None else self.near.within(self.images)
        most = self.tuning.listed_pairs - len(pairs.numbers)
        few = most >= 0 and estimated_pairs(self.images, pairs.others) <= most
        return pairs if few else None

    def _measure(self, few: KnownPairs | None) -> None:
        """Compute all gains, each pair of a candidate and an image once; list them if few."""
        images, n = self.images, len(self.unpicked)
        report = not self.measured  # a list in the middle of the choice comes too late
        self.gain, self.error = np.zeros(n), np.zeros(n)
        self.lists, self.groups, self.work, self.measured = None, [], 0, True
        near = NearPairs(images) if self.keep_near else None
        if few is not None:
            self._list(few, near, report)
            self.near = near
            return
        kernel = images.quick
        for tile, candidates, numbers in self._all_tiles(report):
            low, weight = images.covered[numbers], images.weight[numbers]
            keep = None if near is None else near.tile(kernel, candidates, numbers)
            gained = rises(kernel, tile, images.least[numbers], low, weight, near=keep)
            self.gain[candidates] += gained.sum
            self.error[candidates] += gained.error(kernel)
        self.error += self._rounded(self.gain)
        self.groups = gain_groups(self.gain + self.error, images.squared, self.tuning)
        self.near = near

    def _all_tiles(
        self, report: bool, of: Ids | None = None
    ) -> Iterator[tuple[KernelTile, Ids, Ids]]:
        """Yield tiles of all candidates and images, and report the share done, if asked to.

        `of` are the numbers of images, by default all. Where all candidates are images, the tile of
        two groups serves both ways.
        """
        images, n = self.images, len(self.unpicked)
        both_ways = of is None and images.all_candidates
        done, size = 0, n * (len(images) if of is None else len(of))
        for rows, columns, numbers in images.tiles(np.arange(n), of):
            candidates = rows.positions
            if not both_ways or candidates[0] <= numbers[0]:
                tile = images.quick.tile(rows, columns)
                yield tile, candidates, numbers
                if both_ways and candidates[0] < numbers[0]:
                    yield tile.transposed(), numbers, candidates
            done += len(candidates) * len(numbers)
            if report:
                prepared(done / size)

    def _list(self, known: KnownPairs, near: NearPairs | None, report: bool) -> None:
        """List the pairs of a candidate and an image that it would cover better, by direct values.

        Their sums are the gains.
        """
        images = self.images
        self.lists = NeighbourLists(len(self.unpicked), len(images))
        for start in range(0, len(known.candidates), PAIRS):
            span = slice(start, start + PAIRS)
            self._list_some(known.candidates[span], known.numbers[span], near)
        others = None if len(known.others) == len(images) else known.others
        for tile, candidates, numbers in self._all_tiles(report, others):
            i, j, _ = marked(tile.exponents, images.least[numbers][None])
            self._list_some(candidates[i], numbers[j], near)
        self.lists.close()
        self.error = self._rounded(self.gain)

    def _list_some(self, candidates: Ids, numbers: Ids, near: NearPairs | None) -> None:
        """List those of some pairs that raise the coverage (p)."""
        images = self.images
        squared = images.fine.distances.pairs(candidates, images.positions[numbers])
        if near is not None:
            nearer = squared < images.squared[numbers]
            near.add(candidates[nearer], numbers[nearer], squared[nearer])
        values = gaussian(squared, images.squared_bandwidth)
        more = values - images.covered[numbers]
        better = more > 0
        candidates, numbers, values = candidates[better], numbers[better], values[better]
        assert self.lists is not None
        self.lists.add(numbers, candidates, values)
        np.add.at(self.gain, candidates, more[better] * images.weight[numbers])

    def _direct(self, candidates: Ids, numbers: Ids) -> Floats:
        """Return the kernel of pairs, by direct differences (p)."""
        images = self.images
        squared = images.fine.distances.pairs(candidates, images.positions[numbers])
        return gaussian(squared, images.squared_bandwidth)

    def _rounded(self, gain: Floats) -> Floats:
        """Return the largest error of gains whose terms are exact, or known with their error."""
        images = self.images
        vanishing = images.quick.vanishing * float(images.weight.sum())
        return np.asarray(2 * (len(images) + 8) * ROUNDOFF * gain + vanishing)

    def _best(self) -> int:
        """Return the unpicked position of largest gain, the smallest at a tie."""
        images = self.images
        near_ties = self._near_ties()
        if len(near_ties) > 1:
            distinct = images.metric.without_copies(images.ids[near_ties])
            near_ties = np.searchsorted(images.ids, distinct)
        if len(near_ties) > 1 and self.lists is None:
            near_ties = self._refreshed(near_ties)
        if len(near_ties) == 1:
            return int(near_ties[0])
        gains = [images.exact_gain(int(position)) for position in near_ties]
        return int(near_ties[np.argmax(gains)])

    def _near_ties(self) -> Ids:
        """Return the unpicked positions, ascending, whose true gain may be the largest."""
        if self.lists is not None:
            free = np.flatnonzero(self.unpicked)
            return _within(free, self.gain[free], self.error[free], self.error[free])
        updated: list[Ids] = []
        below: list[Floats] = []
        least = -np.inf
        for group in sorted(self.groups, key=lambda group: -group.bound):
            if group.bound < least:
                break
            self._update(group)
            candidates = group.candidates
            if candidates.size:
                below.append(self.error[candidates] + group.delayed)
                least = max(least, float((self.gain[candidates] - below[-1]).max()))
                updated.append(candidates)
        candidates = np.concatenate(updated)
        order = np.argsort(candidates)
        candidates, below_all = candidates[order], np.concatenate(below)[order]
        return _within(candidates, self.gain[candidates], self.error[candidates], below_all)

    def _update(self, group: GainGroup) -> None:
        """Take from a group's gains the coverage that has been added since its last update."""
        images, kernel = self.images, self.images.quick
        group.candidates = candidates = group.candidates[self.unpicked[group.candidates]]
        if not candidates.size:
            group.bound = -np.inf
            return
        low, high = gaussian(group.seen, images.squared_bandwidth), images.covered  # [m]
        rise, least = images.weight * (high - low), kernel.least(group.seen)  # [m]
        now = rise * len(images) > self.tuning.delayed * group.bound  # [m]
        changed = np.flatnonzero(now)
        for rows, columns, numbers in images.tiles(candidates, changed):
            tile, weight = kernel.tile(rows, columns), images.weight[numbers]
            lost = rises(kernel, tile, least[numbers], low[numbers], weight, high[numbers])
            self.gain[rows.positions] -= lost.sum
            self.error[rows.positions] += lost.error(kernel)
        self.work += len(changed) * len(candidates)
        group.seen[changed] = images.squared[changed]
        group.delayed = (1 + 1e-9) * float(rise[~now].sum())
        if changed.size:
            self.error[candidates] += self._rounded(self.gain[candidates])
        group.bound = float((self.gain[candidates] + self.error[candidates]).max())

    def _refreshed(self, positions: Ids) -> Ids:
        """Compute some gains again, almost exactly; return those that may still be the largest."""
        images = self.images
        gain, error = np.zeros(len(self.gain)), np.zeros(len(self.gain))
        for group in self.groups:
            candidates = np.intersect1d(positions, group.candidates, assume_unique=True)
            if not candidates.size:
                continue
            seen = np.zeros(len(self.gain))  # gains that account for what the group has seen
            low = gaussian(group.seen, images.squared_bandwidth)  # [m]
            least = images.quick.least(group.seen)  # [m]
            for rows, columns, numbers in images.tiles(candidates, wide=True):
                exponents = images.quick.exponents(rows, columns)  # [c, i]
                if dense(exponents, least[numbers][None]):
                    i, j = np.divmod(np.arange(exponents.size), exponents.shape[1])
                    ends = (images.fine.distances.rows_at(at.positions) for at in (rows, columns))
                    values = images.fine.values(images.fine.exponents(*ends)).ravel()
                else:
                    _, (i, j) = pairs(exponents >= least[numbers])
                    values = self._direct(rows.positions[i], numbers[j])
                at, weight = rows.positions, images.weight[numbers[j]]
                for sums, floor in ((gain, images.covered), (seen, low)):
                    more = np.maximum(values - floor[numbers[j]], 0) * weight
                    sums[at] += np.bincount(i, more, len(at))
                error[at] += images.fine.doubt * np.bincount(i, values * weight, len(at))
            error[candidates] += self._rounded(seen[candidates])
            self.gain[candidates], self.error[candidates] = seen[candidates], error[candidates]
        return _within(positions, gain[positions], error[positions], error[positions])

    def _cover(self, position: int) -> None:
        """Make a candidate a centre."""
        images = self.images
        numbers, before = images.cover(position)
        if self.lists is None:
            return
        index, candidates, values = self.lists.of_images(numbers)  # [p]
        lost = np.clip(values, before[index], images.covered[numbers][index]) - before[index]
        lost *= images.weight[numbers][index]
        self.error += (len(numbers) + 4) * ROUNDOFF * float(self.gain.max())
        self.gain -= np.bincount(candidates, lost, minlength=len(self.gain))


def _within(candidates: Ids, gain: Floats, above: Floats, below: Floats) -> Ids:
    """Return the candidates whose gain, at most `above` more and `below` less, may be the best."""
    return np.asarray(candidates[gain + above >= (gain - below).max()])
