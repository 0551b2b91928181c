"""Running one trial as a stream of messages."""

import traceback
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import DataError, NextlabelError, out_of_memory
from nextlabel.core.round import Round
from nextlabel.engine.executor import Assignment, Emit
from nextlabel.engine.messages import (
    BlockMessage,
    DoneMessage,
    EnvironmentMessage,
    FailedMessage,
    Message,
    PicksMessage,
    RoundMessage,
    WarningMessage,
)
from nextlabel.features.cache import Cache, CacheLocation
from nextlabel.trial.data import load_data
from nextlabel.trial.spec import TrialSpec
from nextlabel.trial.trial import (
    BlockRecords,
    beginning_records,
    initial_weights,
    last_records,
    learner_of,
    next_picks,
    run_trial,
)

_loaded: tuple[object, Dataset] | None = None


def _load(trial: TrialSpec, data_dir: Path | None, cache: Cache) -> Dataset:
    """Load the trial's data, or take those of the trial before: all use the same."""
    global _loaded
    wanted = trial.experiment.data, trial.experiment.model.image_size
    if _loaded is None or _loaded[0] != wanted:
        _loaded = wanted, load_data(trial.experiment, data_dir, cache=cache)
    return _loaded[1]


def work(assignment: Assignment, emit: Emit) -> None:
    """Run one trial and emit its messages; `run_trial_messages` says which."""
    trial, history, key = assignment.trial, assignment.history, assignment.key
    for message in run_trial_messages(
        trial, history, assignment.data_dir, assignment.cache_dir, key
    ):
        emit(message)


def run_trial_messages(
    trial: TrialSpec,
    history: Sequence[Round],
    data_dir: Path | None,
    cache_dir: CacheLocation,
    key: str | None = None,
) -> Iterator[Message]:
    """Run one trial and yield its messages; a failure is the last message and not an exception.

    Python warnings are recorded while a step runs and come before the step's message, each text
    once.

    Parameters
    ----------
    trial : TrialSpec
        The arm and the seed to run.
    history : sequence of Round
        The stored rounds of the trial; it continues after them.
    data_dir : Path or None
        The folder of the data sets.
    cache_dir : Path or str
        The folder, or fsspec URL, of fitted features.
    key : str, optional
        The key of the trial with the driver's data. A trial whose own data lead to another key
        fails: its rounds would belong to other images.

    Yields
    ------
    Message
        A `DoneMessage` or a `FailedMessage` is the last one.
    """
    steps = _steps(trial, history, data_dir, Cache.at(cache_dir), key)
    texts: set[str] = set()
    while True:
        with warnings.catch_warnings(record=True) as recorded:
            warnings.simplefilter("always")
            message = next(steps, None)
        for text in dict.fromkeys(str(warning.message) for warning in recorded):
            if text not in texts:
                texts.add(text)
                yield WarningMessage(text)
        if message is None:
            return
        yield message


def _steps(
    trial: TrialSpec,
    history: Sequence[Round],
    data_dir: Path | None,
    cache: Cache,
    key: str | None,
) -> Iterator[Message]:
    from nextlabel.engine.environment import environment

    try:
        data = _load(trial, data_dir, cache)
        if key not in (None, trial.key(data.checksum)):
            raise DataError(
                f"{data.name} in the worker ({data.checksum[:12]}) differs from the driver's; "
                "give all of them the same files, then run the same command again",
                code="data-differ",
            )
        start = {"initial_weights": initial_weights(trial, data, cache)}
        yield EnvironmentMessage(environment() | start)
        learner = learner_of(trial, data, cache)
        rounds = list(history)
        for i, (round, pictures) in enumerate(run_trial(trial, data, cache, history, learner)):
            yield RoundMessage(round, pictures)
            rounds.append(round)
            if i == 0:
                yield from _block_messages(beginning_records(learner))
        yield from _block_messages(last_records(learner))
        if learner.last:
            yield PicksMessage(next_picks(trial, learner, rounds))
        yield DoneMessage()
    except NextlabelError as error:
        yield FailedMessage(str(error), traceback.format_exc())
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        if out_of_memory(error):
            message = "out of memory; lower --jobs, training.batch_size or model.image_size"
        yield FailedMessage(message, traceback.format_exc())


def _block_messages(records: BlockRecords) -> Iterator[BlockMessage]:
    for name, (log, pictures) in records.items():
        yield BlockMessage(name, log, dict(pictures))
