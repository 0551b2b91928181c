"""Background of a server: the scan of the folder, the trainer, and the leases on the disk."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress

from nextlabel.core.errors import NextlabelError
from nextlabel.project.labelling.leases import Leases
from nextlabel.project.labelling.project import Project
from nextlabel.project.loop.supervisor import Trainer
from nextlabel.web.workspace import Workspace

STEP = 0.5
"""Seconds between two reports of progress."""
PAUSE = 60.0
"""Seconds between two scans of the folder, at least."""
SAVED = 1.0
"""Seconds between two times that the leases are saved; a server that is killed forgets the last."""
JOINED = 5.0
"""Seconds that the last of them may take."""
SHARE = 0.02
"""The largest share of the time that scans take."""


@contextmanager
def background(workspace: Workspace, store: str | None, *, trainer: bool) -> Iterator[None]:
    """Scan the folder, keep the leases and train, in threads and a process that end with the block.

    `store` is the URL of the project's database with its password, where it has one.
    """
    project, ended = workspace.project, threading.Event()
    threading.Thread(target=keep_scanned, args=(project, ended), daemon=True).start()
    leases = threading.Thread(target=keep_leases, args=(workspace.leases, ended), daemon=True)
    leases.start()
    try:
        with nullcontext() if not trainer else Trainer(project.directory, store):
            yield
    finally:
        ended.set()
        leases.join(JOINED)


def keep_leases(leases: Leases, ended: threading.Event, pause: float = SAVED) -> None:
    """Save the leases again and again, until `ended` and once more then."""
    over = False
    while not over:
        over = ended.wait(pause)
        with suppress(NextlabelError):  # a full disk; it is tried again
            leases.save()


def keep_scanned(project: Project, ended: threading.Event, pause: float = PAUSE) -> None:
    """Scan the folder now and then again and again, until `ended`; only the first is reported."""
    scan(project)
    took = 0.0
    while not ended.wait(max(pause, took / SHARE)):
        begin = time.monotonic()
        try:
            project.scan()
        except (NextlabelError, OSError) as error:
            project.set_activity("scan", "failed", None, None, str(error))
        took = time.monotonic() - begin


def scan(project: Project) -> None:
    """Bring the images up to date with the folder, and report how far that is."""
    reported = 0.0

    def report(done: int, total: int) -> None:
        nonlocal reported
        now = time.monotonic()
        if now >= reported + STEP:
            reported = now
            project.set_activity("scan", "running", done, total, "reading the folder")

    try:
        project.set_activity("scan", "running", None, None, "reading the folder")
        result = project.scan(report)
    except (NextlabelError, OSError) as error:
        project.set_activity("scan", "failed", None, None, str(error))
        return
    except Exception as error:
        message = f"unexpected {type(error).__name__}; the terminal shows more"
        project.set_activity("scan", "failed", None, None, message)
        raise
    project.set_activity("scan", "done", result.total, result.total, "")
