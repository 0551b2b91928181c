"""Environment variables, socket folder and signal mask of the worker processes."""

import os
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import util
from pathlib import Path

from nextlabel.files.worker_threads import usable_cores

ALLOCATOR = {
    # glibc returns blocks above 128 KiB to the system when they are freed. Gradients and
    # activations are larger, and getting them back page by page took up to a tenth of a training.
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    # The same for the top of the heap: keep it, up to 4 GiB.
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
    # Grow the heap by 64 MiB at a time, so that the system is asked less often.
    "MALLOC_TOP_PAD_": str(2**26),
}

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""The number of threads is part of a trial's key, so that the user's own values do not count."""

LONGEST_FOLDER = 60
"""Characters. The address of a socket has 108 bytes, and multiprocessing appends up to 40."""


def jobs_of_machine(threads: int) -> int:
    """Return the number of trials of `threads` threads each that this machine runs at a time."""
    return max(1, usable_cores() // threads)


def variables(threads: int) -> dict[str, str]:
    """Return the environment variables of workers with `threads` threads each.

    The user's settings of the allocator win; those of the threads do not.
    """
    allocator = {name: os.environ.get(name, value) for name, value in ALLOCATOR.items()}
    return allocator | {name: str(threads) for name in THREADS}


@contextmanager
def environment_variables(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the processes that are started inside, then restore them.

    Libraries read them while they are loaded, so that it is too late to set them in the worker.
    """
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def use_short_socket_folder() -> None:
    """Put the sockets of this process into /tmp when the folder of temporary files is too long.

    Multiprocessing chooses its folder once and keeps it, so that the setting of `tempfile` is
    changed for that moment alone.
    """
    chosen = tempfile.gettempdir()
    short = Path("/tmp")
    if len(chosen) > LONGEST_FOLDER and os.access(short, os.W_OK | os.X_OK):
        tempfile.tempdir = str(short)
        try:
            util.get_temp_dir()
        finally:
            tempfile.tempdir = chosen


@contextmanager
def ctrl_c_blocked() -> Iterator[None]:
    """Start processes that do not receive Ctrl-C until they allow it.

    The driver handles Ctrl-C. A process that is still importing would end with a traceback.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
