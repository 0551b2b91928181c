"""The supervisor: keeps the trainer running while the server does."""

import atexit
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from nextlabel.core.errors import NextlabelError
from nextlabel.project.labelling.project import Project
from nextlabel.project.loop.background import WORK
from nextlabel.project.loop.child import Child
from nextlabel.project.loop.current_space import ACTIVITY as SPACE

MODULE = "nextlabel.project.loop.trainer"
LOG = "trainer.log"
ACTIVITY = "trainer"
OF_TRAINER = (SPACE, *WORK)
"""Activities that end when the trainer does, and begin again with it."""
POLL = 0.2
PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds before each further start of a trainer that ended; the last holds from then on."""
LONG = 60.0
"""Seconds of work after which the pauses are short again."""


class Trainer:
    """The trainer of a project, as a process of its own that is started again when it ends.

    Parameters
    ----------
    directory : Path
        The folder of the project.
    store : str, optional
        The URL of its database, where that is not in the folder.
    cache_dir : Path, optional
        The folder of fitted features; the user's cache folder by default.
    background : bool
        Whether to make the full space and the map.
    pauses : sequence of float
        As PAUSES.

    Examples
    --------
    >>> with Trainer(project.directory) as trainer:  # doctest: +SKIP
    ...     print(trainer.alive)
    """

    def __init__(
        self,
        directory: Path,
        store: str | None = None,
        *,
        cache_dir: Path | None = None,
        background: bool = True,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self.directory, self.store, self.pauses = directory, store, pauses
        self.arguments = {
            "project": str(directory),
            "store": store,
            "cache_dir": None if cache_dir is None else str(cache_dir),
            "background": background,
        }
        self._child: Child | None = None
        self._thread: threading.Thread | None = None
        self._ends = threading.Event()

    def __enter__(self) -> "Trainer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        child = self._child
        return child is not None and child.code is None

    @property
    def pid(self) -> int | None:
        """The number of the process; None while none runs."""
        child = self._child
        return child.pid if child is not None and child.code is None else None

    def start(self) -> None:
        """Start the process and watch it; nothing happens when it was started before."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="trainer", daemon=True)
            self._thread.start()
            atexit.register(self.stop)

    def stop(self) -> None:
        """End the process; what it has published stays."""
        atexit.unregister(self.stop)
        self._ends.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _watch(self) -> None:
        failures = 0
        while not self._ends.is_set():
            begun = time.monotonic()
            ended = self._run()
            if self._ends.is_set():
                return
            failures = 0 if time.monotonic() - begun > LONG else failures
            pause = self.pauses[min(failures, len(self.pauses) - 1)]
            failures += 1
            self._report(
                f"the trainer {ended} and starts again in {pause:g} s; "
                "labelling continues from the queue that is there, and trainer.log has the reason"
            )
            self._ends.wait(pause)

    def _run(self) -> str:
        """Run the process until it ends, or should; return how it ended, for a message."""
        try:
            child = self._child = Child(MODULE, self.arguments, self.directory / LOG)
        except OSError as error:  # no memory or no space for another process
            return f"cannot be started ({error.strerror or error})"
        while child.code is None and not self._ends.wait(POLL):
            pass
        if self._ends.is_set():
            child.stop()
        return f"ended with {child.code}"

    def _report(self, message: str) -> None:
        with (
            suppress(NextlabelError, OSError),
            Project.open(self.directory, store=self.store) as project,
        ):
            project.set_activity(ACTIVITY, "failed", message=message)
            for other in project.activity().values():
                if other.name in OF_TRAINER and other.state == "running":
                    project.set_activity(other.name, "failed", message="it ended with the trainer")
