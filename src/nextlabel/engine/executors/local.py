"""Worker processes: started once, one thread pool each, gone when their parent is."""

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import forkserver, resource_sharer, resource_tracker, util
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

# Gradients and activations of a step are above glibc's default threshold for returning memory to
# the system, and getting it back page by page costs up to a tenth of the training time.
ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
    "MALLOC_TOP_PAD_": str(2**26),
}

# Part of a trial's key, so that what the user has set for other programs does not count.
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

# Imported by the server that workers are forked from.
NURSERY = "nextlabel.engine.executors.preload"

# Longer names do not fit into the address of a socket with what multiprocessing appends.
LONGEST_FOLDER = 60

# So many seconds its thread, which only hands over ends of pipes, may take to stop.
PATIENCE = 5.0

_sharing = False
_served: Mapping[str, str] | None = None


def share_imports() -> None:
    """Let all later workers be forked from one server with torch imported, where that is safe.

    For a program that has its process to itself: a process has one such server, so that other
    users of multiprocessing's fork server there would get this one.
    """
    global _sharing
    _sharing = sys.platform == "linux"


def prepare(threads: int) -> None:
    """Let the imports of workers begin, beside whatever the driver has to do before them."""
    settings = _settings(threads)
    with _environ(settings):
        _context(settings)


@contextmanager
def process_pool(jobs: int, threads: int) -> Iterator[Executor]:
    """Give a pool of `jobs` workers.

    On leaving, however that comes about, the workers are gone.
    """
    _shorten()
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


def drop_untaken() -> None:
    """Close the ends of pipes that were meant for workers which died before they took them.

    Multiprocessing keeps a copy of each until it is fetched. To be called when no worker is there.
    """
    resource_sharer.stop(PATIENCE)


def _shorten() -> None:
    """Choose the folder of this process's sockets where that of temporary files is too long."""
    chosen = tempfile.gettempdir()
    short = Path("/tmp")
    if len(chosen) > LONGEST_FOLDER and os.access(short, os.W_OK | os.X_OK):
        tempfile.tempdir = str(short)
        try:
            util.get_temp_dir()  # made once, and kept for all later sockets
        finally:
            tempfile.tempdir = chosen


def _settings(threads: int) -> dict[str, str]:
    settings = {name: os.environ.get(name, value) for name, value in ALLOCATOR.items()}
    return settings | {name: str(threads) for name in THREADS}


def _context(settings: Mapping[str, str]) -> BaseContext:
    """Return how workers start: spawned, or forked from the server, which then is running.

    Libraries read `settings` as they load, so workers that need others than the server's are
    spawned.
    """
    global _served
    spawned = multiprocessing.get_context("spawn")
    if not _sharing or _served not in (None, settings):
        return spawned
    _shorten()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([NURSERY])
    # Ctrl-C is the driver's to answer, and the server would begin with a traceback. The tracker
    # lets signals through again as it starts, so it starts first.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        forkserver.ensure_running()
    except OSError:  # no sockets in that folder
        return spawned
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    _served = dict(settings)
    return context


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
