"""MedAL, equation 2: always the point of largest mean squared distance to all that is labelled.

Smailagic et al., MedAL: deep active learning sampling method for medical image analysis, 2018,
https://arxiv.org/abs/1809.09287. With μ the labelled mean, mean‖u - ℓ‖² = ‖u - μ‖² + const, so a
row's score is ‖z‖² - 2 z·μ about any fixed shift; and when μ moves by δ a score moves by at most
2‖z‖δ, so most rows need no fresh look.
"""

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.feature_space import Embedding
from nextlabel.core.pool import Pool
from nextlabel.core.types import Array, Ids, as_ids
from nextlabel.kernels.distance.exact import TILE, Metric, does_not_vary
from nextlabel.kernels.distance.products import COARSE, Precision, Screen, inner
from nextlabel.kernels.memory import memory_for

WINDOW = 512
"""Rows whose scores are kept up to date at every pick; the rest are held by their bound."""

BLOCK = 64
"""Rows whose products with the window are computed together when the first of them is picked."""

HELD = 2**22
"""Values of a window's rows that are kept; ties can make a window larger than that."""

BINS = 256
"""Groups of rows of like norm, each with one bound, so that a pick costs no look at all N."""


def farthest_from_mean(
    features: object, labelled: object, budget: int, *, excluded: object = ()
) -> Ids:
    """Return `budget` ids, each of largest mean squared distance to all labelled or picked (eq. 2).

    Arguments, first pick with nothing labelled, ties, memory and errors as for `farthest_first`.
    Near ties are settled on the literal sum of direct differences. Returns int64 (budget).
    """
    embedding = Embedding.of(features)
    pool = Pool(len(embedding), as_ids(labelled), as_ids(excluded))
    pool.check_budget(budget)
    metric = Metric(embedding)
    with memory_for(budget, metric.size, _bytes(metric)):
        if budget == 0 or does_not_vary(metric):
            return pool.unlabelled[:budget].copy()
        start = pool.labelled
        if not pool.labelled_count:
            start = np.array([metric.nearest_to_mean(pool.unlabelled)])
        scores = _Scores(metric, pool.unlabelled, start, pool.labelled_count + budget)
        while scores.count < len(scores.all):
            scores.pick()
    return scores.all[pool.labelled_count :].copy()


def _bytes(metric: Metric) -> int:
    """Return about what it takes: numbers a row, a window's rows and their products, tiles."""
    held = min(2 * WINDOW * metric.dimensions, HELD)
    return 80 * metric.size + 3 * 8 * held + 4 * 8 * TILE * metric.dimensions + 2**23


