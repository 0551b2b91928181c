"""The executor of this machine: a pool of worker processes and one pipe per trial."""

from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self, get_args

from nextlabel.core.round import Round
from nextlabel.engine.executor import Assignment, Setup, Work
from nextlabel.engine.executors import register
from nextlabel.engine.executors.process_pool import drop_untaken, prepare, process_pool
from nextlabel.engine.messages import LastMessage, LostMessage, Message
from nextlabel.engine.worker import work
from nextlabel.engine.worker_environment import jobs_of_machine
from nextlabel.features.cache import Cache, CacheLocation
from nextlabel.trial.spec import TrialSpec

LOST = (
    "its worker process died (killed, or out of memory); lower --jobs and run again; a script of "
    'its own must call `run` below `if __name__ == "__main__":`'
)


def run_in_worker(work: Work, assignment: Assignment, outbox: Connection) -> None:
    """Run one trial in a worker, which sends its messages into the pipe.

    A trial has a pipe of its own: a worker that dies while it writes leaves no lock behind.
    """
    work(assignment, outbox.send)


@dataclass(frozen=True, eq=False)
class RunningTrial:
    """A trial in a worker, and both ends of its pipe."""

    future: Future[None]
    inbox: Connection
    outbox: Connection

    @property
    def lost(self) -> bool:
        """True when the worker has died and all that it sent has been read."""
        if not self.future.done() or self.future.exception() is None:
            return False
        return self.inbox.closed or not self.inbox.poll()

    def messages(self) -> Iterator[Message]:
        """Yield the messages that have arrived; close the pipe when its worker has closed it."""
        try:
            while not self.inbox.closed and self.inbox.poll():
                self.outbox.close()  # the worker has its own end; only that one holds the pipe open
                yield self.inbox.recv()
        except (EOFError, OSError):
            self.close()

    def close(self) -> None:
        """Close both ends of the pipe in this process."""
        self.inbox.close()
        self.outbox.close()


@register("local")
class LocalExecutor:
    """Runs trials in worker processes of this machine.

    A pool breaks as a whole when one of its workers dies: all its trials are lost. It is replaced
    as soon as their messages have been read. A worker waits while the driver does not read.

    Parameters
    ----------
    jobs : int
        The number of workers.
    threads : int
        The number of threads per worker.
    data_dir : Path, optional
        The folder of the data sets.
    cache_dir : Path or str, optional
        The folder, or fsspec URL, of fitted features; by default the user's cache folder.
    work : Work
        The function that a worker runs; tests give functions that die.
    """

    uses: ClassVar[frozenset[str]] = frozenset()
    summary = ""

    def __init__(
        self,
        jobs: int = 1,
        threads: int = 1,
        *,
        data_dir: Path | None = None,
        cache_dir: CacheLocation | None = None,
        work: Work = work,
    ) -> None:
        self._jobs, self._threads = jobs, threads
        self._data_dir, self._cache_dir = data_dir, Cache.at(cache_dir).location
        self._work = work
        self._resources = ExitStack()
        self._pool: Executor | None = None
        self._broken = False
        self._running: dict[str, RunningTrial] = {}
        self._refused: list[str] = []

    @classmethod
    def of(cls, setup: Setup) -> Self:
        """Return an executor; by default it has one job per processor core."""
        jobs = setup.jobs or jobs_of_machine(setup.threads)
        return cls(jobs, setup.threads, data_dir=setup.data_dir, cache_dir=setup.cache_dir)

    @property
    def jobs(self) -> int:
        """The number of workers."""
        return self._jobs

    @property
    def ready(self) -> bool:
        """True when a worker is free and the pool is not broken."""
        return not self._broken and len(self._running) < self._jobs

    def prepare(self) -> None:
        """Start the fork server, which imports torch."""
        prepare(self._threads)

    def submit(self, key: str, trial: TrialSpec, history: Sequence[Round]) -> None:
        """Give a trial to the pool; a pool that has broken meanwhile loses it."""
        if self._pool is None:
            self._pool = self._resources.enter_context(process_pool(self._jobs, self._threads))
        assignment = Assignment(key, trial, history, self._data_dir, self._cache_dir)
        inbox, outbox = Pipe(duplex=False)
        try:
            future = self._pool.submit(run_in_worker, self._work, assignment, outbox)
        except (BrokenExecutor, EOFError, OSError):
            inbox.close()
            outbox.close()
            self._refused.append(key)
            self._broken = True
            return
        self._running[key] = RunningTrial(future, inbox, outbox)

    def receive(self, timeout: float) -> Iterator[tuple[str, Message]]:
        """Yield the messages in the pipes, then a `LostMessage` per lost trial."""
        inboxes = [trial.inbox for trial in self._running.values() if not trial.inbox.closed]
        if not self._refused and wait(inboxes, timeout):
            for key, trial in list(self._running.items()):
                for message in trial.messages():
                    if isinstance(message, get_args(LastMessage)):
                        self._forget(key)
                    yield key, message
        lost = [key for key, trial in self._running.items() if trial.lost]
        self._broken = self._broken or bool(lost)
        for key in lost:
            self._forget(key)
        refused, self._refused = self._refused, []
        if self._broken and not self._running:
            self._close_pool()
        for key in (*refused, *lost):
            yield key, LostMessage(LOST)

    def _forget(self, key: str) -> None:
        self._running.pop(key).close()

    def _close_pool(self) -> None:
        """End the workers, and the pipe ends that they did not receive."""
        self._resources.close()
        for key in list(self._running):
            self._forget(key)
        if self._broken:
            drop_untaken()
        self._pool, self._broken = None, False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close_pool()
