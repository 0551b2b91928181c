"""Algorithm 1 of the paper: the performance of a selection heuristic, line by line."""

import sys
import time
from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np

from nextlabel.core.errors import UsageError
from nextlabel.core.learner import Fitted, Learner
from nextlabel.core.oracle import Oracle
from nextlabel.core.pool import Pool
from nextlabel.core.round import Round
from nextlabel.core.seeds import Seeds
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.strategy import Strategy, needs_now
from nextlabel.core.types import Ids, Labels, as_ids


def algorithm1(
    *,
    size: int,
    initial: int,
    batch: int,
    target: int,
    oracle: Oracle,
    learner: Learner,
    strategy: Strategy,
    seeds: Seeds,
    start: Strategy | None = None,
    history: Sequence[Round] = (),
) -> Iterator[Round]:
    """Yield a Round for the initial set and after every batch, until `target` images are labelled.

    The last batch is cut to reach the target exactly.

    Parameters
    ----------
    size
        The number of images in the pool.
    initial
        The number of images labelled at first.
    batch
        The number of images labelled per round.
    target
        The number of labelled images at which to stop.
    oracle
        Gives the labels of ids.
    learner
        Fits the models of a round.
    strategy
        Chooses the images of a round.
    seeds
        The random streams: "initial" and ("select", round).
    start
        Chooses the initial set; at random by default.
    history
        The rounds of an interrupted run, in order: they are not yielded again, and the rest is
        as if never interrupted.

    Yields
    ------
    Round
        Metrics, chosen ids and seconds of a round, from number 0.

    Raises
    ------
    UsageError
        The sizes do not fit, or the strategy returned another number of images.
    UnknownId, AlreadyLabelled
        The strategy chose an id outside the pool, or labelled already.
    AnswersPending
        A person has not answered yet.

    Examples
    --------
    The guide to the library has a learner of a few lines that this loop drives.

    """
    check_sizes(size, initial, batch, target)
    if history:
        pool, labels, fitted = _replay(size, oracle, learner, history)
    else:
        pool = _initial_pool(size, initial, learner, start, seeds)  # lines 1-2
        labels = oracle(pool.labelled)
        fitted = learner.fit(pool, labels, 0, None)  # line 4
        yield _round(0, pool, pool.labelled, fitted, {})
    for number in count(len(history) or 1):
        if pool.labelled_count >= target:  # line 5
            return
        begun = time.perf_counter()
        budget = min(batch, target - pool.labelled_count)
        snapshot = fitted.snapshot(pool, needs_now(strategy, pool, budget))
        computed = time.perf_counter()
        chosen = _select(strategy, snapshot, budget, seeds.rng("select", number))  # line 6
        seconds = {"signals": computed - begun, "select": time.perf_counter() - computed}
        del snapshot
        pool, labels = pool.label(chosen), np.concatenate([labels, oracle(chosen)])  # line 7
        fitted = learner.fit(pool, labels, number, fitted)  # line 8
        yield _round(number, pool, chosen, fitted, seconds)  # lines 9-10


def check_sizes(size: int, initial: int, batch: int, target: int) -> None:
    """Raise UsageError unless 1 <= initial <= target <= size and batch >= 1."""
    if size < 1:
        raise UsageError("the pool is empty; give at least one training image", code="pool-empty")
    if not 1 <= initial <= size:
        raise UsageError(
            f"initial {initial} must lie between 1 and the pool's {size} images; correct initial, "
            "or add images",
            code="initial-out-of-range",
        )
    if not initial <= target <= size:
        raise UsageError(
            f"target {target} must lie between initial {initial} and the pool's {size} images; "
            "correct target, or add images",
            code="target-out-of-range",
        )
    if batch < 1:
        raise UsageError(f"batch {batch} must be at least 1; raise it", code="batch-too-small")


def _initial_pool(
    size: int, initial: int, learner: Learner, start: Strategy | None, seeds: Seeds
) -> Pool:
    if start is None:
        return Pool.random(size, initial, seeds.rng("initial"))
    empty = Pool(size)
    snapshot = learner.cold(empty, needs_now(start, empty, initial))
    return empty.label(_select(start, snapshot, initial, seeds.rng("initial")))


def _select(strategy: Strategy, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> Ids:
    """Return the ids that the strategy chose; `Pool` refuses repeated, labelled and unknown ids."""
    chosen = as_ids(strategy.select(snapshot, budget, rng))
    if len(chosen) != budget:
        raise UsageError(
            f"the strategy chose {len(chosen)} images where the budget is {budget}; correct the "
            "strategy",
            code="wrong-number-chosen",
        )
    return chosen


def _replay(
    size: int, oracle: Oracle, learner: Learner, history: Sequence[Round]
) -> tuple[Pool, Labels, Fitted]:
    """Return the state after the last round of a history, from its ids, answers and seeds."""
    pool, fitted = Pool(size), None
    for past in history:
        pool = pool.label(past.chosen)
        if learner.sequential or past is history[-1]:
            fitted = learner.fit(pool, oracle(pool.labelled), past.number, fitted)
    assert fitted is not None
    return pool, oracle(pool.labelled), fitted


def _round(
    number: int, pool: Pool, chosen: Ids, fitted: Fitted, seconds: dict[str, float]
) -> Round:
    begun = time.perf_counter()
    metrics = fitted.evaluate()
    evaluation = {"evaluate": time.perf_counter() - begun}
    return Round(
        number,
        pool.labelled_count,
        chosen,
        metrics,
        fitted.training,
        {**fitted.training.seconds, **seconds, **evaluation},
        _peak_memory(),
    )


def _peak_memory() -> int:
    """Return the most memory that this process has held so far, in bytes."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        import psutil

        memory = psutil.Process().memory_info()
        return int(getattr(memory, "peak_wset", memory.rss))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
