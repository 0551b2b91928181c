"""Contracts of a strategy: each is a function that raises AssertionError when one is broken."""

import json
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nextlabel.core.errors import BudgetError, NextlabelError, UsageError
from nextlabel.core.pool import Pool
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.strategy import Strategy, needs_now
from nextlabel.core.types import Ids
from nextlabel.models.signals import SIGNALS
from nextlabel.testing.snapshots import (
    arrays_of,
    example_for,
    shuffled,
    spied,
    tasks_of,
    with_only,
)

CHILD = """
import json, pickle, sys
import numpy as np
strategy, snapshot, budget, seed = pickle.load(sys.stdin.buffer)
chosen = strategy.select(snapshot, budget, np.random.default_rng(seed))
print(json.dumps([int(i) for i in chosen]))
"""


def has_honest_needs(strategy: Strategy) -> None:
    """Name signals that exist in `needs`, read only these, and refuse when one is missing."""
    needs: Any = strategy.needs
    assert isinstance(needs, frozenset), f"needs is {needs!r}, not a frozenset of signals"
    unknown = sorted(needs - set(SIGNALS))
    assert not unknown, f"needs names unknown signals {unknown}"
    for task in tasks_of(strategy):
        full = example_for(strategy, task)
        needs = needs_now(strategy, full.pool, 9)
        assert needs <= strategy.needs, f"needs_now gives {sorted(needs - strategy.needs)} more"
        expected = _select(strategy, full, 9)
        spare = with_only(full, needs)
        assert _same(_select(strategy, spare, 9), expected), (
            f"picks change when the signals outside needs {sorted(needs)} are taken away"
        )
        _select(strategy, spied(full, needs), 9)
        for signal in sorted(needs):
            without = with_only(full, needs - {signal})
            try:
                _select(strategy, without, 9)
            except NextlabelError:
                continue
            except Exception as error:
                raise AssertionError(
                    f"without {signal!r} it breaks by {type(error).__name__}; "
                    f"begin with snapshot.require({signal!r})"
                ) from error
            raise AssertionError(f"needs names {signal!r}, but nothing is missed without it")


def picks_distinct_unlabelled_ids(strategy: Strategy) -> None:
    """Pick exactly `budget` distinct ids, int64, all unlabelled and not excluded."""
    for task in tasks_of(strategy):
        snapshot = example_for(strategy, task)
        free = len(snapshot.pool.unlabelled)
        for budget in (0, 1, 9, free):
            check_picks(snapshot.pool, _select(strategy, snapshot, budget), budget)


def refuses_budgets_beyond_the_pool(strategy: Strategy) -> None:
    """Refuse a budget over the unlabelled, or below 0, by a BudgetError."""
    snapshot = example_for(strategy)
    for budget in (len(snapshot.pool.unlabelled) + 1, -1):
        try:
            _select(strategy, snapshot, budget)
        except BudgetError:
            continue
        raise AssertionError(f"budget {budget} of {len(snapshot.pool.unlabelled)} is accepted")


def works_at_the_edges(strategy: Strategy) -> None:
    """Manage one labelled, none (unless `cold = False`), one image or none left, copies."""
    for task in tasks_of(strategy):
        edges = [
            example_for(strategy, task, labelled=1, excluded=0),
            example_for(strategy, task, labelled=59, excluded=0),
            example_for(strategy, task, labelled=55, excluded=5),
            example_for(strategy, task, distinct=4),
            example_for(strategy, task, distinct=1, excluded=0),
        ]
        if getattr(strategy, "cold", True):
            edges.append(example_for(strategy, task, labelled=0))
        for snapshot in edges:
            free = len(snapshot.pool.unlabelled)
            for budget in {min(1, free), free}:
                check_picks(snapshot.pool, _select(strategy, snapshot, budget), budget)
        if not getattr(strategy, "cold", True):
            try:
                _select(strategy, example_for(strategy, task, labelled=0), 3)
            except UsageError:
                continue
            raise AssertionError("cold = False, but an empty labelled set is accepted")


def leaves_inputs_alone(strategy: Strategy) -> None:
    """Take read-only inputs, which come out as they went in."""
    for task in tasks_of(strategy):
        snapshot = example_for(strategy, task)
        before = pickle.dumps(arrays_of(snapshot))
        _select(strategy, snapshot, 9)
        assert pickle.dumps(arrays_of(snapshot)) == before, "an input array was changed"


