"""The contracts of a strategy, shipped so that a plug-in can run them on its own.

    from nextlabel.testing import check_strategy

    def test_mine():
        check_strategy(Mine())

A strategy may declare three things in addition to `needs`: `prefix = True` (a smaller budget gives
the beginning of a larger one's picks), `tasks` (the tasks it can do, by default both) and
`cold = False` (it must have something labelled; it then refuses an empty set by a UsageError).
"""

import json
import os
import pickle
import random
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from nextlabel.core.errors import BudgetError, NextlabelError, UsageError
from nextlabel.core.feature_space import Embedding
from nextlabel.core.pool import Pool
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.strategy import Strategy
from nextlabel.core.task_model import ModelOutputs
from nextlabel.core.types import Array, Ids, Task
from nextlabel.models.signals import SIGNALS, compute

CLASSES = 5

CHILD = """
import json, pickle, sys
import numpy as np
strategy, snapshot, budget, seed = pickle.load(sys.stdin.buffer)
chosen = strategy.select(snapshot, budget, np.random.default_rng(seed))
print(json.dumps([int(i) for i in chosen]))
"""


def example(
    task: Task = "multiclass",
    *,
    size: int = 60,
    labelled: int = 12,
    excluded: int = 5,
    distinct: int | None = None,
    seed: int = 7,
    needs: Iterable[str] = (),
) -> Snapshot:
    """Return a snapshot with features of two blocks, probabilities and predicted losses.

    The other signals in `needs` are computed by their own classes, from a task model's outputs
    drawn at random; a signal that reads more than `outputs` and `space` gives its example by a
    method `example(size, rng)` of N rows. Only the first `distinct` rows differ, and the others
    repeat them; all by default. Arrays are read-only, and nothing ties but repeated rows.
    """
    rng = np.random.default_rng(seed)
    rows = np.arange(size) % (distinct or size)
    order = rng.permutation(size)
    raw = rng.gamma(1.0, size=(size, CLASSES))
    if task == "multiclass":
        probabilities = raw / raw.sum(axis=1, keepdims=True)
    else:
        probabilities = raw / (1 + raw)
    arrays = [
        rng.normal(size=(size, 9)).astype(np.float32)[rows],
        rng.normal(size=(size, 4))[rows],
        probabilities[rows],
        rng.gamma(2.0, size=size)[rows],
    ]
    for array in arrays:
        array.flags.writeable = False
    features = Embedding(((arrays[0], 1.0), (arrays[1], 0.5)))
    pool = Pool(size, order[:labelled], order[labelled : labelled + excluded])
    signals: dict[str, Any] = {
        "features": features,
        "probabilities": arrays[2],
        "predicted_loss": arrays[3],
    }
    view = _ExampleView(task, features, ModelOutputs(arrays[0], arrays[2], arrays[3]))
    for name in sorted(set(needs) - set(signals)):
        made = getattr(SIGNALS[name], "example", None)
        signals[name] = (
            compute(name, view, rng) if made is None else made(SIGNALS[name](), size, rng)[rows]
        )
    return Snapshot(pool, task, signals=signals)


@dataclass(frozen=True, eq=False)
class _ExampleView:
    """A `PoolView` of one grey pixel per image and of outputs drawn at random."""

    task: Task
    space: Embedding
    outputs: ModelOutputs

    @property
    def images(self) -> Array:
        return np.zeros((len(self.space), 1, 1, 1), np.uint8)


def check_strategy(strategy: Strategy | type[Strategy]) -> None:
    """Run every contract on a strategy, or on a class that needs no arguments.

    Raises AssertionError saying which contract is broken and how.
    """
    made: Any = strategy() if isinstance(strategy, type) else strategy
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rows that are all the same are one of the edges
        for contract in CONTRACTS:
            contract(made)


def has_honest_needs(strategy: Strategy) -> None:
    """Name signals that exist in `needs`, read only these, and refuse when one is missing."""
    needs: Any = strategy.needs
    assert isinstance(needs, frozenset), f"needs is {needs!r}, not a frozenset of signals"
    unknown = sorted(needs - set(SIGNALS))
    assert not unknown, f"needs names unknown signals {unknown}"
    for task in tasks_of(strategy):
        full = _example(strategy, task)
        expected = _select(strategy, full, 9)
        spare = _with_only(full, needs)
        assert _same(_select(strategy, spare, 9), expected), (
            f"picks change when the signals outside needs {sorted(needs)} are taken away"
        )
        _select(strategy, _spied(full, needs), 9)
        for signal in sorted(needs):
            without = _with_only(full, needs - {signal})
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
        snapshot = _example(strategy, task)
        free = len(snapshot.pool.unlabelled)
        for budget in (0, 1, 9, free):
            check_picks(snapshot.pool, _select(strategy, snapshot, budget), budget)


