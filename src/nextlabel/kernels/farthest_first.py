"""Greedy k-centre, equation 1 (6 for weighted blocks): always the point farthest from its centre.

Sener & Savarese, Active learning for convolutional neural networks: a core-set approach, 2018,
https://arxiv.org/abs/1708.00489; the greedy is Gonzalez's, 1985, within twice the best radius.
"""

import warnings

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.features import Embedding
from nextlabel.core.pool import Pool
from nextlabel.core.types import Array, Ids, as_ids
from nextlabel.kernels.metric import Metric
from nextlabel.kernels.screen import Precision, Screen

CENTRES = 1024
"""Centres at a time in the start, so that no table of all rows by all centres ever exists."""


def farthest_first(
    features: object, labelled: object, budget: int, *, excluded: object = ()
) -> Ids:
    """Return `budget` ids, each the farthest from all labelled or already picked (equation 1).

    `features` is an Embedding or one array (N, d) of real numbers: numpy of any dtype and layout,
    a memory map, a tensor or nested lists. `labelled` and `excluded` are ids. Distances are
    squared Euclidean, decided in float64 on direct differences; ties go to the smallest id; with
    nothing labelled the first pick is the candidate nearest the candidates' mean. Takes O(N)
    memory beside the features and one pass over them a pick. Returns int64 (budget), in order.
    Raises DataError, UnknownId, AlreadyLabelled or BudgetError; warns when the rows do not vary.
    """
    embedding = Embedding.of(features)
    pool = Pool(len(embedding), as_ids(labelled), as_ids(excluded))
    pool.check_budget(budget)
    metric = Metric(embedding)
    if budget == 0 or does_not_vary(metric):
        return pool.unlabelled[:budget].copy()
    nearest = _Nearest(metric, pool.unlabelled)
    nearest.add_all(pool.labelled)
    picks = np.empty(budget, np.int64)
    for k in range(budget):
        if k == 0 and not pool.labelled_count:
            picks[k] = metric.nearest_to_mean(pool.unlabelled)
        else:
            picks[k] = nearest.farthest()
        nearest.close(int(picks[k]))
        if k + 1 < budget:
            nearest.add(int(picks[k]))
    return picks


def does_not_vary(metric: Metric) -> bool:
    """Say whether all rows are the same, and warn of it when there are several."""
    constant = metric.is_constant()
    if constant and metric.size > 1:
        warnings.warn(
            f"the features of all {metric.size} images are the same, so the smallest ids are "
            "picked; check how the features were made",
            stacklevel=3,
        )
    return constant


class _Nearest:
    """Squared distance of every candidate to its nearest centre.

    `value` holds float64 direct differences only: infinite before the first centre, -inf for who
    cannot be picked. A centre is measured only against rows that its inner product, less its
    error, does not rule out: those whose product exceeds `threshold` plus the centre's own part.
    """

    def __init__(self, metric: Metric, candidates: Ids) -> None:
        self.metric, self.screen = metric, Screen(metric)
        self.value = np.full(metric.size, -np.inf)
        self.value[candidates] = np.inf
        # In a few dimensions the radius soon is tiny against the norms, and float64 costs nothing.
        self._use(np.float32 if metric.dimensions > 32 else np.float64)

    def _use(self, precision: Precision) -> None:
        self.precision = precision
        self.kappa, self.eta = self.screen.error(precision)
        self.threshold = np.empty(self.metric.size)
        self._refresh(slice(None))

    def _refresh(self, ids: Ids | slice) -> None:
        value = self.value[ids]
        threshold = (self.screen.norms[ids] * (1 - self.kappa) - value) / 2
        # Nothing comes nearer than 0, and who is out stays out.
        self.threshold[ids] = np.where(value > 0, threshold, np.inf)

    def farthest(self) -> int:
        """Return the candidate of the largest value; the smallest id at a tie."""
        return int(self.value.argmax())

    def close(self, row: int) -> None:
        """Take `row` out of the candidates."""
        self.value[row], self.threshold[row] = -np.inf, np.inf

    def add(self, row: int) -> None:
        """Make `row` a centre: one pass over the rows."""
        own = self.screen.rows(np.array([row]), self.precision)
        vectors = self.screen.weighted([z[0] for z in own], self.precision)
        part = (self.screen.norms[row] * (1 - self.kappa) - self.eta) / 2
        centre, wasted = self.metric.centre(row), 0
        for tile in self.metric.tiles:
            product = self.screen.products(tile, vectors, self.precision)
            hits = np.flatnonzero(product > self.threshold[tile] + part) + tile.start
            if hits.size:
                distances = self.metric.squared_distances(hits, centre)
                wasted += hits.size - self._lower(hits, distances)
        self._sharpen(wasted, self.metric.size // 8)

    def _lower(self, ids: Ids, distances: NDArray[np.float64]) -> int:
        nearer = distances < self.value[ids]
        np.minimum.at(self.value, ids, distances)
        self._refresh(ids[nearer])
        return int(nearer.sum())

    def _sharpen(self, wasted: int, limit: int) -> None:
        """Turn to float64 products where float32 rules out too few rows; picks stay the same."""
        if wasted > limit and self.precision is np.float32:
            self._use(np.float64)

    def add_all(self, centres: Ids) -> None:
        """Make all `centres` centres, by tiles of a matrix product."""
        for start in range(0, len(centres), CENTRES):
            chunk, wasted = centres[start : start + CENTRES], 0
            own = self.screen.rows(chunk, self.precision)
            others = self.screen.weighted(own, self.precision)
            for tile in self.metric.tiles:
                product = self.screen.products(tile, others, self.precision)
                rows, columns = self._nearest_pairs(product, tile, chunk)
                if rows.size:
                    distances = self.metric.pair_distances(rows, chunk[columns])
                    wasted += rows.size - self._lower(rows, distances)
            self._sharpen(wasted, 4 * self.metric.size)

    def _nearest_pairs(
        self, product: Array, tile: slice, chunk: Ids
    ) -> tuple[Ids, NDArray[np.int64]]:
        """Return (row, column) of every pair that may be a row's nearest and nearer than before.

        With g = z_i·z_c - ‖z_c‖²/2 a squared distance is ‖z_i‖² - 2g, and off by at most `slack`.
        """
        norms, centres = self.screen.norms[tile], self.screen.norms[chunk]
        product -= (centres / 2).astype(product.dtype)
        best = product.max(axis=1).astype(np.float64)
        slack = self.kappa * (norms + centres.max()) + self.eta
        value = self.value[tile]
        floor = np.where(value > 0, (norms - value - slack) / 2, np.inf)
        hits = np.flatnonzero(best > floor)
        if self.screen.integral:  # exact: a row's best column is its nearest centre
            return hits + tile.start, product[hits].argmax(axis=1)
        limit = np.maximum(floor, best - slack)[hits].astype(product.dtype)
        limit = np.nextafter(limit, product.dtype.type(-np.inf))
        rows, columns = np.nonzero(product[hits] >= limit[:, None])
        return hits[rows] + tile.start, columns
