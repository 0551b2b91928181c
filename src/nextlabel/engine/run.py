"""Pending trials → an executor → the store: the driver alone writes."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import StoreError, UsageError
from nextlabel.engine.driver import Drive
from nextlabel.engine.events import Event, ExperimentReady
from nextlabel.engine.executors.local import prepare
from nextlabel.engine.resume import check_machine
from nextlabel.experiment.spec import Experiment
from nextlabel.features.cache import Cache
from nextlabel.store.store import Store, TrialRecord
from nextlabel.trial.data import data_record, headline, load_data
from nextlabel.trial.spec import TrialSpec, trials


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
        data = load_data(experiment, data_dir, progress, cache)
        planned = {trial.key(data.checksum): trial for trial in trials(experiment, jobs)}
        _check_counts(store, planned)
        check_machine(store, planned, data.checksum)
        _enrol(experiment, store, planned, data)
        store.keep_data(data_record(data))
        done = {
            state.record.key: state.labelled_count >= experiment.target
            for state in store.trials(experiment.name)
        }
        pending = [k for k, trial in planned.items() if not done[k] and trial.arm.name in wanted]
        yield ExperimentReady(len(planned), len(pending))
        for key in planned:
            if done[key]:
                store.finish(key)
        threads, origin = experiment.training.threads, _origin(data)
        drive = Drive(store, planned, pending, origin, data_dir, cache, jobs, threads, fail_fast)
        yield from drive.events()


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
    spec = experiment.resolved() | {"headline": headline(experiment, data)}
    store.enrol(experiment.name, spec, ordered)


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
                    f"target {found.labelled_count}, or another --store"
                )


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
