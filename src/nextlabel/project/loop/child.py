"""Processes of the loop: a Python module each, that ends when the process that started it does."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

LARGEST = 2**20
"""Bytes of a log, beyond which a new one is begun."""
GRACE = 5.0
"""Seconds that a process has to end by itself."""


class Child:
    """A process that runs a module.

    It gets its arguments through its standard input, which stays open: when that ends, since this
    process has died, the child ends too. So nothing depends on signals, and no password of a
    database is in the list of processes.

    Parameters
    ----------
    module : str
        The module to run, which calls `begin`.
    arguments : mapping
        JSON values for it.
    log : Path
        The file that gets its output.
    """

    def __init__(self, module: str, arguments: Mapping[str, Any], log: Path) -> None:
        with suppress(OSError):  # Windows keeps a file that another process writes
            if log.stat().st_size > LARGEST:
                log.unlink()
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # only on Windows
            )
        assert self._process.stdin is not None
        with suppress(OSError):  # it has ended already, which `code` tells
            self._process.stdin.write(json.dumps(dict(arguments)).encode() + b"\n")
            self._process.stdin.flush()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """The exit status; None while the process runs."""
        return self._process.poll()

    def stop(self) -> None:
        """End the process; it may finish what it is doing for a few seconds."""
        if self._process.stdin is not None:
            with suppress(OSError):  # no process reads it any more
                self._process.stdin.close()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def begin(low: bool = False) -> tuple[dict[str, Any], threading.Event]:
    """Return the arguments of this process, and an event that is set when it should end.

    Parameters
    ----------
    low : bool
        Let other processes go first.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this
    if low:
        _lower_priority()
    arguments = json.loads(_first_line())
    stop = threading.Event()
    threading.Thread(target=_wait_for_end, args=(stop,), daemon=True).start()
    return arguments, stop


def _first_line() -> bytes:
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(0, 1)):
        line += byte
    return line


def _wait_for_end(stop: threading.Event) -> None:
    # sys.stdin would be locked by this thread, and the interpreter cannot end then.
    while os.read(0, 1):
        pass
    stop.set()
    threading.Event().wait(GRACE)
    os._exit(0)


def _lower_priority() -> None:
    import psutil

    process = psutil.Process()
    with suppress(psutil.Error, OSError):  # it works without, too
        process.nice(getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", 15))