class _Scores:
    """Upper bounds on the scores of all candidates, and fresh ones for those in the window."""

    def __init__(self, metric: Metric, candidates: Ids, centres: Ids, capacity: int) -> None:
        self.metric, self.screen = metric, Screen(metric)
        self.all, self.count = np.empty(capacity, np.int64), 0
        self.open = np.zeros(metric.size, bool)
        self.open[candidates] = True
        self.open[centres] = False
        self.largest = float(self.screen.norms.max())
        self.order = np.argsort(self.screen.norms)
        self.heads = np.arange(0, metric.size, -(-metric.size // BINS))
        ends = np.append(self.heads[1:], metric.size) - 1
        self.radii = np.sqrt(self.screen.norms[self.order[ends]])
        self.sums = [np.zeros(part.array.shape[1]) for part in metric.parts]
        for begin in range(0, len(centres), TILE):
            own = centres[begin : begin + TILE]
            self._add(own, self.screen.rows(own, np.float64))
        self.totals = np.zeros(metric.size)  # literal sums over the first `seen` centres
        self.seen = np.zeros(metric.size, np.int64)
        loose = self.screen.rounding(np.float32)[0] > COARSE
        self.precision: Precision = np.float64 if loose else np.float32
        self._renew()

    @property
    def centres(self) -> Ids:
        """All labelled and picked so far."""
        return self.all[: self.count]

    def _add(self, ids: Ids, rows: list[Array]) -> None:
        self.all[self.count : self.count + len(ids)] = ids
        self.count += len(ids)
        for total, own in zip(self.sums, rows, strict=True):
            total += own.sum(axis=0)

    @property
    def mean(self) -> list[NDArray[np.float64]]:
        """The labelled mean about the shift, block by block."""
        return [total / self.count for total in self.sums]

    @property
    def error(self) -> float:
        """How far a computed score may be from what the literal formula computes, both rounded.

        Each is a sum of (d + |L|) terms or so, none above 2 (‖z_i‖² + max‖z‖²), in 2^-53.
        """
        terms = 8 * (self.metric.dimensions + self.count) + 80
        return terms * 2.0**-53 * 2 * self.largest + 1e-300

    def _score(self, ids: Ids | slice, precision: Precision = np.float64) -> NDArray[np.float64]:
        vectors = self.screen.weighted(self.mean, precision)
        products = self.screen.products(ids, vectors, precision)
        return np.asarray(self.screen.norms[ids] - 2.0 * products.astype(np.float64))

    def _renew(self) -> None:
        """Bound all scores in one pass, and make a window of the best."""
        bounds = np.full(self.metric.size, -np.inf)
        for tile in self.metric.tiles:
            bounds[tile] = np.where(self.open[tile], self._score(tile, self.precision), -np.inf)
        if self.precision is np.float32:
            kappa, eta = self.screen.rounding(np.float32)
            bounds += kappa * (self.screen.norms + self.largest) + eta
        self.at = self.mean
        place = max(self.metric.size - WINDOW, 0)
        # The margin lets no tie with the last one in stand outside.
        least = np.partition(bounds, place)[place] - 8 * self.error
        self.window = np.flatnonzero((bounds >= least) & self.open)
        bounds[self.window] = -np.inf
        self.tops = np.maximum.reduceat(bounds[self.order], self.heads)
        self._hold()

    def _hold(self) -> None:
        """Keep the window's rows and their products with the sum of the centres, if they fit."""
        self.norms = self.screen.norms[self.window]
        self.held: list[Array] | None = None
        self.ready: dict[int, Array] = {}
        if len(self.window) * self.metric.dimensions <= HELD:
            self.held = self.screen.rows(self.window, np.float64)
            self.products = inner(self.held, self.screen.weighted(self.sums, np.float64))

    def _rest(self) -> float:
        """Return a bound on the scores of all outside the window."""
        moved = sum(
            part.weight * float(np.square(now - then).sum())
            for part, now, then in zip(self.metric.parts, self.mean, self.at, strict=True)
        )
        return float((self.tops + 2.0000001 * np.sqrt(moved) * self.radii).max())

    def pick(self) -> None:
        """Append the candidate of the largest score to the centres; the smallest id at a tie."""
        scores = self._window_scores()
        if not self._certain(scores):
            self._renew()
            scores = self._window_scores()
            if self.precision is np.float32 and not self._certain(scores):
                self.precision = np.float64  # float32 bounds are too loose here
                self._renew()
                scores = self._window_scores()
        near = np.flatnonzero(scores >= scores.max() - 2 * self.error)
        place = int(near[0])
        if len(near) > 1:
            chosen = self._settle(self.window[near])
            place = int(np.searchsorted(self.window, chosen))
        self._close(place)

    def _certain(self, scores: NDArray[np.float64]) -> bool:
        best = scores.max(initial=-np.inf)
        return bool(best > -np.inf and best - 2 * self.error > self._rest())

    def _window_scores(self) -> NDArray[np.float64]:
        """Return the scores of the window; -inf for those picked."""
        if self.held is not None:
            return np.asarray(self.norms - 2 * self.products / self.count)
        spans = range(0, len(self.window), TILE)
        scores = np.concatenate([self._score(self.window[s : s + TILE]) for s in spans])
        scores[~self.open[self.window]] = -np.inf
        return scores

    def _close(self, place: int) -> None:
        """Make a row of the window a centre."""
        chosen = self.window[place : place + 1]
        if self.held is None:
            self._add(chosen, self.screen.rows(chosen, np.float64))
        else:
            if place not in self.ready:
                self._prepare(place)
            self.products += self.ready.pop(place)
            self._add(chosen, [own[place : place + 1] for own in self.held])
        self.open[chosen] = False
        self.norms[place] = -np.inf

    def _prepare(self, place: int) -> None:
        """Compute the products of a row and the next likely picks with the window."""
        assert self.held is not None
        waiting = self.norms - 2 * self.products / self.count
        waiting[list(self.ready)] = -np.inf
        waiting[place] = np.inf
        likely = np.argsort(-waiting, kind="stable")[:BLOCK]
        own = self.screen.weighted([rows[likely] for rows in self.held], np.float64)
        self.ready.update(zip(likely.tolist(), inner(own, self.held), strict=True))

    def _settle(self, near: Ids) -> int:
        """Return the best of near ties by the formula itself; the smallest id at a tie."""
        if self.screen.integral:  # |L|·score is a whole number and exact
            vectors = self.screen.weighted(self.sums, np.float64)
            products = self.screen.products(near, vectors, np.float64)
            return int(near[(self.count * self.screen.norms[near] - 2 * products).argmax()])
        near = self.metric.without_copies(near)
        for row in near if len(near) > 1 else ():
            self._advance(int(row))
        return int(near[self.totals[near].argmax()])

    def _advance(self, row: int) -> None:
        """Bring the literal sum Σ_ℓ‖x - ℓ‖² of `row` up to all centres, in their order."""
        own = self.metric.centre(row)
        while self.seen[row] < self.count:
            chunk = self.centres[self.seen[row] : self.seen[row] + TILE]
            terms = self.metric.squared_distances(chunk, own)
            self.totals[row] = np.add.accumulate(np.append(self.totals[row], terms))[-1]
            self.seen[row] += len(chunk)
