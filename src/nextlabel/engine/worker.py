"""What a worker does: run one trial after the other, and send what comes of each."""

import traceback
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import NextlabelError, out_of_memory
from nextlabel.core.round import Round
from nextlabel.core.types import Ids
from nextlabel.features.cache import Cache
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


@dataclass(frozen=True, eq=False)
class Message:
    """From a worker to the driver: a round, a block's record, the end, or why there is none."""

    round: Round | None = None
    pictures: Mapping[str, bytes] | None = None
    block: str | None = None
    log: Sequence[Mapping[str, float]] = ()
    environment: Mapping[str, Any] | None = None
    warning: str | None = None
    next_picks: Ids | None = None
    done: bool = False
    error: str | None = None
    traceback: str = ""


_loaded: tuple[object, Dataset] | None = None


def _load(trial: TrialSpec, data_dir: Path | None, cache: Cache) -> Dataset:
    """Load the trial's data, or take those of the trial before: all use the same."""
    global _loaded
    wanted = trial.experiment.data, trial.experiment.model.image_size
    if _loaded is None or _loaded[0] != wanted:
        _loaded = wanted, load_data(trial.experiment, data_dir, cache=cache)
    return _loaded[1]


def _show(outbox: Connection, records: BlockRecords) -> None:
    for name, (log, pictures) in records.items():
        outbox.send(Message(block=name, log=log, pictures=dict(pictures)))


def work(
    trial: TrialSpec,
    history: Sequence[Round],
    data_dir: Path | None,
    cache_dir: Path,
    outbox: Connection,
) -> None:
    """Run one trial in a worker and send each round; a failure is a message, not a crash.

    A trial has a pipe of its own: whoever dies while writing leaves no lock behind.
    """
    cache = Cache(cache_dir)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *where: outbox.send(Message(warning=str(message)))
        outbox.send(_last_word(trial, history, data_dir, cache, outbox))


def _last_word(
    trial: TrialSpec,
    history: Sequence[Round],
    data_dir: Path | None,
    cache: Cache,
    outbox: Connection,
) -> Message:
    """Run the trial and send each round; return that it is done, or why not."""
    from nextlabel.engine.environment import environment

    try:
        data = _load(trial, data_dir, cache)
        start = {"initial_weights": initial_weights(trial, data, cache)}
        outbox.send(Message(environment=environment() | start))
        learner = learner_of(trial, data, cache)
        rounds = list(history)
        for i, (found, pictures) in enumerate(run_trial(trial, data, cache, history, learner)):
            outbox.send(Message(round=found, pictures=pictures))
            rounds.append(found)
            if i == 0:
                _show(outbox, beginning_records(learner))
        _show(outbox, last_records(learner))
        if learner.last:
            outbox.send(Message(next_picks=next_picks(trial, learner, rounds)))
        return Message(done=True)
    except NextlabelError as error:
        return Message(error=str(error), traceback=traceback.format_exc())
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        if out_of_memory(error):
            message = "out of memory; lower --jobs, training.batch_size or model.image_size"
        return Message(error=message, traceback=traceback.format_exc())
