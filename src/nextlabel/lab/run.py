"""Pending trials → an executor → the store: the driver alone writes."""

import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import StoreError, UsageError
from nextlabel.core.round import Round
from nextlabel.lab.cache import Cache
from nextlabel.lab.events import (
    Event,
    ExperimentReady,
    RoundDone,
    TrialDone,
    TrialFailed,
    TrialStarted,
    TrialWarned,
)
from nextlabel.lab.processes import drop_untaken, prepare, process_pool
from nextlabel.lab.running import Running
from nextlabel.lab.spec import Experiment
from nextlabel.lab.store import Store, TrialRecord, initial_hash
from nextlabel.lab.trial import TrialSpec, headline, load_data, trials
from nextlabel.lab.worker import Message, work

POLL = 0.2
MACHINE = ("device", "precision")
"""Settings of a training that may be left to the machine."""

LOST = "its worker process died (killed, or out of memory); lower --jobs and run again"


def run(
    experiment: Experiment,
    store: Store,
    *,
    data_dir: Path | None = None,
    cache_dir: Path | None = None,
    jobs: int = 1,
    fail_fast: bool = False,
    progress: bool = False,
    arms: Sequence[str] | None = None,
) -> Generator[Event, None, None]:
    """Run what the store does not have yet, and yield events as rounds arrive.

    Trials done are skipped, those begun go on after their last round; with `arms`, only theirs are
    run. UsageError for an arm that the experiment does not have. One that fails does not
    stop the others unless `fail_fast`. Closing the generator ends the workers at once; all rounds
    already yielded are in the store; workers wait for whoever is slow to take them. `progress`
    draws the bars of a download on stderr.
    """
    if jobs < 1:
        raise UsageError(f"jobs {jobs} must be at least 1")
    wanted = experiment.names_of(arms)
    cache = Cache.open(cache_dir)
    with _alone(store):
        if not _all_done(experiment, store, wanted):
            prepare(experiment.training.threads)
        data = load_data(experiment, data_dir, progress)
        planned = {trial.key(data.checksum): trial for trial in trials(experiment, jobs)}
        _check_counts(store, planned)
        _enrol(experiment, store, planned, data)
        done = {
            state.record.key: state.labelled_count >= experiment.target
            for state in store.trials(experiment.name)
        }
        pending = [k for k, trial in planned.items() if not done[k] and trial.arm.name in wanted]
        yield ExperimentReady(len(planned), len(pending))
        for key in planned:
            if done[key]:
                store.finish(key)
        if pending:
            said: set[str] = set()
            for event in _drive(
                experiment, store, planned, pending, _origin(data), data_dir, cache, jobs, fail_fast
            ):
                if isinstance(event, TrialWarned):
                    if event.warning in said:
                        continue
                    said.add(event.warning)
                yield event


def _all_done(experiment: Experiment, store: Store, arms: Sequence[str]) -> bool:
    """Say whether the store looks complete, before the data are there to tell for certain."""
    if experiment.name not in store.experiments():
        return False
    rounds = {
        (s.record.arm, s.record.seed): s.labelled_count for s in store.trials(experiment.name)
    }
    wanted = [(arm, seed) for arm in arms for seed in experiment.seeds]
    return all(rounds.get(place, 0) >= experiment.target for place in wanted)


def _origin(data: Dataset) -> dict[str, Any]:
    """Return what the record says of the data: files with checksums, and notes on their reading."""
    notes = {"notes": dict(data.notes)} if data.notes else {}
    return {"sources": dict(data.sources), **notes}


def _enrol(
    experiment: Experiment, store: Store, planned: dict[str, TrialSpec], data: Dataset
) -> None:
    records = {
        (trial.arm.name, trial.seed): TrialRecord(
            key, trial.arm.name, trial.seed, trial.outcome(data.checksum)
        )
        for key, trial in planned.items()
    }
    ordered = [records[arm.name, seed] for arm in experiment.arms for seed in experiment.seeds]
    _tell_of_other_machines(experiment, store, records)
    spec = experiment.resolved() | {"headline": headline(experiment, data)}
    store.enrol(experiment.name, spec, ordered)


def _tell_of_other_machines(
    experiment: Experiment, store: Store, records: Mapping[tuple[str, int], TrialRecord]
) -> None:
    """Warn of rounds that are not gone on with, since this machine trains otherwise than theirs."""
    if experiment.name not in store.experiments():
        return
    open_to_machine = [k for k in MACHINE if getattr(experiment.training, k) == "auto"]
    left: dict[str, int] = {}
    for state in store.trials(experiment.name):
        now = records.get((state.record.arm, state.record.seed))
        if now is None or not state.rounds or now.key == state.record.key:
            continue
        then, ours = state.record.spec["training"], now.spec["training"]
        theirs = {k: then[k] for k in open_to_machine if then[k] != ours[k]}
        if theirs and {**then, **{k: ours[k] for k in theirs}} == ours:
            how = " ".join(f'--set training.{k}="{v}"' for k, v in theirs.items())
            left[how] = left.get(how, 0) + 1
    for how, count in left.items():
        warnings.warn(
            f"{count} trial(s) in {store.location} were trained otherwise than this machine does "
            f"by itself, and begin anew here; to go on with them give {how}",
            stacklevel=2,
        )


