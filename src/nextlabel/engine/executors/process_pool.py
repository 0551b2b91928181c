"""A pool of worker processes that end when their parent ends."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import forkserver, resource_sharer, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext

from nextlabel.engine.worker_environment import (
    ctrl_c_blocked,
    environment_variables,
    use_short_socket_folder,
    variables,
)

PRELOAD = "nextlabel.engine.preload"
"""The module that the fork server imports once for all workers."""

PATIENCE = 5.0
"""Seconds until the thread that hands over pipes must have stopped."""

_sharing = False
_server_variables: Mapping[str, str] | None = None


def share_imports() -> None:
    """Fork all later workers from one server that has imported torch, where that is safe (Linux).

    Only for a program that has its process to itself: a process has one fork server, and other
    users of multiprocessing in the process would get this one.
    """
    global _sharing
    _sharing = sys.platform == "linux"


def prepare(threads: int) -> None:
    """Start the fork server, if there is one, so that its imports begin now."""
    values = variables(threads)
    with environment_variables(values):
        _context(values)


@contextmanager
def process_pool(jobs: int, threads: int) -> Iterator[Executor]:
    """Yield a pool of up to `jobs` workers of `threads` threads each; end the workers afterwards.

    The workers end because the writing end of a pipe that they wait on is closed, here or by the
    death of this process.
    """
    use_short_socket_folder()
    values = variables(threads)
    with environment_variables(values):
        context = _context(values)
        alive, kept = context.Pipe(duplex=False)
        pool = ProcessPoolExecutor(jobs, context, _start, (alive, dict(os.environ)))
        try:
            yield pool
        finally:
            kept.close()
            pool.shutdown(wait=True, cancel_futures=True)


def drop_untaken() -> None:
    """Close the pipe ends that were meant for workers which died before they received them.

    Multiprocessing keeps a copy of each end until a worker fetches it. Call this function only
    when no worker is running.
    """
    resource_sharer.stop(PATIENCE)


def _context(values: Mapping[str, str]) -> BaseContext:
    """Return the way to start workers: fork them from the running server, or spawn them.

    Workers that need other environment variables than those of the server are spawned, because
    libraries read the variables while they are loaded.
    """
    global _server_variables
    spawned = multiprocessing.get_context("spawn")
    if not _sharing or _server_variables not in (None, values):
        return spawned
    use_short_socket_folder()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOAD])
    resource_tracker.ensure_running()  # first, because its start unblocks Ctrl-C again
    try:
        with ctrl_c_blocked():
            forkserver.ensure_running()
    except OSError:  # the file system of the folder has no sockets
        return spawned
    _server_variables = dict(values)
    return context


def _start(alive: Connection, environment: Mapping[str, str]) -> None:
    """Prepare this process as a worker: it ignores Ctrl-C and ends with its driver.

    `environment` is the driver's environment of now; the fork server has an older one.
    """
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    watched = [alive] if parent is None else [alive, parent.sentinel]
    threading.Thread(target=_end_with, args=(watched,), daemon=True).start()


def _end_with(watched: list[Connection | int]) -> None:
    """End this process as soon as one of the connections or processes has ended."""
    wait(watched)
    os._exit(1)
