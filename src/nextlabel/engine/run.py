"""Running an experiment: the trials that its store lacks, on an executor."""

import warnings
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import UsageError
from nextlabel.engine.claimant import Claimant
from nextlabel.engine.driver import Driver
from nextlabel.engine.events import Event, ExperimentReady
from nextlabel.engine.executor import Executor
from nextlabel.engine.executors.local import LocalExecutor
from nextlabel.engine.lock import hold
from nextlabel.engine.resume_checks import check_labelled_counts, check_machine_settings
from nextlabel.experiment.spec import Experiment
from nextlabel.features.cache import Cache, CacheLocation
from nextlabel.store.store import Store, TrialRecord
from nextlabel.trial.data import data_record, headline, load_data
from nextlabel.trial.spec import TrialSpec, trials

NAMED = 4
"""Trials that a warning names."""


def run(
    experiment: Experiment,
    store: Store,
    *,
    data_dir: Path | None = None,
    cache_dir: CacheLocation | None = None,
    jobs: int = 1,
    fail_fast: bool = False,
    progress: bool = False,
    arms: Sequence[str] | None = None,
    executor: Executor | None = None,
) -> Generator[Event, None, None]:
    """Run the trials that the store does not have yet, and yield events as rounds arrive.

    Finished trials are skipped. Trials that were interrupted continue after their last stored
    round. All rounds that were yielded are in the store. Closing the generator ends the workers.

    Parameters
    ----------
    experiment : Experiment
        What to run.
    store : Store
        Where the rounds are written; open for writing.
    data_dir : Path, optional
        The folder of the data sets.
    cache_dir : Path or str, optional
        The folder, or fsspec URL, of fitted features; by default the user's cache folder.
    jobs : int
        The number of trials that run at a time.
    fail_fast : bool
        Whether to stop at the first trial that fails; by default the others continue.
    progress : bool
        Whether to show the progress of downloads on stderr.
    arms : sequence of str, optional
        The names of the arms to run; all by default.
    executor : Executor, optional
        Where the trials run. By default a `LocalExecutor` of `jobs` workers. Another executor has
        its own jobs, data folder and cache folder. It is closed at the end.

    Yields
    ------
    Event
        First an `ExperimentReady`. Per trial then a `TrialStarted`, a `RoundDone` per round, and
        a `TrialDone` or a `TrialFailed`; a `TrialWarned` at any time. A trial whose worker died
        starts a second time. A trial that another driver of the same store has ended has its last
        event alone.

    Raises
    ------
    UsageError
        When `jobs` is not a whole number from 1, an arm does not exist, or the stored rounds do
        not fit.
    StoreError
        When another run writes to a store of one writer, or the store cannot be written.
    DataError
        When the data cannot be used.
    """
    if isinstance(jobs, bool) or not isinstance(jobs, int | np.integer):
        raise UsageError(
            f"jobs {jobs!r} is not a whole number; give 1 or more", code="jobs-not-whole"
        )
    if jobs < 1:
        raise UsageError(f"jobs {jobs} must be at least 1; raise it", code="too-few-jobs")
    arm_names = experiment.names_of(arms)
    cache = Cache.open(cache_dir)
    if executor is None:
        threads = experiment.training.threads
        executor = LocalExecutor(jobs, threads, data_dir=data_dir, cache_dir=cache_dir)
    with hold(store), executor, Claimant(store) as claimant:
        if not _looks_complete(experiment, store, arm_names):
            executor.prepare()
        data = load_data(experiment, data_dir, progress, cache)
        planned = {t.key(data.checksum): t for t in trials(experiment, executor.jobs)}
        check_labelled_counts(store, planned)
        check_machine_settings(store, planned, data.checksum)
        _warn_of_others(experiment, store, planned)
        _enrol(experiment, store, planned, data)
        store.keep_data(data_record(data))
        states = store.trials(experiment.name)
        complete = {s.record.key for s in states if s.labelled_count >= experiment.target}
        waiting = [
            key
            for key, trial in planned.items()
            if key not in complete and trial.arm.name in arm_names
        ]
        yield ExperimentReady(len(planned), len(waiting), executor.summary)
        for state in states:
            if state.record.key in complete and state.status != "done":
                store.finish(state.record.key)
        driver = Driver(store, planned, waiting, _origin(data), executor, claimant, fail_fast)
        yield from driver.events()


def _looks_complete(experiment: Experiment, store: Store, arms: Sequence[str]) -> bool:
    """Return whether the store seems to have all trials; only the data can confirm it."""
    if experiment.name not in store.experiments():
        return False
    counts = {
        (state.record.arm, state.record.seed): state.labelled_count
        for state in store.trials(experiment.name)
    }
    return all(
        counts.get((arm, seed), 0) >= experiment.target for arm in arms for seed in experiment.seeds
    )


def _origin(data: Dataset) -> dict[str, Any]:
    """Return the files of the data with their checksums, and the notes on their reading."""
    notes = {"notes": dict(data.notes)} if data.notes else {}
    return {"sources": dict(data.sources), **notes}


def _warn_of_others(experiment: Experiment, store: Store, planned: Mapping[str, TrialSpec]) -> None:
    """Warn of stored trials with rounds that the experiment no longer has."""
    if experiment.name not in store.experiments():
        return
    stored = store.statuses(experiment.name)
    others = [trial for trial in stored if trial.rounds and trial.key not in planned]
    if others:
        names = ", ".join(f"{trial.arm!r}, seed {trial.seed}" for trial in others[:NAMED])
        warnings.warn(
            f"{experiment.name} has other settings, arms or seeds than before: {len(others)} of "
            f"its stored trials ({names}{'; …' if len(others) > NAMED else ''}) are no longer part "
            "of it; status and report leave them out until a run has those again",
            stacklevel=2,
        )


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
