"""Greedy k-centre, equation 1 (6 for weighted blocks): always the point farthest from its centre.

Sener & Savarese, Active learning for convolutional neural networks: a core-set approach, 2018,
https://arxiv.org/abs/1708.00489; the greedy is Gonzalez's, 1985, within twice the best radius.

A distance to the nearest centre only falls as centres are added, so any old distance to any
centre bounds it from above. Only the rows of the largest bounds are brought up to date (a window);
when the best of them beats the largest bound outside, nothing outside can be the pick, whatever
its true value. Low-precision products rule pairs out, with a bound on their error; direct
differences in float64 decide. So the picks are those of a full scan, and at worst each row meets
each centre once.
"""

from collections.abc import Callable

import numpy as np

from nextlabel.core.feature_space import Embedding
from nextlabel.core.pool import Pool
from nextlabel.core.types import Ids, as_ids
from nextlabel.kernels.distance.exact import Metric, does_not_vary
from nextlabel.kernels.distance.products import COARSE, Precision, Screen
from nextlabel.kernels.k_centre.bfloat16 import BfloatCentres
from nextlabel.kernels.k_centre.bounds import OUT, Bounds, Refresh, Window
from nextlabel.kernels.k_centre.candidates import Contest
from nextlabel.kernels.k_centre.centres import CACHE, Centres, NumpyCentres
from nextlabel.kernels.k_centre.device_probe import screening_device
from nextlabel.kernels.k_centre.initial_bounds import first_bounds
from nextlabel.kernels.memory import memory_for

WINDOW = 512
"""Rows in a window, and what it shrinks back to after one that gave picks."""

WIDEST = 8192

Progress = Callable[[int, int], None]
"""Called with the number picked and the budget."""


def farthest_first(
    features: object,
    labelled: object,
    budget: int,
    *,
    excluded: object = (),
    progress: Progress | None = None,
    device: str = "auto",
) -> Ids:
    """Return `budget` ids, each the farthest from all labelled or already picked (equation 1).

    `features` is an Embedding or one array (N, d) of real numbers: numpy of any dtype and layout,
    a memory map, a tensor or nested lists. `labelled` and `excluded` are ids. Distances are
    squared Euclidean, decided in float64 on direct differences; ties go to the smallest id; with
    nothing labelled the first pick is the candidate nearest the candidates' mean. Takes O(N)
    memory beside the features, and at most 256 MB for rows of centres. `progress` is called
    between windows with (picked, budget), and may raise to stop: nothing is left behind. `device`
    says where products are computed ("auto", "cpu", "cuda"; see `screening_device`), and neither
    it nor their precision changes a pick. Returns int64 (budget), in order. Raises DataError,
    UnknownId, AlreadyLabelled, BudgetError, OutOfMemory, or UsageError for a device that is not
    there; warns when the rows do not vary.
    """
    embedding = Embedding.of(features)
    place = screening_device(device, len(embedding) * embedding.dimensions)
    pool = Pool(len(embedding), as_ids(labelled), as_ids(excluded))
    pool.check_budget(budget)
    metric = Metric(embedding)
    with memory_for(budget, metric.size, _bytes(metric, pool.labelled_count + budget)):
        if budget == 0 or does_not_vary(metric):
            return pool.unlabelled[:budget].copy()
        return _greedy(metric, pool, budget, place, progress or (lambda picked, budget: None))


def _bytes(metric: Metric, centres: int) -> int:
    rows = min(2 * centres * metric.dimensions * 8, 2 * CACHE)
    return 64 * metric.size + rows + 2**27


def _greedy(metric: Metric, pool: Pool, budget: int, place: str | None, progress: Progress) -> Ids:
    picks = np.empty(budget, np.int64)
    count, start = 0, pool.labelled
    if not pool.labelled_count:
        picks[0] = metric.nearest_to_mean(pool.unlabelled)
        start, count = picks[:1], 1
    progress(count, budget)
    if count == budget:
        return picks
    centres = _centres(metric, place, len(start) + budget)
    state = _begin(centres, pool, start, lambda: progress(count, budget))
    width = WINDOW
    while count < budget:
        window = state.bounds.window(width)
        if not state.bounds.value[window.ids].max() > 0:  # copies of centres: all that are left tie
            left = np.flatnonzero(state.bounds.value > OUT)
            picks[count:] = left[: budget - count]
            break
        new = _picks(state, window, budget - count)
        picks[count : count + len(new)] = new
        count += len(new)
        width = max(WINDOW, width // 2) if len(new) else min(2 * width, WIDEST)
        progress(count, budget)
    progress(budget, budget)
    return picks


def _centres(metric: Metric, place: str | None, capacity: int) -> Centres:
    """Return a place for centres whose products are the fastest that may pay."""
    screen = Screen(metric)
    # In a few dimensions the radius soon is tiny against the norms, and float64 costs nothing.
    few = metric.dimensions <= 32 or screen.error(np.float32)[0] > COARSE
    if place is not None and not few and not screen.integral:
        return BfloatCentres(screen, place, capacity)
    precision: Precision = np.float64 if few else np.float32
    return NumpyCentres(screen, precision, capacity)


def _begin(centres: Centres, pool: Pool, start: Ids, between: Callable[[], None]) -> Refresh:
    """Return the state before the first window: the labelled are centres, bounds are loose."""
    screen = centres.screen
    centres.add(screen.metric.without_copies(start))
    value = first_bounds(centres, between)
    out = np.ones(screen.metric.size, bool)
    out[pool.unlabelled] = False
    out[start] = True
    value[out] = OUT
    return Refresh(screen.metric, screen, centres, Bounds(value))


def _picks(state: Refresh, window: Window, limit: int) -> Ids:
    """Refresh a window and pick in it while its best beats all outside; return the ids."""
    rows, norms = state.rows(window.ids)
    state.run(window, rows, norms)
    ahead = np.flatnonzero(window.ahead(state.bounds.value[window.ids], window.ids))
    if not ahead.size:
        state.sharpen()
        return window.ids[:0]
    contest = Contest(state, window, window.ids[ahead], [r[ahead] for r in rows], norms[ahead])
    picks = contest.run(limit)
    contest.close()
    state.sharpen()
    return picks
