"""Trials waiting for workers, and what the workers send: the only one who writes rounds."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from nextlabel.core.errors import StoreError
from nextlabel.core.round import Round
from nextlabel.engine.events import (
    Event,
    RoundDone,
    TrialDone,
    TrialFailed,
    TrialStarted,
    TrialWarned,
)
from nextlabel.engine.executors.local import drop_untaken, process_pool
from nextlabel.engine.worker import Message, work
from nextlabel.features.cache import Cache
from nextlabel.store.store import Store, initial_hash
from nextlabel.trial.spec import TrialSpec

POLL = 0.2
LOST = "its worker process died (killed, or out of memory); lower --jobs and run again"


@dataclass(eq=False)
class Running:
    """A trial in a worker; `inbox` and `outbox` are the ends of its pipe, `rounds` are stored."""

    trial: TrialSpec
    key: str
    rounds: int
    future: Future[None]
    inbox: Connection
    outbox: Connection
    environment: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, int, str]:
        """Arm, seed and key: how events name a trial."""
        return self.trial.arm.name, self.trial.seed, self.key

    @property
    def died(self) -> bool:
        """True when the worker is gone without a last word, and all that it sent has been read."""
        if not self.future.done() or self.future.exception() is None:
            return False
        return self.inbox.closed or not self.inbox.poll()

    def messages(self) -> Iterator[Message]:
        """Yield what has arrived; nothing more once the worker has closed its end or died."""
        try:
            while self.inbox.poll():
                self.outbox.close()  # the worker has its own by now; when that one goes, it is told
                yield self.inbox.recv()
        except (EOFError, OSError):
            self.close()

    def close(self) -> None:
        """Close both ends here."""
        self.inbox.close()
        self.outbox.close()


@dataclass(eq=False)
class Drive:
    """Runs the trials whose keys are `waiting`, `jobs` at a time of `threads` each.

    `origin` is what the record says of the data. `running` are the trials in workers, `lost` those
    that went with a worker once already.
    """

    store: Store
    planned: Mapping[str, TrialSpec]
    waiting: list[str]
    origin: Mapping[str, Any]
    data_dir: Path | None
    cache: Cache
    jobs: int
    threads: int
    fail_fast: bool = False
    running: dict[str, Running] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    def events(self) -> Iterator[Event]:
        """Yield what happens until no trial is left, or one failed with `fail_fast`."""
        said: set[str] = set()
        while self.waiting:
            for event in self._with_one_pool():
                if isinstance(event, TrialWarned):
                    if event.warning in said:
                        continue
                    said.add(event.warning)
                yield event
                if self.fail_fast and isinstance(event, TrialFailed):
                    return

    def _with_one_pool(self) -> Iterator[Event]:
        """Keep workers busy until no trial is left or their pool broke; then it is replaced."""
        broken = False
        try:
            with process_pool(min(self.jobs, len(self.waiting)), self.threads) as pool:
                while (self.waiting and not broken) or self.running:
                    refused: list[str] = []
                    while (
                        self.waiting and not (broken or refused) and len(self.running) < self.jobs
                    ):
                        yield from self._begin(pool, self.waiting.pop(0), refused)
                    yield from self._receive()
                    died = [key for key, trial in self.running.items() if trial.died]
                    broken = broken or bool(refused or died)
                    for key in (*refused, *died):
                        yield from self._lose(key)
        finally:
            for trial in self.running.values():
                trial.close()
            if broken:
                drop_untaken()

    def _begin(self, pool: Executor, key: str, refused: list[str]) -> Iterator[Event]:
        """Give a trial to the pool; to `refused` when it is broken, as another trial may have."""
        trial, history = self.planned[key], self.store.history(key)
        begun = self._submit(pool, trial, key, history)
        if begun is None:
            refused.append(key)
            return
        self.running[key] = begun
        yield TrialStarted(trial.arm.name, trial.seed, key, len(history), trial.rounds)

    def _submit(
        self, pool: Executor, trial: TrialSpec, key: str, history: Sequence[Round]
    ) -> Running | None:
        inbox, outbox = Pipe(duplex=False)
        try:
            future = pool.submit(work, trial, history, self.data_dir, self.cache.folder, outbox)
        except (BrokenExecutor, EOFError, OSError):
            inbox.close()
            outbox.close()
            return None
        return Running(trial, key, len(history), future, inbox, outbox)

    def _lose(self, key: str) -> Iterator[Event]:
        """Let a trial that went with its worker wait for another try, or fail it the second time.

        A pool breaks as a whole: who was only a neighbour deserves that other try.
        """
        if key in self.running:
            self.running.pop(key).close()
        if key not in self.lost:
            self.lost.add(key)
            self.waiting.append(key)
            return
        self.store.fail(key, LOST)
        yield TrialFailed(self.planned[key].arm.name, self.planned[key].seed, key, LOST)

    def _receive(self) -> Iterator[Event]:
        """Write what the workers have sent, and say so; wait a moment if there is nothing."""
        inboxes = [trial.inbox for trial in self.running.values() if not trial.inbox.closed]
        if not wait(inboxes, POLL):
            return
        for trial in list(self.running.values()):
            if not trial.inbox.closed:
                for message in trial.messages():
                    yield from self._write(trial, message)

    def _write(self, trial: Running, message: Message) -> Iterator[Event]:
        store = self.store
        if message.environment is not None:
            known = store.history(trial.key)
            first = initial_hash(known[0].chosen) if known else None
            trial.environment = {**message.environment, **self.origin}
            _check_weights(store, trial)
            store.begin(trial.key, trial.environment, first)
        elif message.warning is not None:
            yield TrialWarned(*trial.place, message.warning)
        elif message.block is not None:
            store.log_block(trial.key, message.block, message.log, message.pictures or {})
        elif message.next_picks is not None:
            store.keep_next_picks(trial.key, message.next_picks)
        elif message.round is not None:
            found = message.round
            if found.number == 0:
                weights = {"weights": found.training.weights}
                store.begin(trial.key, trial.environment | weights, initial_hash(found.chosen))
            store.append(trial.key, found, message.pictures or {})
            trial.rounds += 1
            yield RoundDone(*trial.place, found, trial.trial.rounds)
        else:
            del self.running[trial.key]
            trial.close()
            if message.done:
                store.finish(trial.key)
                yield TrialDone(*trial.place)
            else:
                error = message.error or "unknown error"
                store.fail(trial.key, error, message.traceback)
                yield TrialFailed(*trial.place, error)


def _check_weights(store: Store, trial: Running) -> None:
    """Raise StoreError unless all arms of a seed start from the same weights, as promised."""
    states = store.trials(trial.trial.experiment.name)
    (own,) = [s.record.spec["model"] for s in states if s.record.key == trial.key]
    for other in states:
        theirs = other.environment.get("initial_weights")
        alike = other.record.seed == trial.trial.seed and other.record.spec["model"] == own
        if alike and theirs not in (None, trial.environment["initial_weights"]):
            raise StoreError(
                f"arm {trial.trial.arm.name!r} starts from other weights than "
                f"{other.record.arm!r} with seed {other.record.seed}; pairs must start alike, so "
                "give another --store"
            )
