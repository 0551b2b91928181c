"""The executor of a Dask cluster: one future per trial, and a queue for the messages of all."""

import logging
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Self, get_args
from uuid import uuid4

from nextlabel.core.errors import ClusterError
from nextlabel.core.round import Round
from nextlabel.engine.cluster.connection import (
    check_installed,
    connect,
    dashboard,
    quiet,
    shown,
    start_cluster,
)
from nextlabel.engine.cluster.facts import GPU
from nextlabel.engine.cluster.probe import Probe
from nextlabel.engine.cluster.remote_trial import Envelope, run_on_worker
from nextlabel.engine.cluster.submission import Submission
from nextlabel.engine.cluster.workers import ClusterWorkers
from nextlabel.engine.executor import Assignment, Setup, Work
from nextlabel.engine.executors import register
from nextlabel.engine.messages import LastMessage, LostMessage, Message
from nextlabel.engine.worker import work
from nextlabel.engine.worker_environment import jobs_of_machine
from nextlabel.features.cache import Cache, CacheLocation
from nextlabel.trial.spec import TrialSpec

if TYPE_CHECKING:
    from distributed import Client, Queue

UNREACHABLE = "the scheduler was out of reach"

ANSWER = 10.0
"""Seconds to wait for an answer of the scheduler."""
PATIENCE = 600.0
"""Seconds to wait for a scheduler that has vanished."""
PAUSE = 0.05
"""Seconds between two requests for messages."""


