"""The number of balls of ProbCover that hold each open image, and the gain of each candidate.

n open (unlabelled) images, which are the candidates too; a tile has r rows and c columns.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.pool import Pool
from nextlabel.core.progress import picked, prepared
from nextlabel.core.types import Ids
from nextlabel.kernels.coverage.ball_members import BallMembers
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.distance.products import FloatType, ShiftedRows
from nextlabel.kernels.distance.tile_marks import pairs
from nextlabel.kernels.distance.tiles import TILE_ROWS, Distances, TileRows

ANCHORS = 64
"""Images by which others are sorted before their balls are kept; for speed only."""

COARSE = 1e-3
"""Rounding of float32, relative to the squared radius, above which float64 is used."""


@dataclass(frozen=True)
class BallTuning:
    """Sizes that decide speed and memory; the picks are the same with any.

    Parameters
    ----------
    words
        Words of bits that are kept of the images to cover, at 12 bytes for 64 images and one
        candidate whose ball holds any of them.
    tile_rows
        Rows and columns of a tile of distances.

    """

    words: int = 2**24
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
        self.members = BallMembers(self.size, tuning.words)
        self.of_level: list[int] = []  # positions taken since the level began

    def picks(self, budget: int) -> Ids:
        """Return positions in the order of choice."""
        positions = np.empty(budget, np.int64)
        for k in range(budget):
            if not self.targets.any():
                self._begin_level()
            self._keep_few()
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
        more = self._candidates_near(picked)  # [n]
        self.balls += more
        if self.open_in_ball is not None:
            self.open_in_ball -= self._candidates_near(picked[self.counted[picked]])
        self.targets = self.in_fewest_balls()
        if not np.array_equal(self.targets, self.unpicked & self.counted):
            self.gain = self._keep(np.flatnonzero(self.targets), prepared)
            return
        # All are targets: their number in each ball is that of before, less what was picked.
        if self.open_in_ball is None:
            self.open_in_ball = self._keep(np.flatnonzero(self.targets), prepared)
        self.gain = self.open_in_ball.copy()

    def in_fewest_balls(self) -> NDArray[np.bool_]:
        """Return which unpicked images are in the fewest balls (n): of those counted, if any."""
        images = self.unpicked & self.counted
        if not images.any():
            images = self.unpicked
        return np.asarray(images & (self.balls == self.balls[images].min()))

    def _count(
        self,
        images: Ids,
        report: Callable[[float], None] = lambda share: None,
        members: BallMembers | None = None,
    ) -> NDArray[np.int64]:
        """Return the number of `images` in the ball about each candidate (n), and add them."""
        count, done = np.zeros(self.size, np.int64), 0
        for rows, columns in self.distances.rectangle(np.arange(self.size), images):
            done += len(rows.positions) * len(columns.positions)
            report(done / (self.size * len(images)))
            inside = self._within(rows, columns)
            if members is not None:
                members.add(rows.positions, columns.positions, inside)
            # Bytes are added much faster than truth values.
            count[rows.positions] += np.add.reduce(inside.view(np.uint8), axis=1, dtype=np.uint16)
        return count

    def _keep(
        self, images: Ids, report: Callable[[float], None] = lambda share: None
    ) -> NDArray[np.int64]:
        """Return the number of `images` in the ball about each candidate (n); keep the new ones."""
        kept = self.members.keeps(images)
        count, more = self.members.count(images[kept]), images[~kept]
        if more.size:
            self.members.begin()
            count += self._count(self._neighbours_together(more), report, self.members)
            self.members.end()
        return count

    def _keep_few(self) -> None:
        """Keep the remaining targets, if there is room by now."""
        targets = np.flatnonzero(self.targets)
        if self.gain.sum() <= self.members.room and not self.members.keeps(targets).all():
            self._keep(targets)

    def _neighbours_together(self, images: Ids) -> Ids:
        """Return images in an order in which those near the same one of a few are together."""
        few = images[np.unique(np.linspace(0, len(images) - 1, ANCHORS).astype(np.int64))]
        anchors = self.distances.rows_at(few)
        nearest = [
            self.distances.product(rows, anchors).argmin(axis=1)
            for rows in self.distances.each_rows_at(images)
        ]
        return images[np.argsort(np.concatenate(nearest), kind="stable")]

    def _targets_near(self, position: int) -> Ids:
        """Return the targets in the ball about a position."""
        kept = self.members.images_near(position)
        targets = np.flatnonzero(self.targets)
        others = targets[~self.members.keeps(targets)]
        near = [kept[self.targets[kept]]]
        if others.size:
            centre = self.distances.rows_at(np.array([position]))
            near += [
                columns.positions[self._within(centre, columns)[0]]
                for columns in self.distances.each_rows_at(others, 8 * self.tuning.tile_rows)
            ]
        return np.concatenate(near)

    def _candidates_near(self, images: Ids) -> NDArray[np.int64]:
        """Return the number of `images` in the ball about each candidate (n)."""
        kept = self.members.keeps(images)
        count = self.members.count(images[kept])
        return count if kept.all() else count + self._count(images[~kept])

    def _within(self, rows: TileRows, columns: TileRows) -> NDArray[np.bool_]:
        """Return which pairs (r, c) are within the radius; direct differences decide near ties."""
        values, exact = self.distances.product(rows, columns), np.float64(self.squared_radius)
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
