"""MedAL, equation 2: always the point of largest mean squared distance to all that is labelled.

Smailagic et al., MedAL: deep active learning sampling method for medical image analysis, 2018,
https://arxiv.org/abs/1809.09287. With μ the labelled mean, mean‖u - ℓ‖² = ‖u - μ‖² + const, so a
row's score is ‖z‖² - 2 z·μ about any fixed shift; and when μ moves by δ a score moves by at most
2‖z‖δ, so most rows need no fresh look.
"""

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.features import Embedding
from nextlabel.core.pool import Pool
from nextlabel.core.types import Ids, as_ids
from nextlabel.kernels.farthest_first import does_not_vary
from nextlabel.kernels.metric import TILE, Metric
from nextlabel.kernels.screen import Screen

WINDOW = 512
"""Rows whose scores are computed anew at every pick; the rest are held by their bound."""


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
    if budget == 0 or does_not_vary(metric):
        return pool.unlabelled[:budget].copy()
    start = pool.labelled
    if not pool.labelled_count:
        start = np.array([metric.nearest_to_mean(pool.unlabelled)])
    scores = _Scores(metric, pool.unlabelled, start)
    for _ in range(budget - (len(start) - pool.labelled_count)):
        scores.pick()
    return scores.centres[pool.labelled_count :].copy()


class _Scores:
    """Upper bounds on the scores of all candidates, and fresh ones for those in the window."""

    def __init__(self, metric: Metric, candidates: Ids, centres: Ids) -> None:
        self.metric, self.screen = metric, Screen(metric)
        self.centres = centres
        self.open = np.zeros(metric.size, bool)
        self.open[candidates] = True
        self.open[centres] = False
        self.radius = np.sqrt(self.screen.norms)
        self.sums = [np.zeros(part.array.shape[1]) for part in metric.parts]
        for begin in range(0, len(centres), TILE):
            self._add(centres[begin : begin + TILE])
        self.totals = np.zeros(metric.size)  # literal sums over the first `seen` centres
        self.seen = np.zeros(metric.size, np.int64)
        self._renew()

    def _add(self, ids: Ids) -> None:
        for total, rows in zip(self.sums, self.screen.rows(ids, np.float64), strict=True):
            total += rows.sum(axis=0)

    @property
    def mean(self) -> list[NDArray[np.float64]]:
        """The labelled mean about the shift, block by block."""
        return [total / len(self.centres) for total in self.sums]

    @property
    def error(self) -> float:
        """How far a computed score may be from what the literal formula computes, both rounded.

        Each is a sum of (d + |L|) terms or so, none above 2 (‖z_i‖² + max‖z‖²), in 2^-53.
        """
        terms = 8 * (self.metric.dimensions + len(self.centres)) + 80
        return terms * 2.0**-53 * 2 * float(self.screen.norms.max()) + 1e-300

    def _score(self, ids: Ids | slice) -> NDArray[np.float64]:
        vectors = self.screen.weighted(self.mean, np.float64)
        products = self.screen.products(ids, vectors, np.float64)
        return np.asarray(self.screen.norms[ids] - 2 * products)

    def _renew(self) -> None:
        """Compute all scores in one pass, and make a window of the best."""
        self.bounds = np.full(self.metric.size, -np.inf)
        for tile in self.metric.tiles:
            self.bounds[tile] = np.where(self.open[tile], self._score(tile), -np.inf)
        self.at = self.mean
        place = max(self.metric.size - WINDOW, 0)
        # The margin lets no tie with the last one in stand outside.
        least = np.partition(self.bounds, place)[place] - 8 * self.error
        self.window = np.flatnonzero((self.bounds >= least) & self.open)
        self.bounds[self.window] = -np.inf

    def _rest(self) -> float:
        """Return a bound on the scores of all outside the window."""
        moved = sum(
            part.weight * float(np.square(now - then).sum())
            for part, now, then in zip(self.metric.parts, self.mean, self.at, strict=True)
        )
        return float((self.bounds + 2.0000001 * np.sqrt(moved) * self.radius).max())

    def pick(self) -> None:
        """Append the candidate of the largest score to the centres; the smallest id at a tie."""
        if not self.window.size:
            self._renew()
        scores = self._window_scores()
        if scores.max() - 2 * self.error <= self._rest():
            self._renew()
            scores = self._window_scores()
        near = self.window[scores >= scores.max() - 2 * self.error]
        chosen = int(near[0]) if len(near) == 1 else self._settle(near)
        self.open[chosen] = False
        self.window = self.window[self.window != chosen]
        self.centres = np.append(self.centres, chosen)
        self._add(self.centres[-1:])

    def _window_scores(self) -> NDArray[np.float64]:
        spans = range(0, len(self.window), TILE)
        return np.concatenate([self._score(self.window[s : s + TILE]) for s in spans])

    def _settle(self, near: Ids) -> int:
        """Return the best of near ties by the formula itself; the smallest id at a tie."""
        if self.screen.integral:  # |L|·score is a whole number and exact
            vectors = self.screen.weighted(self.sums, np.float64)
            products = self.screen.products(near, vectors, np.float64)
            return int(near[(len(self.centres) * self.screen.norms[near] - 2 * products).argmax()])
        near = self.metric.without_copies(near)
        for row in near if len(near) > 1 else ():
            self._advance(int(row))
        return int(near[self.totals[near].argmax()])

    def _advance(self, row: int) -> None:
        """Bring the literal sum Σ_ℓ‖x - ℓ‖² of `row` up to all centres, in their order."""
        own = self.metric.centre(row)
        while self.seen[row] < len(self.centres):
            chunk = self.centres[self.seen[row] : self.seen[row] + TILE]
            terms = self.metric.squared_distances(chunk, own)
            self.totals[row] = np.add.accumulate(np.append(self.totals[row], terms))[-1]
            self.seen[row] += len(chunk)