@register("dask")
class DaskExecutor:
    """Runs each trial in the thread of a worker of a Dask cluster.

    A trial is bound to one worker, so that the scheduler does not begin it again elsewhere with an
    old history. A worker that leaves loses its trial. A scheduler that vanishes loses all; the
    executor waits for it to come back at its address.

    Parameters
    ----------
    jobs : int, optional
        The number of trials at a time. By default one per worker; a cluster of its own has one
        worker per processor core.
    threads : int
        The number of threads per trial.
    data_dir : Path, optional
        The folder of the data sets; workers that lack it use their own NEXTLABEL_DATA.
    cache_dir : Path or str, optional
        The folder, or fsspec URL, of fitted features; workers that do not see it use their own.
    scheduler : str, optional
        The address of a scheduler. By default the executor starts a cluster of its own on this
        machine, and ends it.
    mixed_workers : bool
        Whether to use workers of another version or kind of processor too.
    device : str
        `training.device`; where that is a GPU, workers need the Dask resource GPU.
    work : Work
        The function that a worker runs; tests give others.
    """

    uses: ClassVar[frozenset[str]] = frozenset({"scheduler", "mixed_workers"})

    def __init__(
        self,
        jobs: int | None = None,
        threads: int = 1,
        *,
        data_dir: Path | None = None,
        cache_dir: CacheLocation | None = None,
        scheduler: str | None = None,
        mixed_workers: bool = False,
        device: str = "cpu",
        work: Work = work,
    ) -> None:
        self._jobs, self._threads = jobs, threads
        self._data_dir, self._cache = data_dir, Cache.at(cache_dir)
        self._scheduler, self._mixed, self._work = scheduler, mixed_workers, work
        self._device = device
        self._resources, self._connection = ExitStack(), ExitStack()
        self._address = scheduler
        self._client: Client | None = None
        self._queue: Queue | None = None
        self._workers: ClusterWorkers | None = None
        self._running: dict[str, Submission] = {}
        self._gone_since: float | None = None

    @classmethod
    def of(cls, setup: Setup) -> Self:
        """Return an executor as `setup` says."""
        return cls(
            setup.jobs, setup.threads, data_dir=setup.data_dir, cache_dir=setup.cache_dir,
            scheduler=setup.scheduler, mixed_workers=setup.mixed_workers, device=setup.device,
        )  # fmt: skip

    @property
    def jobs(self) -> int:
        """The number of trials at a time: as given, or one per worker that can be used."""
        if self._jobs is not None:
            return self._jobs
        if self._scheduler is None:
            return jobs_of_machine(self._threads)
        return max(1, len(self._workers.usable) if self._workers else 0)

    @property
    def summary(self) -> str:
        """The cluster's address, its size and the address of its dashboard."""
        if self._client is None or self._workers is None or self._address is None:
            return "a Dask cluster of this machine"
        number = len(self._workers.usable)
        return (
            f"Dask cluster at {shown(self._address)}, {number} worker{'' if number == 1 else 's'}; "
            f"dashboard {dashboard(self._client)}"
        )

    @property
    def ready(self) -> bool:
        """True when a worker is free and fewer than `jobs` trials run."""
        return bool(self._free()) and len(self._running) < self.jobs

    def _free(self) -> list[str]:
        busy = {submission.worker for submission in self._running.values()}
        workers = self._workers
        return (
            []
            if workers is None
            else [a for a in workers.usable if a not in busy and workers.fits(a)]
        )

    def prepare(self) -> None:
        """Start the executor's own cluster, if it has one."""
        if self._client is None:
            self._connect()

    def submit(self, key: str, trial: TrialSpec, history: Sequence[Round]) -> None:
        """Give a trial to a free worker."""
        assert self._client is not None and self._workers is not None and self._queue is not None
        worker, name = self._free()[0], uuid4().hex
        assignment = Assignment(key, trial, history, self._data_dir, self._cache.location)
        future = self._client.submit(
            run_on_worker,
            self._work, assignment, self._workers.shares_cache(worker), self._queue.name, name,
            workers=[worker], allow_other_workers=False, pure=False, retries=0,
            key=f"nextlabel-{trial.arm.name}-{trial.seed}-{name}",
            resources={GPU: 1} if self._workers.needs_gpu else None,
        )  # fmt: skip
        self._running[name] = Submission(key, future, worker)

    def receive(self, timeout: float) -> Iterator[tuple[str, Message]]:
        """Yield the messages in the queue, then a `LostMessage` per lost trial."""
        try:
            self._check_connection()
            assert self._workers is not None
            self._workers.refresh()
            # First who has ended, then the queue: what they sent is in it by then.
            here = self._workers.usable
            ended = [
                name
                for name, trial in self._running.items()
                if trial.future.status != "pending" or trial.worker not in here
            ]
            envelopes = self._fetch(0 if ended else timeout)
        except (OSError, TimeoutError, KeyError) as error:
            yield from self._disconnected(error)
            return
        for envelope in envelopes:
            submission = self._running.get(envelope.submission)
            if submission is not None:  # otherwise it comes too late
                message = submission.open(envelope)
                if isinstance(message, get_args(LastMessage)):
                    self._forget(envelope.submission)
                yield submission.key, message
        for name in ended:
            submission = self._running.get(name)
            if submission is not None:
                message = submission.end()
                self._forget(name)
                yield submission.key, message

    def _fetch(self, timeout: float) -> list[Envelope]:
        """Return the messages that have arrived; wait for the first one."""
        assert self._queue is not None
        deadline = time.monotonic() + timeout
        while True:
            arrived = self._queue.get(batch=True, callback_timeout=ANSWER)
            left = deadline - time.monotonic()
            if arrived or left <= 0:
                return [Envelope(*fields) for fields in arrived]
            time.sleep(min(PAUSE, left))

    def _forget(self, name: str) -> None:
        self._running.pop(name).cancel()

    def _connect(self) -> None:
        if self._address is None:
            cluster = start_cluster(self.jobs, self._threads)
            self._resources.callback(cluster.close, timeout=ANSWER)
            self._address = str(cluster.scheduler_address)
        from distributed import Queue

        from nextlabel.models.device import resolve_device

        client = connect(self._address, ANSWER)
        self._connection.callback(_close, client)
        self._client = client
        self._queue = Queue(f"nextlabel-{uuid4().hex}", client=client)
        self._connection.callback(self._queue.close)
        probe = Probe(self._cache.location, uuid4().hex)
        probe.write()
        self._connection.callback(probe.remove)
        gpu = resolve_device(self._device).type == "cuda"
        self._workers = ClusterWorkers(client, probe, self._mixed, gpu)
        self._workers.settle()

    def _check_connection(self) -> None:
        """Connect where there is no connection; OSError when the scheduler is out of reach."""
        if self._client is None:
            self._connect_again()
        elif self._client.status != "running":
            raise ConnectionError(UNREACHABLE)

    def _connect_again(self) -> None:
        if self._gone_since is None:
            self._connect()
            return
        try:
            self._connect()
        except ClusterError as error:
            if error.code != "no-scheduler" or time.monotonic() - self._gone_since > PATIENCE:
                raise
            self._connection.close()
            self._client = None
            raise ConnectionError(UNREACHABLE) from error
        self._gone_since = None

    def _disconnected(self, error: Exception) -> Iterator[tuple[str, Message]]:
        """Lose all trials, and wait for the scheduler from here on."""
        if self._gone_since is None:
            self._gone_since = time.monotonic()
            logging.getLogger(__name__).debug("%r", error)
            warnings.warn(
                f"the scheduler at {shown(self._address or '')} is out of reach; waiting up to "
                f"{PATIENCE / 60:.0f} minutes for it to come back",
                stacklevel=2,
            )
        lost, self._running = list(self._running.values()), {}
        with suppress(Exception):
            self._connection.close()
        self._client, self._queue, self._workers = None, None, None
        for submission in lost:
            yield submission.key, LostMessage(UNREACHABLE, counts=False)

    def __enter__(self) -> Self:
        check_installed()
        self._resources.enter_context(quiet())
        if self._scheduler is not None:
            try:
                self._connect()
            except BaseException:
                self.__exit__(None, None, None)
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for name in list(self._running):
            self._forget(name)
        with suppress(OSError, TimeoutError):
            self._connection.close()
        self._client, self._queue, self._workers = None, None, None
        self._resources.close()


def _close(client: "Client") -> None:
    with suppress(Exception):  # it may have lost its scheduler
        client.close(timeout=2)
