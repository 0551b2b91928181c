"""MedAL, equation 2: the point of largest mean squared distance to all that is labelled.

Smailagic et al., MedAL: deep active learning sampling method for medical image analysis, 2018,
https://arxiv.org/abs/1809.09287. With μ the labelled mean, mean‖u - ℓ‖² = ‖u - μ‖² + const, so the
score of a row is ‖z‖² - 2 z·μ about any fixed shift. When μ moves by δ a score moves by at most
2‖z‖δ, so most scores need not be computed again (section "MedAL" of `kernels/README.md`).

N images, L labelled or picked, W rows in the window, G groups of rows of similar norm, d_b columns
of block b, d columns of all blocks.
"""

from dataclasses import dataclass

import numpy as np

from nextlabel.core.progress import picked
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.distance.exact import TILE, Floats, Metric, does_not_vary
from nextlabel.kernels.distance.products import COARSE, FloatType, ShiftedRows, inner
from nextlabel.kernels.inputs import metric_and_pool
from nextlabel.kernels.memory import memory_for


@dataclass(frozen=True)
class MeanTuning:
    """Sizes that decide speed and memory; the picks are the same with any.

    Parameters
    ----------
    window
        Rows whose scores are up to date at every pick; the others have a bound.
    prepared_rows
        Rows whose products with the window are computed together when the first is picked.
    held_values
        Feature values of a window that are kept; ties can make a window larger.
    groups
        Groups of rows of similar norm, each with one bound, so that a pick does not visit all N.

    """

    window: int = 512
    prepared_rows: int = 64
    held_values: int = 2**22
    groups: int = 256


STANDARD = MeanTuning()


def farthest_from_mean(
    features: object,
    labelled: object,
    budget: int,
    *,
    excluded: object = (),
    tuning: MeanTuning = STANDARD,
) -> Ids:
    """Return ids, each of largest mean squared distance to all labelled or picked (equation 2).

    Near ties are decided by the literal sum of direct differences, ties go to the smallest id.
    With nothing labelled the first pick is the candidate nearest the candidates' mean. Takes O(N)
    memory in addition to the features.

    Parameters
    ----------
    features
        An Embedding or one array (N, d) of real numbers.
    labelled
        Ids of labelled images.
    budget
        The number of ids to pick.
    excluded
        Ids that are neither picked nor count as labelled.
    tuning
        Sizes for speed and memory.

    Returns
    -------
    Ids
        Ids in the order of choice, int64 (budget).

    Raises
    ------
    DataError
        The features are not a table of finite numbers.
    UnknownId, AlreadyLabelled, BudgetError
        The ids or the budget do not fit the pool.
    OutOfMemory
        There is not enough memory.

    Warns
    -----
    UserWarning
        All rows are the same.

    Examples
    --------
    >>> from nextlabel import farthest_from_mean
    >>> farthest_from_mean([[0.0], [1.0], [5.0], [9.0]], labelled=[0], budget=2)
    array([3, 1])

    """
    metric, pool = metric_and_pool(features, labelled, excluded, budget)
    with memory_for(budget, metric.size, _bytes(metric, tuning)):
        if budget == 0 or does_not_vary(metric):
            return pool.unlabelled[:budget].copy()
        start = pool.labelled
        if not pool.labelled_count:
            start = np.array([metric.nearest_to_mean(pool.unlabelled)])
        scores = _Scores(metric, pool.unlabelled, start, pool.labelled_count + budget, tuning)
        while scores.count < len(scores.all):
            scores.pick()
            picked(scores.count - pool.labelled_count, budget)
    return scores.all[pool.labelled_count :].copy()


def _bytes(metric: Metric, tuning: MeanTuning) -> int:
    """Return about the memory needed: numbers per row, a window's rows and products, tiles."""
    held = min(2 * tuning.window * metric.dimensions, tuning.held_values)
    return 80 * metric.size + 3 * 8 * held + 4 * 8 * TILE * metric.dimensions + 2**23


