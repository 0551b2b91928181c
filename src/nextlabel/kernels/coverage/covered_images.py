"""The images that are covered, and how well each is.

n open (unlabelled) images, m of them with a weight above 0; a number counts within these m.
"""

import math
from collections.abc import Iterator

import numpy as np

from nextlabel.core.pool import Pool
from nextlabel.core.types import Ids
from nextlabel.kernels.coverage.gaussian_kernel import FARTHEST, gaussian, kernels
from nextlabel.kernels.coverage.tuning import HerdingTuning
from nextlabel.kernels.distance.exact import Floats, Metric
from nextlabel.kernels.distance.products import ShiftedRows
from nextlabel.kernels.distance.tiles import (
    HELD,
    Distances,
    TileRows,
    nearest_squared_distances,
)

KEPT_VALUES = 2**23
"""Values of converted rows that are kept between passes, 64 MB of both sides in float32."""


class CoveredImages:
    """The coverage of the images that have a weight; a labelled image covers itself.

    Parameters
    ----------
    metric
        The distances that decide.
    pool
        The labelled images, which are the centres.
    weight
        The weight of each open image (n).
    squared_bandwidth
        σ² of the kernel.
    tuning
        Sizes for speed and memory.

    Attributes
    ----------
    positions
        Which open images these are, int64 (m).
    weight
        Their weights (m), times a power of two that makes the largest about 1.
    squared, covered
        The direct squared distance of each to its nearest centre, and its kernel value (m).
    fine, quick
        The kernel in float64, and the same or in float32.

    """

    def __init__(
        self,
        metric: Metric,
        pool: Pool,
        weight: Floats,
        squared_bandwidth: float,
        tuning: HerdingTuning,
    ) -> None:
        self.metric, self.ids, self.squared_bandwidth = metric, pool.unlabelled, squared_bandwidth
        n = len(self.ids)
        self.positions = np.flatnonzero(weight > 0)  # [m]
        largest = float(weight.max(initial=0.0))
        self.weight = np.ldexp(weight[self.positions], -math.frexp(largest)[1])  # [m]
        shifted = ShiftedRows(metric)
        ids = np.concatenate([pool.unlabelled, pool.labelled])
        both = Distances(metric, ids, np.float64, tuning.tile_rows, shifted)
        centres = np.arange(n, len(both))
        self.squared = nearest_squared_distances(both, self.positions, centres)  # [m]
        self.covered = gaussian(self.squared, squared_bandwidth)  # [m]
        self.fine, self.quick = kernels(
            metric, self.ids, squared_bandwidth, tuning.tile_rows, shifted
        )
        self.least = self.quick.least(self.squared)  # [m]
        self._kept: TileRows | None = None
        self._small = len(self) * (metric.dimensions + 2) <= KEPT_VALUES
        self._wide_tiles = tuning.wide_tiles if self._small else 1

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def reach(self) -> Floats:
        """The squared distance from which an image is not covered better (m)."""
        return np.minimum(self.squared, FARTHEST * self.quick.squared_bandwidth)

    @property
    def all_candidates(self) -> bool:
        """True when each candidate is an image that is covered, so that n = m."""
        return len(self) == len(self.ids)

    @property
    def all_covered(self) -> bool:
        """True when no image can be covered better."""
        return not bool((self.weight[self.covered < 1] > 0).any())

    def columns(
        self, numbers: Ids | None = None, wide: bool = False
    ) -> Iterator[tuple[TileRows, Ids]]:
        """Yield tiles of images, by default of all, and their numbers, for the quick kernel.

        A `wide` tile has more images; it is for few candidates. Only rows that are kept make wide
        tiles: others would be converted into memory that is far from the processor.
        """
        step = self.quick.distances.tile_rows * (self._wide_tiles if wide else 1)
        numbers = np.arange(len(self)) if numbers is None else numbers
        for start in range(0, len(numbers), step):
            some = numbers[start : start + step]
            yield self._rows(some), some

    def _rows(self, numbers: Ids) -> TileRows:
        """Return the rows of some images, ascending, for the quick kernel."""
        distances = self.quick.distances
        if self._kept is None and self._small:
            self._kept = distances.rows_at(self.positions)
        if self._kept is None:
            return distances.rows_at(self.positions[numbers])
        first, count = int(numbers[0]), len(numbers)
        whole = int(numbers[-1]) - first == count - 1  # without a gap, rows need not be copied
        return self._kept.at(slice(first, first + count) if whole else numbers)

    def tiles(
        self, candidates: Ids, numbers: Ids | None = None, wide: bool = False
    ) -> Iterator[tuple[TileRows, TileRows, Ids]]:
        """Yield candidates, images and the numbers of these, for each pair of tiles once.

        With `wide`, tiles of few candidates may have more images.
        """
        wide = wide and len(candidates) * self._wide_tiles <= self.quick.distances.tile_rows
        held: list[tuple[TileRows, Ids]] = []
        for tile in self.columns(numbers, wide):
            held.append(tile)
            if len(held) == (1 if wide else HELD):
                yield from self._by_held(candidates, held)
                held = []
        if held:
            yield from self._by_held(candidates, held)

    def _by_held(
        self, candidates: Ids, held: list[tuple[TileRows, Ids]]
    ) -> Iterator[tuple[TileRows, TileRows, Ids]]:
        step, distances = self.quick.distances.tile_rows, self.quick.distances
        for start in range(0, len(candidates), step):
            some = candidates[start : start + step]
            rows = self._rows(some) if self.all_candidates else distances.rows_at(some)
            for columns, numbers in held:
                yield rows, columns, numbers

    def improvable(self, position: int) -> Ids:
        """Return the numbers of the images that a candidate may cover better than now."""
        candidate = self.quick.distances.rows_at(np.array([position]))
        return np.concatenate(
            [np.arange(0)]
            + [
                numbers[self.quick.exponents(candidate, columns)[0] >= self.least[numbers]]
                for columns, numbers in self.columns(wide=True)
            ]
        )

    def similarity(self, position: int, numbers: Ids) -> tuple[Floats, Floats]:
        """Return the direct squared distances of a candidate to images, and the kernel there."""
        squared = self.fine.distances.from_one(position, self.positions[numbers])
        return squared, gaussian(squared, self.squared_bandwidth)

    def exact_gain(self, position: int) -> float:
        """Return Σ_x w_x max(k(x, candidate) - coverage of x, 0): direct, and rounded once."""
        numbers = self.improvable(position)
        _, values = self.similarity(position, numbers)
        more = np.maximum(values - self.covered[numbers], 0) * self.weight[numbers]
        return math.fsum(more.tolist())

    def cover(self, position: int) -> tuple[Ids, Floats]:
        """Make a candidate a centre; return the numbers of the images it covers, as they were."""
        numbers = self.improvable(position)
        squared, values = self.similarity(position, numbers)
        closer = squared < self.squared[numbers]
        numbers, squared = numbers[closer], squared[closer]
        before = self.covered[numbers]
        self.squared[numbers], self.covered[numbers] = squared, values[closer]
        self.least[numbers] = self.quick.least(squared)
        return numbers, before
