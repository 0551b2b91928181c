"""Snapshots to try a strategy on, and changes to them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from nextlabel.core.errors import UsageError
from nextlabel.core.pool import Pool
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.space.block import FittedBlock
from nextlabel.core.space.embedding import Embedding
from nextlabel.core.strategy import Strategy
from nextlabel.core.task_model import ModelOutputs
from nextlabel.core.types import Array, Ids, Task
from nextlabel.models.signals import SIGNALS, compute

CLASSES = 5


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

    def block(self, name: str) -> FittedBlock:
        raise UsageError("an example has no blocks; do not read them", code="no-blocks")

    @property
    def true_labels(self) -> Array:
        raise UsageError("an example has no true labels; do not read them", code="no-true-labels")


def tasks_of(strategy: Strategy) -> tuple[Task, ...]:
    """Return the tasks that a strategy says it can do, both by default."""
    tasks: tuple[Task, ...] = getattr(strategy, "tasks", get_args(Task))
    return tasks


def example_for(strategy: Strategy, task: Task | None = None, **sizes: Any) -> Snapshot:
    """Return an example with every signal that the strategy needs, for its first task."""
    return example(task or tasks_of(strategy)[0], needs=strategy.needs, **sizes)


def with_only(snapshot: Snapshot, names: Iterable[str]) -> Snapshot:
    """Return the snapshot with these signals alone."""
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


def spied(snapshot: Snapshot, allowed: frozenset[str]) -> Snapshot:
    """Return the snapshot with signals that raise AssertionError unless they are `allowed`."""
    spied = Snapshot(snapshot.pool, snapshot.task)
    object.__setattr__(spied, "signals", _Spied(snapshot.signals, allowed))
    return spied


def shuffled(snapshot: Snapshot, order: Ids) -> Snapshot:
    """Return the same images with row k of the new holding row order[k] of the old."""
    inverse = np.argsort(order)
    pool = snapshot.pool
    signals = {
        name: Embedding(tuple((array[order], factor) for array, factor in values.blocks))
        if isinstance(values, Embedding)
        else values[order]
        for name, values in snapshot.signals.items()
    }
    shuffled = Pool(pool.size, inverse[pool.labelled], inverse[pool.excluded])
    return Snapshot(shuffled, snapshot.task, signals=signals)


def arrays_of(snapshot: Snapshot) -> list[Any]:
    """Return all ids and arrays of a snapshot, to see whether one was changed."""
    signals = [
        [(np.array(array), factor) for array, factor in values.blocks]
        if isinstance(values, Embedding)
        else np.array(values)
        for values in snapshot.signals.values()
    ]
    return [snapshot.pool.labelled.tolist(), snapshot.pool.excluded.tolist(), signals]
