"""The number of balls of ProbCover that hold each open image, and the gain of each candidate.

n open (unlabelled) images, which are the candidates too; a tile has r rows and c columns.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.pool import Pool
from nextlabel.core.progress import picked, prepared
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.coverage.tile_marks import pairs
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.distance.products import FloatType, ShiftedRows
from nextlabel.kernels.distance.tiles import TILE_ROWS, Distances, TileRows

COARSE = 1e-3
"""Rounding of float32, relative to the squared radius, above which float64 is used."""


@dataclass(frozen=True)
class BallTuning:
    """Sizes that decide speed and memory; the picks are the same with any.

    Parameters
    ----------
    listed_pairs
        Pairs of a candidate and an image to cover that are listed, at 10 bytes each.
    tile_rows
        Rows and columns of a tile of distances.

    """

    listed_pairs: int = 2**24
    tile_rows: int = TILE_ROWS


STANDARD = BallTuning()


class BallCounts:
    """The number of balls that hold each open image, and what each candidate would cover.

    The targets are those of the `counted` images (n) that are in the fewest balls; a level ends
    when each of them is in one more ball. Only then are balls counted again, since nothing before
    depends on it.
    """

    def __init__(
        self,
        metric: Metric,
        pool: Pool,
        counted: NDArray[np.bool_],
        squared_radius: float,
        tuning: BallTuning,
    ) -> None:
        self.ids, self.counted = pool.unlabelled, counted
        self.squared_radius, self.size = squared_radius, len(pool.unlabelled)
        self.tuning = tuning
        ids = np.concatenate([pool.unlabelled, pool.labelled])  # open images first
        shifted = ShiftedRows(metric)
        error = 2 * shifted.error(np.float32)[0] * float(shifted.squared_norms[ids].max())
        precision: FloatType = np.float32 if error <= COARSE * squared_radius else np.float64
        self.distances = Distances(metric, ids, precision, tuning.tile_rows, shifted)
        self.balls = self._count(np.arange(self.size, len(ids)))  # [n]
        self.unpicked = np.ones(self.size, bool)  # [n]
        self.targets = np.zeros(self.size, bool)  # [n]
        self.gain = np.zeros(self.size, np.int64)  # [n]: targets in the ball of each candidate
        self.open_in_ball: NDArray[np.int64] | None = None  # [n]: unpicked counted images in it
        self.lists: Any = None
        self.of_level: list[int] = []  # positions taken since the level began

    def picks(self, budget: int) -> Ids:
        """Return positions in the order of choice."""
        positions = np.empty(budget, np.int64)
        for k in range(budget):
            if not self.targets.any():
                self._begin_level()
            if self.lists is None and self.gain.sum() <= self.tuning.listed_pairs:
                self._list()
            positions[k] = best = int(np.where(self.unpicked, self.gain, -1).argmax())
            self.take(best)
            picked(k + 1, budget)
        return positions

    def take(self, position: int) -> None:
        """Make a candidate the centre of a ball: it is picked or labelled."""
        self.unpicked[position] = False
        self.of_level.append(position)
        if not self.targets.any():
            return
        covered = self._targets_near(position)
        self.targets[covered] = False
        if self.targets.any():
            self.gain -= self._candidates_near(covered)

    def _begin_level(self) -> None:
        """Count the balls of the last level, and target the images in the fewest balls."""
        picked = np.array(self.of_level, np.int64)
        self.of_level.clear()
        more = self._count(picked)  # [n]
        self.balls += more
        if self.open_in_ball is not None:
            self.open_in_ball -= self._count(picked[self.counted[picked]])
        self.targets = self.in_fewest_balls()
        self.lists = None
        if not np.array_equal(self.targets, self.unpicked & self.counted):
            self.gain = self._count(np.flatnonzero(self.targets), prepared)
            return
        # All are targets: their number in each ball is that of before, less what was picked.
        if self.open_in_ball is None:
            self.open_in_ball = self._count(np.flatnonzero(self.targets), prepared)
        self.gain = self.open_in_ball.copy()

    def in_fewest_balls(self) -> NDArray[np.bool_]:
        """Return which unpicked images are in the fewest balls (n): of those counted, if any."""
        images = self.unpicked & self.counted
        if not images.any():
            images = self.unpicked
        return np.asarray(images & (self.balls == self.balls[images].min()))

    def _count(
        self, centres: Ids, report: Callable[[float], None] = lambda share: None
    ) -> NDArray[np.int64]:
        """Return the number of balls about `centres` that hold each open image (n)."""
        count, done = np.zeros(self.size, np.int64), 0
        for rows, columns in self.distances.rectangle(np.arange(self.size), centres):
            done += len(rows.positions) * len(columns.positions)
            report(done / (self.size * len(centres)))
            inside = self._within(rows, columns).view(np.uint8)  # added much faster than bool
            count[rows.positions] += np.add.reduce(inside, axis=1, dtype=np.uint16)
        return count

    def _list(self) -> None:
        """List the pairs of a target and a candidate within the radius, sorted by either."""
        from scipy.sparse import coo_array

        none = np.empty(0, np.int32)
        listed: list[tuple[Array, Array]] = [(none, none)]
        targets = np.flatnonzero(self.targets)
        for rows, columns in self.distances.rectangle(np.arange(self.size), targets):
            _, (i, j) = pairs(self._within(rows, columns))
            listed.append(
                (columns.positions[j].astype(np.int32), rows.positions[i].astype(np.int32))
            )
        targets, candidates = (np.concatenate(column) for column in zip(*listed, strict=True))
        ones = np.ones(len(targets), bool)
        by_target = coo_array((ones, (targets, candidates)), shape=(self.size, self.size)).tocsr()
        self.lists = by_target, by_target.tocsc()

    def _targets_near(self, position: int) -> Ids:
        """Return the targets in the ball about a position."""
        if self.lists is not None:
            by_candidate = self.lists[1]
            span = slice(by_candidate.indptr[position], by_candidate.indptr[position + 1])
            inside = by_candidate.indices[span]
            return np.asarray(inside[self.targets[inside]], np.int64)
        centre = self.distances.rows_at(np.array([position]))
        targets = np.flatnonzero(self.targets)
        return np.concatenate(
            [
                columns.positions[self._within(centre, columns)[0]]
                for columns in self.distances.each_rows_at(targets, 8 * self.tuning.tile_rows)
            ]
        )

    def _candidates_near(self, images: Ids) -> NDArray[np.int64]:
        """Return the number of `images` in the ball about each candidate (n)."""
        if self.lists is None:
            return self._count(images)
        return np.bincount(self.lists[0][images].indices, minlength=self.size)

    def _within(self, rows: TileRows, columns: TileRows) -> NDArray[np.bool_]:
        """Return which pairs (r, c) are within the radius; direct differences decide near ties."""
        values, exact = self.distances.tile(rows, columns), np.float64(self.squared_radius)
        if not self.distances.kappa:
            return np.asarray(values <= exact)
        error, precision = self.distances.error, self.distances.precision
        slack = 1.001 * float(error(rows.squared_norms.max(), columns.squared_norms.max()))
        slack += 2.0**-20 * self.squared_radius  # the limits are rounded to the tile's precision
        inside = values <= precision(exact + slack)  # [r, c]
        _, (i, j) = pairs(inside & (values > precision(exact - slack)))
        unsure = values[i, j].astype(np.float64)
        decided = unsure <= exact
        off = np.abs(unsure - exact)
        near = np.flatnonzero(off <= error(rows.squared_norms[i], columns.squared_norms[j]))
        direct = self.distances.pairs(rows.positions[i[near]], columns.positions[j[near]])
        decided[near] = direct <= exact
        inside[i, j] = decided
        return np.asarray(inside)
