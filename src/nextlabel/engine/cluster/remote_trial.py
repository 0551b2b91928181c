"""A trial that a worker of a cluster runs; its messages go to the driver's queue."""

import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from nextlabel.engine.executor import Assignment, Work
from nextlabel.engine.messages import Message, PlacedMessage
from nextlabel.features.cache import Cache


class Envelope(NamedTuple):
    """A message on its way.

    Parameters
    ----------
    submission : str
        Which submission of the driver it answers.
    attempt : str
        Which call of `run_on_worker` has sent it; a scheduler may call it again elsewhere.
    number : int
        Its place among the messages of the attempt, from 0 on.
    content : bytes
        The message, pickled.
    """

    submission: str
    attempt: str
    number: int
    content: bytes

    @property
    def message(self) -> Message:
        """The message."""
        message: Message = pickle.loads(self.content)
        return message


class Unwanted(Exception):
    """The driver has cancelled the trial, or is gone."""


def run_on_worker(
    work: Work, assignment: Assignment, shared: bool, mailbox: str, submission: str
) -> None:
    """Run a trial in the thread of a worker; it ends at its next message once it is cancelled.

    A message is with the scheduler before the next one is made, so that none overtakes another.

    Parameters
    ----------
    work : Work
        The function that runs the trial.
    assignment : Assignment
        The trial, with the folders of the driver.
    shared : bool
        Whether the driver's cache folder is here; the worker's own is used otherwise.
    mailbox : str
        The name of the queue of the driver.
    submission : str
        The name of this submission.
    """
    from distributed import Queue, get_client, get_worker
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    worker = get_worker()
    wanted = _wanted(worker)
    queue = Queue(mailbox, client=get_client())
    attempt, numbers = uuid4().hex, count()

    def emit(message: Message) -> None:
        if not wanted():
            raise Unwanted
        content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        queue.put([*Envelope(submission, attempt, next(numbers), content)])

    try:
        emit(PlacedMessage(str(worker.address)))
        with threadpool_limits(assignment.trial.experiment.training.threads):
            work(with_folders(assignment, shared), emit)
    except Unwanted:
        return
    finally:
        queue.close()


def _wanted(worker: Any) -> Callable[[], bool]:
    """Return a function that says whether the trial of this thread is still to run.

    It is not once the driver has cancelled it, or once the driver's connection is closed.
    """
    key = worker.get_current_task()

    def wanted() -> bool:
        submitted = worker.state.tasks.get(key)
        return submitted is not None and submitted.state == "executing"

    return wanted


def with_folders(assignment: Assignment, shared: bool) -> Assignment:
    """Return an assignment with the folders of this machine in the place of missing ones.

    A data folder that is not here is replaced by that of NEXTLABEL_DATA here. The key of the trial
    proves that the data are the same.
    """
    data_dir = assignment.data_dir
    if data_dir is not None and not data_dir.is_dir():
        here = os.environ.get("NEXTLABEL_DATA")
        data_dir = Path(here) if here else None
    cache_dir = assignment.cache_dir if shared else Cache.open().location
    return replace(assignment, data_dir=data_dir, cache_dir=cache_dir)