def draws_from_its_generator_alone(strategy: Strategy) -> None:
    """Pick the same from equal generators; numpy's, Python's and torch's own are not touched."""
    snapshot = example_for(strategy)
    first = _select(strategy, snapshot, 9)
    old, older = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        np.random.random()  # noqa: NPY002 - moved on purpose: nothing may depend on it
        random.random()
        states = _global_states()
        again = _select(strategy, snapshot, 9)
        assert _global_states() == states, "a global random generator was used or seeded"
    finally:
        np.random.set_state(old)  # noqa: NPY002
        random.setstate(older)
    assert _same(again, first), "equal generators gave different picks"


def is_the_same_in_a_fresh_process(strategy: Strategy) -> None:
    """Pick the same in a new interpreter with another hash seed."""
    name = type(strategy).__name__
    assert type(strategy).__module__ != "__main__", (
        f"a fresh process cannot import {name} from a script or notebook; put it into a module "
        f"and import it from there"
    )
    snapshot, seed = example_for(strategy), 3
    here = strategy.select(snapshot, 9, np.random.default_rng(seed))
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(p or str(Path.cwd()) for p in sys.path),
        "PYTHONHASHSEED": "12345",
    }
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=pickle.dumps((strategy, snapshot, 9, seed)),
        capture_output=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, f"fails in a fresh process: {done.stderr.decode()[-2000:]}"
    there = json.loads(done.stdout)
    assert there == here.tolist(), f"a fresh process picks {there}, this one {here.tolist()}"


def ignores_the_order_of_rows(strategy: Strategy) -> None:
    """Pick the same images from shuffled rows without ties, unless picks are random."""
    for task in tasks_of(strategy):
        snapshot = example_for(strategy, task)
        chosen = _select(strategy, snapshot, 9, seed=1)
        if not _same(chosen, _select(strategy, snapshot, 9, seed=2)):
            return
        order = np.random.default_rng(11).permutation(snapshot.pool.size)
        again = order[_select(strategy, shuffled(snapshot, order), 9, seed=1)]
        assert _same(again, chosen), f"shuffled rows give {again.tolist()}, not {chosen.tolist()}"


def keeps_its_prefix(strategy: Strategy) -> None:
    """Begin a larger budget's picks with a smaller one's, where `prefix = True`."""
    if not getattr(strategy, "prefix", False):
        return
    for task in tasks_of(strategy):
        snapshot = example_for(strategy, task)
        longest = _select(strategy, snapshot, len(snapshot.pool.unlabelled))
        for budget in (1, 2, 9):
            short = _select(strategy, snapshot, budget)
            assert _same(short, longest[:budget]), (
                f"budget {budget} gives {short.tolist()}, a larger one begins with "
                f"{longest[:budget].tolist()}"
            )


CONTRACTS: tuple[Callable[[Strategy], None], ...] = (
    has_honest_needs,
    picks_distinct_unlabelled_ids,
    refuses_budgets_beyond_the_pool,
    works_at_the_edges,
    leaves_inputs_alone,
    draws_from_its_generator_alone,
    is_the_same_in_a_fresh_process,
    ignores_the_order_of_rows,
    keeps_its_prefix,
)
"""Every contract; each takes a strategy and raises AssertionError when it is broken."""


def check_picks(pool: Pool, chosen: Any, budget: int) -> None:
    """Raise AssertionError unless `chosen` is `budget` distinct ids that may be chosen, int64."""
    assert isinstance(chosen, np.ndarray), f"ids come as {type(chosen).__name__}, not numpy"
    assert chosen.dtype == np.int64, f"ids are {chosen.dtype}, not int64"
    assert chosen.shape == (budget,), f"shape {chosen.shape} for a budget of {budget}"
    assert len(np.unique(chosen)) == budget, f"an id is chosen twice: {chosen.tolist()}"
    wrong = np.setdiff1d(chosen, pool.unlabelled)
    assert not wrong.size, f"ids {wrong.tolist()} are labelled, excluded or unknown"


def _select(strategy: Strategy, snapshot: Snapshot, budget: int, seed: int = 0) -> Ids:
    return strategy.select(snapshot, budget, np.random.default_rng(seed))


def _same(a: Ids, b: Ids) -> bool:
    return bool(np.array_equal(a, b))


def _global_states() -> list[str]:
    states: list[Any] = [random.getstate(), np.random.get_state()]  # noqa: NPY002 - only read
    torch = sys.modules.get("torch")
    if torch is not None:
        states.append(torch.get_rng_state().tolist())
    return [repr(pickle.dumps(state)) for state in states]
