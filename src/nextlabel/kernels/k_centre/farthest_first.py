"""Greedy k-centre, equation 1 (6 for weighted blocks): the point farthest from its nearest centre.

Sener & Savarese, Active learning for convolutional neural networks: a core-set approach, 2018,
https://arxiv.org/abs/1708.00489; the greedy algorithm is Gonzalez's, 1985, within twice the best
radius. Only rows whose upper bound is among the largest are brought up to date; section "Greedy
k-centre" of `kernels/README.md` proves that the picks are those of a full scan.

N images, L centres, W top rows, C candidates among them.
"""

from collections.abc import Callable

import numpy as np

from nextlabel.core.pool import Pool
from nextlabel.core.progress import ProgressCallback
from nextlabel.core.types import Ids
from nextlabel.kernels.distance.exact import Metric, does_not_vary
from nextlabel.kernels.distance.products import COARSE, FloatType, ShiftedRows
from nextlabel.kernels.inputs import metric_and_pool
from nextlabel.kernels.k_centre.bounds import CLOSED, TopRows, UpperBounds
from nextlabel.kernels.k_centre.candidates import Candidates
from nextlabel.kernels.k_centre.centres import Centres
from nextlabel.kernels.k_centre.initial_bounds import initial_bounds
from nextlabel.kernels.k_centre.state import GreedyState
from nextlabel.kernels.k_centre.tuning import STANDARD, KCentreTuning
from nextlabel.kernels.memory import memory_for

FEW_COLUMNS = 32
"""Up to this number of columns products are in float64, which then costs nothing."""


def farthest_first(
    features: object,
    labelled: object,
    budget: int,
    *,
    excluded: object = (),
    progress: ProgressCallback | None = None,
    tuning: KCentreTuning = STANDARD,
) -> Ids:
    """Return ids, each the farthest from all labelled or already picked (equation 1).

    Distances are squared Euclidean, decided in float64 on direct differences; ties go to the
    smallest id. With nothing labelled the first pick is the candidate nearest the candidates' mean.
    Takes O(N) memory in addition to the features, and at most 256 MB for rows of centres.

    Parameters
    ----------
    features
        An Embedding or one array (N, d) of real numbers: numpy of any dtype and layout (also
        memory-mapped), a tensor or nested lists.
    labelled
        Ids of labelled images.
    budget
        The number of ids to pick.
    excluded
        Ids that are neither picked nor count as labelled.
    progress
        Called between steps with (picked, budget); it may raise to stop, and nothing is left
        behind.
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
    >>> from nextlabel import farthest_first
    >>> farthest_first([[0.0], [1.0], [5.0], [9.0]], labelled=[0], budget=2)
    array([3, 2])

    """
    metric, pool = metric_and_pool(features, labelled, excluded, budget)
    tuning = tuning.of_pool(metric.size, metric.dimensions)
    with memory_for(budget, metric.size, _bytes(metric, pool.labelled_count + budget, tuning)):
        if budget == 0 or does_not_vary(metric):
            return pool.unlabelled[:budget].copy()
        return _greedy(metric, pool, budget, progress or (lambda picked, budget: None), tuning)


def _bytes(metric: Metric, centres: int, tuning: KCentreTuning) -> int:
    """Return about the memory needed: numbers per row, rows of centres, tiles."""
    rows = min(2 * centres * metric.dimensions * 8, 2 * tuning.cached_bytes)
    return 64 * metric.size + rows + 2**27


def _greedy(
    metric: Metric, pool: Pool, budget: int, progress: ProgressCallback, tuning: KCentreTuning
) -> Ids:
    picks = np.empty(budget, np.int64)
    count, start = 0, pool.labelled
    if not pool.labelled_count:
        picks[0] = metric.nearest_to_mean(pool.unlabelled)
        start, count = picks[:1], 1
    progress(count, budget)
    if count == budget:
        return picks
    centres = _centres(metric, len(start) + budget, tuning)
    state = _begin(centres, pool, start, lambda: progress(count, budget))
    width = tuning.top_rows
    while count < budget:
        top = state.bounds.top(width)
        if not state.bounds.value[top.ids].max() > 0:  # copies of centres: all that are left tie
            left = np.flatnonzero(state.bounds.value > CLOSED)  # [left]
            picks[count:] = left[: budget - count]
            break
        new = _picks(state, top, budget - count)
        picks[count : count + len(new)] = new
        count += len(new)
        if len(new):
            width = max(tuning.top_rows, width // 2)
        else:
            width = min(2 * width, tuning.most_top_rows)
        progress(count, budget)
    progress(budget, budget)
    return picks


def _centres(metric: Metric, capacity: int, tuning: KCentreTuning) -> Centres:
    """Return room for centres, with products in float32 where they rule out enough.

    In a few dimensions the radius is soon tiny against the norms.
    """
    shifted = ShiftedRows(metric)
    in_float64 = metric.dimensions <= FEW_COLUMNS or shifted.error(np.float32)[0] > COARSE
    precision: FloatType = np.float64 if in_float64 else np.float32
    return Centres(shifted, precision, capacity, tuning)


def _begin(centres: Centres, pool: Pool, start: Ids, between: Callable[[], None]) -> GreedyState:
    """Return the state before the first pick: the labelled are centres, bounds are loose."""
    metric = centres.shifted.metric
    centres.add(metric.without_copies(start))
    value = initial_bounds(centres, between)  # [N]
    closed = np.ones(metric.size, bool)  # [N]
    closed[pool.unlabelled] = False
    closed[start] = True
    value[closed] = CLOSED
    return GreedyState(centres, UpperBounds(value, centres.tuning.reservoir))


def _picks(state: GreedyState, top: TopRows, limit: int) -> Ids:
    """Bring the top rows up to date and pick while the best beats all outside; return the ids."""
    rows = state.rows(top.ids)  # W rows
    state.update(top, rows)
    ahead = np.flatnonzero(top.ahead(state.bounds.value[top.ids], top.ids))  # [C]
    if not ahead.size:
        state.sharpen()
        return top.ids[:0]
    candidates = Candidates(state, top, top.ids[ahead], rows.take(ahead))  # C rows
    picks = candidates.run(limit)
    candidates.close()
    state.sharpen()
    return picks
