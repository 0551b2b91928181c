"""Worker processes: started once, one thread pool each, gone when their parent is."""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from nextlabel.core.dataset import Dataset
from nextlabel.core.errors import NextlabelError
from nextlabel.core.round import Round
from nextlabel.lab.cache import Cache
from nextlabel.lab.trial import (
    BlockRecords,
    TrialSpec,
    beginning_records,
    initial_weights,
    last_records,
    learner_of,
    load_data,
    run_trial,
)

# Gradients and activations of a step are above glibc's default threshold for returning memory to
# the system, and getting it back page by page costs up to a tenth of the training time.
ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
    "MALLOC_TOP_PAD_": str(2**26),
}

# Part of a trial's key, so that what the user has set for other programs does not count.
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True, eq=False)
class Message:
    """From a worker to the driver: a round, a block's record, the end, or why there is none."""

    round: Round | None = None
    pictures: Mapping[str, bytes] | None = None
    block: str | None = None
    log: Sequence[Mapping[str, float]] = ()
    environment: Mapping[str, Any] | None = None
    warning: str | None = None
    done: bool = False
    error: str | None = None
    traceback: str = ""


NURSERY = "nextlabel.lab.nursery"

_served: Mapping[str, str] | None = None
_loaded: tuple[object, Dataset] | None = None


def prepare(threads: int) -> None:
    """Let the imports of workers begin, beside whatever the driver has to do before them."""
    settings = _settings(threads)
    with _environ(settings):
        if _context(settings).get_start_method() == "forkserver":
            forkserver.ensure_running()


@contextmanager
def process_pool(jobs: int, threads: int) -> Iterator[Executor]:
    """Give a pool of `jobs` workers.

    On leaving, however that comes about, the workers are gone.
    """
    settings = _settings(threads)
    with _environ(settings):
        context = _context(settings)
        alive, kept = context.Pipe(duplex=False)
        pool = ProcessPoolExecutor(jobs, context, _start, (alive, dict(os.environ)))
        try:
            yield pool
        finally:
            kept.close()
            pool.shutdown(wait=True, cancel_futures=True)


def _settings(threads: int) -> dict[str, str]:
    settings = {name: os.environ.get(name, value) for name, value in ALLOCATOR.items()}
    return settings | {name: str(threads) for name in THREADS}


def _context(settings: Mapping[str, str]) -> multiprocessing.context.BaseContext:
    """Return how workers start: forked from one server with torch imported, where that is safe.

    A process has one such server, and libraries read `settings` as they load: workers that need
    others than the server's are spawned, and so are all where forking after imports is not safe.
    """
    global _served
    if _served is None and sys.platform == "linux":
        _served = dict(settings)
        multiprocessing.get_context("forkserver").set_forkserver_preload([NURSERY])
    return multiprocessing.get_context("forkserver" if _served == settings else "spawn")


@contextmanager
def _environ(settings: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the processes started inside, and then as they were."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _start(alive: Connection, environment: Mapping[str, str]) -> None:
    """Make this process a worker: silent on Ctrl-C, and dead as soon as the driver is.

    `environment` is the driver's as it is now; a server's children have that of its start.
    """
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    watched = [alive] if parent is None else [alive, parent.sentinel]
    threading.Thread(target=_watch, args=(watched,), daemon=True).start()


def _watch(watched: list[Any]) -> None:
    wait(watched)
    os._exit(1)


def _load(trial: TrialSpec, data_dir: Path | None) -> Dataset:
    """Load the trial's data, or take those of the trial before: all use the same."""
    global _loaded
    wanted = trial.experiment.data, trial.experiment.model.image_size
    if _loaded is None or _loaded[0] != wanted:
        _loaded = wanted, load_data(trial.experiment, data_dir)
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
    from nextlabel.lab.environment import environment

    cache = Cache(cache_dir)
    warnings.simplefilter("always")
    warnings.showwarning = lambda message, *where: outbox.send(Message(warning=str(message)))
    try:
        data = _load(trial, data_dir)
        start = {"initial_weights": initial_weights(trial, data, cache)}
        outbox.send(Message(environment=environment() | start))
        learner = learner_of(trial, data, cache)
        for i, (found, pictures) in enumerate(run_trial(trial, data, cache, history, learner)):
            outbox.send(Message(round=found, pictures=pictures))
            if i == 0:
                _show(outbox, beginning_records(learner))
        _show(outbox, last_records(learner))
        outbox.send(Message(done=True))
    except NextlabelError as error:
        outbox.send(Message(error=str(error), traceback=traceback.format_exc()))
    except MemoryError:
        outbox.send(
            Message(
                error="out of memory; lower --jobs, training.batch_size or model.image_size",
                traceback=traceback.format_exc(),
            )
        )
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        outbox.send(Message(error=message, traceback=traceback.format_exc()))