def refuses_budgets_beyond_the_pool(strategy: Strategy) -> None:
    """Refuse a budget over the unlabelled, or below 0, by a BudgetError."""
    snapshot = _example(strategy)
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
            _example(strategy, task, labelled=1, excluded=0),
            _example(strategy, task, labelled=59, excluded=0),
            _example(strategy, task, labelled=55, excluded=5),
            _example(strategy, task, distinct=4),
            _example(strategy, task, distinct=1, excluded=0),
        ]
        if getattr(strategy, "cold", True):
            edges.append(_example(strategy, task, labelled=0))
        for snapshot in edges:
            free = len(snapshot.pool.unlabelled)
            for budget in {min(1, free), free}:
                check_picks(snapshot.pool, _select(strategy, snapshot, budget), budget)
        if not getattr(strategy, "cold", True):
            try:
                _select(strategy, _example(strategy, task, labelled=0), 3)
            except UsageError:
                continue
            raise AssertionError("cold = False, but an empty labelled set is accepted")


def leaves_inputs_alone(strategy: Strategy) -> None:
    """Take read-only inputs, which come out as they went in."""
    for task in tasks_of(strategy):
        snapshot = _example(strategy, task)
        before = pickle.dumps(_arrays(snapshot))
        _select(strategy, snapshot, 9)
        assert pickle.dumps(_arrays(snapshot)) == before, "an input array was changed"


def draws_from_its_generator_alone(strategy: Strategy) -> None:
    """Pick the same from equal generators; numpy's, Python's and torch's own are not touched."""
    snapshot = _example(strategy)
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
    snapshot, seed = _example(strategy), 3
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
        snapshot = _example(strategy, task)
        chosen = _select(strategy, snapshot, 9, seed=1)
        if not _same(chosen, _select(strategy, snapshot, 9, seed=2)):
            return
        order = np.random.default_rng(11).permutation(snapshot.pool.size)
        again = order[_select(strategy, _shuffled(snapshot, order), 9, seed=1)]
        assert _same(again, chosen), f"shuffled rows give {again.tolist()}, not {chosen.tolist()}"


def keeps_its_prefix(strategy: Strategy) -> None:
    """Begin a larger budget's picks with a smaller one's, where `prefix = True`."""
    if not getattr(strategy, "prefix", False):
        return
    for task in tasks_of(strategy):
        snapshot = _example(strategy, task)
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


def tasks_of(strategy: Strategy) -> tuple[Task, ...]:
    """Return the tasks that a strategy says it can do, both by default."""
    tasks: tuple[Task, ...] = getattr(strategy, "tasks", get_args(Task))
    return tasks


def _select(strategy: Strategy, snapshot: Snapshot, budget: int, seed: int = 0) -> Ids:
    return strategy.select(snapshot, budget, np.random.default_rng(seed))


def _same(a: Ids, b: Ids) -> bool:
    return bool(np.array_equal(a, b))


def _example(strategy: Strategy, task: Task | None = None, **sizes: Any) -> Snapshot:
    """Return an example with every signal that the strategy needs, for its first task."""
    return example(task or tasks_of(strategy)[0], needs=strategy.needs, **sizes)


def _with_only(snapshot: Snapshot, names: Iterable[str]) -> Snapshot:
    signals = {name: snapshot.signals[name] for name in names}
    return Snapshot(snapshot.pool, snapshot.task, signals=signals)


@dataclass(frozen=True)
class _Spied(Mapping[str, Any]):
    """Signals that refuse to be read where they are not declared."""

    signals: Mapping[str, Any]
    allowed: frozenset[str]

    def __getitem__(self, name: str) -> Any:
        if name not in self.allowed:
            raise AssertionError(f"reads {name!r}, which needs does not name")
        return self.signals[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.allowed)

    def __len__(self) -> int:
        return len(self.allowed)


def _spied(snapshot: Snapshot, allowed: frozenset[str]) -> Snapshot:
    spied = Snapshot(snapshot.pool, snapshot.task)
    object.__setattr__(spied, "signals", _Spied(snapshot.signals, allowed))
    return spied


def _shuffled(snapshot: Snapshot, order: Ids) -> Snapshot:
    """Return the same images with row k of the new holding row order[k] of the old."""
    place = np.argsort(order)
    pool = snapshot.pool
    signals = {
        name: Embedding(tuple((array[order], factor) for array, factor in values.blocks))
        if isinstance(values, Embedding)
        else values[order]
        for name, values in snapshot.signals.items()
    }
    shuffled = Pool(pool.size, place[pool.labelled], place[pool.excluded])
    return Snapshot(shuffled, snapshot.task, signals=signals)


def _arrays(snapshot: Snapshot) -> list[Any]:
    signals = [
        [(np.array(array), factor) for array, factor in values.blocks]
        if isinstance(values, Embedding)
        else np.array(values)
        for values in snapshot.signals.values()
    ]
    return [snapshot.pool.labelled.tolist(), snapshot.pool.excluded.tolist(), signals]


def _global_states() -> list[str]:
    states: list[Any] = [random.getstate(), np.random.get_state()]  # noqa: NPY002 - only read
    torch = sys.modules.get("torch")
    if torch is not None:
        states.append(torch.get_rng_state().tolist())
    return [repr(pickle.dumps(state)) for state in states]