def _check_counts(store: Store, planned: Mapping[str, TrialSpec]) -> None:
    """Raise UsageError where stored rounds have other label counts than this target would give.

    Only a last batch that was cut for an earlier target can: going on from it would end in other
    rows than a run of its own.
    """
    known = {s.record.key for name in store.experiments() for s in store.trials(name)}
    for key in known & set(planned):
        trial = planned[key]
        for found in store.history(key)[: trial.rounds]:
            wanted = trial.labelled(found.number)
            if found.labelled_count != wanted:
                raise UsageError(
                    f"target {trial.experiment.target} would have {wanted} labels in round "
                    f"{found.number}, and {store.location} has {found.labelled_count} there; give "
                    "a target of whole batches, or another --store"
                )


def _check_weights(store: Store, trial: Running) -> None:
    """Raise StoreError unless all arms of a seed start from the same weights, as promised."""
    states = store.trials(trial.trial.experiment.name)
    (own,) = [s.record.spec["model"] for s in states if s.record.key == trial.key]
    for other in states:
        theirs = other.environment.get("initial_weights")
        alike = other.record.seed == trial.trial.seed and other.record.spec["model"] == own
        if alike and theirs not in (None, trial.environment["initial_weights"]):
            raise StoreError(
                f"arm {trial.trial.arm.name!r} starts from other weights than "
                f"{other.record.arm!r} with seed {other.record.seed}; pairs must start alike, so "
                "give another --store"
            )


def _drive(
    experiment: Experiment,
    store: Store,
    planned: dict[str, TrialSpec],
    pending: list[str],
    origin: Mapping[str, Any],
    data_dir: Path | None,
    cache: Cache,
    jobs: int,
    fail_fast: bool,
) -> Iterator[Event]:
    """Keep `jobs` trials running until none is left; a pool that broke is replaced."""
    waiting = list(pending)
    lost_before: set[str] = set()
    jobs = min(jobs, len(waiting))
    while waiting:
        with process_pool(jobs, experiment.training.threads) as pool:
            running: dict[str, Running] = {}
            broken = False
            while (waiting and not broken) or running:
                lost: list[str] = []
                while waiting and not broken and len(running) < jobs:
                    key = waiting.pop(0)
                    trial, history = planned[key], store.history(key)
                    begun = _submit(pool, trial, key, history, data_dir, cache)
                    if begun is None:
                        lost.append(key)
                        break
                    running[key] = begun
                    yield TrialStarted(trial.arm.name, trial.seed, key, len(history), trial.rounds)
                for event in _receive(store, running, origin):
                    yield event
                    if fail_fast and isinstance(event, TrialFailed):
                        return
                lost += [key for key, trial in running.items() if trial.died]
                broken = broken or bool(lost)
                for key in lost:
                    if key in running:
                        running.pop(key).close()
                    if key not in lost_before:
                        # A pool breaks as a whole: who was only a neighbour deserves another try.
                        lost_before.add(key)
                        waiting.append(key)
                        continue
                    store.fail(key, LOST)
                    yield TrialFailed(planned[key].arm.name, planned[key].seed, key, LOST)
                    if fail_fast:
                        return
        if broken:
            drop_untaken()


def _submit(
    pool: Executor,
    trial: TrialSpec,
    key: str,
    history: Sequence[Round],
    data_dir: Path | None,
    cache: Cache,
) -> Running | None:
    """Give a trial to the pool; None when the pool is broken, which another trial may have done."""
    inbox, outbox = Pipe(duplex=False)
    try:
        future = pool.submit(work, trial, history, data_dir, cache.folder, outbox)
    except (BrokenExecutor, EOFError, OSError):
        inbox.close()
        outbox.close()
        return None
    return Running(trial, key, len(history), future, inbox, outbox)


def _receive(
    store: Store, running: dict[str, Running], origin: Mapping[str, Any]
) -> Iterator[Event]:
    """Write what the workers have sent, and say so; wait a moment if there is nothing."""
    inboxes = [trial.inbox for trial in running.values() if not trial.inbox.closed]
    if not wait(inboxes, POLL):
        return
    for trial in list(running.values()):
        if not trial.inbox.closed:
            for message in trial.messages():
                yield from _write(store, running, trial, message, origin)


def _write(
    store: Store,
    running: dict[str, Running],
    trial: Running,
    message: Message,
    origin: Mapping[str, Any],
) -> Iterator[Event]:
    if message.environment is not None:
        known = store.history(trial.key)
        first = initial_hash(known[0].chosen) if known else None
        trial.environment = {**message.environment, **origin}
        _check_weights(store, trial)
        store.begin(trial.key, trial.environment, first)
    elif message.warning is not None:
        yield TrialWarned(*trial.place, message.warning)
    elif message.block is not None:
        store.log_block(trial.key, message.block, message.log, message.pictures or {})
    elif message.round is not None:
        found = message.round
        if found.number == 0:
            weights = {"weights": found.training.weights}
            store.begin(trial.key, trial.environment | weights, initial_hash(found.chosen))
        store.append(trial.key, found, message.pictures or {})
        trial.rounds += 1
        yield RoundDone(*trial.place, found, trial.trial.rounds)
    else:
        del running[trial.key]
        trial.close()
        if message.done:
            store.finish(trial.key)
            yield TrialDone(*trial.place)
        else:
            error = message.error or "unknown error"
            store.fail(trial.key, error, message.traceback)
            yield TrialFailed(*trial.place, error)


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    """Hold the store for this run; StoreError when another run has it."""
    from filelock import FileLock, Timeout

    location = str(store.location)
    if "://" in location:
        yield
        return
    lock = FileLock(f"{location}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise StoreError(
            f"another run is writing to {location}; wait for it or give another --store"
        ) from error
    try:
        yield
    finally:
        lock.release()