class _Scores:
    """Upper bounds on the scores of all candidates, and exact ones for the rows in the window."""

    def __init__(
        self, metric: Metric, candidates: Ids, labelled: Ids, capacity: int, tuning: MeanTuning
    ) -> None:
        self.metric, self.shifted, self.tuning = metric, ShiftedRows(metric), tuning
        self.all, self.count = np.empty(capacity, np.int64), 0
        self.open = np.zeros(metric.size, bool)  # [N]
        self.open[candidates] = True
        self.open[labelled] = False
        squared_norms = self.shifted.squared_norms  # [N]
        self.largest = float(squared_norms.max())
        self.order = np.argsort(squared_norms)  # [N]
        self.group_starts = np.arange(0, metric.size, -(-metric.size // tuning.groups))  # [G]
        group_ends = np.append(self.group_starts[1:], metric.size) - 1
        self.group_norms = np.sqrt(squared_norms[self.order[group_ends]])  # [G]: the largest ‖z‖
        self.sums = [np.zeros(block.array.shape[1]) for block in metric.blocks]  # [d_b] per block
        for begin in range(0, len(labelled), TILE):
            some = labelled[begin : begin + TILE]
            self._add(some, self.shifted.rows(some, np.float64))
        self.totals = np.zeros(metric.size)  # literal sums over the first `summed` of L
        self.summed = np.zeros(metric.size, np.int64)
        coarse = self.shifted.rounding(np.float32)[0] > COARSE
        self.precision: FloatType = np.float64 if coarse else np.float32
        self._renew()

    @property
    def labelled(self) -> Ids:
        """All labelled and picked so far, in order (L)."""
        return self.all[: self.count]

    def _add(self, ids: Ids, rows: list[Array]) -> None:
        self.all[self.count : self.count + len(ids)] = ids
        self.count += len(ids)
        for total, block in zip(self.sums, rows, strict=True):
            total += block.sum(axis=0)

    @property
    def mean(self) -> list[Floats]:
        """The labelled mean about the shift, block by block (d_b)."""
        return [total / self.count for total in self.sums]

    @property
    def error(self) -> float:
        """Largest difference of a computed score from the literal formula, both rounded.

        Each is a sum of about (d + L) terms, none above 2 (‖z_i‖² + max‖z‖²), in 2^-53.
        """
        terms = 8 * (self.metric.dimensions + self.count) + 80
        return terms * 2.0**-53 * 2 * self.largest + 1e-300

    def _score(self, ids: Ids | slice, precision: FloatType = np.float64) -> Floats:
        """Return ‖z‖² - 2 z·μ of some rows (n)."""
        mean = self.shifted.weighted(self.mean, precision)
        products = self.shifted.products(ids, mean, precision)  # [n]
        return np.asarray(self.shifted.squared_norms[ids] - 2.0 * products.astype(np.float64))

    def _renew(self) -> None:
        """Bound all scores in one pass, and make a window of the highest."""
        bounds = np.full(self.metric.size, -np.inf)  # [N]
        for tile in self.metric.tiles:
            bounds[tile] = np.where(self.open[tile], self._score(tile, self.precision), -np.inf)
        if self.precision is np.float32:
            kappa, eta = self.shifted.rounding(np.float32)
            bounds += kappa * (self.shifted.squared_norms + self.largest) + eta
        self.bounded_at = self.mean
        cut = max(self.metric.size - self.tuning.window, 0)
        # The margin keeps all that tie with the last row of the window inside it.
        least = np.partition(bounds, cut)[cut] - 8 * self.error
        self.window = np.flatnonzero((bounds >= least) & self.open)  # [W]
        bounds[self.window] = -np.inf
        self.group_bounds = np.maximum.reduceat(bounds[self.order], self.group_starts)  # [G]
        self._hold()

    def _hold(self) -> None:
        """Keep the window's rows and their products with the sum of the labelled, if they fit."""
        self.window_norms = self.shifted.squared_norms[self.window]  # [W]
        self.held: list[Array] | None = None
        self.ready: dict[int, Array] = {}
        if len(self.window) * self.metric.dimensions <= self.tuning.held_values:
            self.held = self.shifted.rows(self.window, np.float64)  # [W, d_b] per block
            self.products = inner(self.held, self.shifted.weighted(self.sums, np.float64))  # [W]

    def _bound_outside(self) -> float:
        """Return a bound on the scores of all rows outside the window."""
        moved = sum(
            block.squared_weight * float(np.square(now - then).sum())
            for block, now, then in zip(self.metric.blocks, self.mean, self.bounded_at, strict=True)
        )  # δ²
        return float((self.group_bounds + 2.0000001 * np.sqrt(moved) * self.group_norms).max())

    def pick(self) -> None:
        """Append the candidate of the largest score to the labelled; the smallest id at a tie."""
        scores = self._window_scores()  # [W]
        if not self._certain(scores):
            self._renew()
            scores = self._window_scores()
            if self.precision is np.float32 and not self._certain(scores):
                self.precision = np.float64  # bounds in float32 are too loose here
                self._renew()
                scores = self._window_scores()
        near_ties = np.flatnonzero(scores >= scores.max() - 2 * self.error)
        position = int(near_ties[0])
        if len(near_ties) > 1:
            chosen = self._best_of(self.window[near_ties])
            position = int(np.searchsorted(self.window, chosen))
        self._label(position)

    def _certain(self, scores: Floats) -> bool:
        """Return whether the best score in the window beats all outside."""
        best = scores.max(initial=-np.inf)
        return bool(best > -np.inf and best - 2 * self.error > self._bound_outside())

    def _window_scores(self) -> Floats:
        """Return the scores of the window (W); -inf for those picked."""
        if self.held is not None:
            return np.asarray(self.window_norms - 2 * self.products / self.count)
        spans = range(0, len(self.window), TILE)
        scores = np.concatenate([self._score(self.window[s : s + TILE]) for s in spans])
        scores[~self.open[self.window]] = -np.inf
        return scores

    def _label(self, position: int) -> None:
        """Label a row of the window."""
        chosen = self.window[position : position + 1]
        if self.held is None:
            self._add(chosen, self.shifted.rows(chosen, np.float64))
        else:
            if position not in self.ready:
                self._prepare(position)
            self.products += self.ready.pop(position)
            self._add(chosen, [block[position : position + 1] for block in self.held])
        self.open[chosen] = False
        self.window_norms[position] = -np.inf

    def _prepare(self, position: int) -> None:
        """Compute the products of a row and the next likely picks with the window."""
        assert self.held is not None
        waiting = self.window_norms - 2 * self.products / self.count  # [W]
        waiting[list(self.ready)] = -np.inf
        waiting[position] = np.inf
        likely = np.argsort(-waiting, kind="stable")[: self.tuning.prepared_rows]
        rows = self.shifted.weighted([block[likely] for block in self.held], np.float64)
        self.ready.update(zip(likely.tolist(), inner(rows, self.held), strict=True))

    def _best_of(self, near_ties: Ids) -> int:
        """Return the best of near ties by the formula itself; the smallest id at a tie."""
        if self.shifted.integral:  # L times the score is a whole number and exact
            sums = self.shifted.weighted(self.sums, np.float64)
            products = self.shifted.products(near_ties, sums, np.float64)
            scores = self.count * self.shifted.squared_norms[near_ties] - 2 * products
            return int(near_ties[scores.argmax()])
        near_ties = self.metric.without_copies(near_ties)
        for image in near_ties if len(near_ties) > 1 else ():
            self._sum_up(int(image))
        return int(near_ties[self.totals[near_ties].argmax()])

    def _sum_up(self, image: int) -> None:
        """Bring the literal sum Σ_ℓ‖x - ℓ‖² of an image up to all labelled, in their order."""
        row = self.metric.row(image)
        while self.summed[image] < self.count:
            some = self.labelled[self.summed[image] : self.summed[image] + TILE]
            squared = self.metric.squared_distances(some, row)
            terms = np.append(self.totals[image], squared)
            self.totals[image] = np.add.accumulate(terms)[-1]
            self.summed[image] += len(some)
