"""Driving trials: submit them to an executor, and write what they send to the store."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from nextlabel.core.errors import StoreError
from nextlabel.core.round import Round
from nextlabel.engine.claimant import Claimant
from nextlabel.engine.events import (
    Event,
    RoundDone,
    TrialDone,
    TrialFailed,
    TrialPlaced,
    TrialStarted,
    TrialWarned,
    WaitingForOthers,
)
from nextlabel.engine.executor import Executor
from nextlabel.engine.messages import (
    BlockMessage,
    DoneMessage,
    EnvironmentMessage,
    FailedMessage,
    LastMessage,
    LostMessage,
    Message,
    PicksMessage,
    PlacedMessage,
    RoundMessage,
    WarningMessage,
)
from nextlabel.store.store import Store, initial_hash
from nextlabel.trial.spec import TrialSpec

TAKEN = ("round-out-of-order", "row-exists")
"""Codes of the store when another driver has written the same round."""

POLL = 0.2
"""Seconds to wait for messages; a lost worker is found after that time at the latest."""


@dataclass(eq=False)
class Driver:
    """Runs trials on an executor; the only writer of their rounds.

    In a store that several drivers share, it runs the trials that it can claim, and waits for those
    of the others: it takes them over when their claims lapse.

    Parameters
    ----------
    store : Store
        The store of the rounds.
    planned : mapping of str to TrialSpec
        All trials by key.
    waiting : list of str
        The keys of the trials to run, in this order.
    origin : mapping
        Facts about the data that are stored with the environment of each trial.
    executor : Executor
        An entered executor.
    claimant : Claimant
        An entered claimant of trials.
    fail_fast : bool
        Whether to stop at the first trial that fails.
    """

    store: Store
    planned: Mapping[str, TrialSpec]
    waiting: list[str]
    origin: Mapping[str, Any]
    executor: Executor
    claimant: Claimant
    fail_fast: bool = False
    _environments: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """The environment of each running trial, empty until it is received."""
    _lost_once: set[str] = field(default_factory=set)
    """Trials that were lost since their last stored round."""
    _warnings: set[str] = field(default_factory=set)
    _waiting_for: tuple[str, ...] = ()

    def events(self) -> Iterator[Event]:
        """Yield events until all trials have ended, or until one failed with `fail_fast`."""
        while self.waiting or self._environments:
            while self.waiting and self.executor.ready:
                key = self.claimant.take(self.waiting, lambda key: self.planned[key].seed)
                if key is None:
                    break
                self.waiting.remove(key)
                yield self._submit(key)
            if not self._environments and self.waiting and self.claimant.others:
                if self._waiting_for != self.claimant.others:
                    self._waiting_for = self.claimant.others
                    yield WaitingForOthers(len(self.waiting), self._waiting_for)
                time.sleep(POLL)
            for key, message in self.executor.receive(POLL):
                for event in self._take(key, message):
                    yield event
                    if self.fail_fast and isinstance(event, TrialFailed):
                        return

    def _submit(self, key: str) -> TrialStarted | TrialDone | TrialFailed:
        """Start a trial, unless another driver has ended it since this one began."""
        trial, history = self.planned[key], self.store.history(key)
        name = trial.arm.name, trial.seed, key
        if len(history) >= trial.rounds:
            self.claimant.release(key)
            return TrialDone(*name)
        error = self.store.claims.failure(key) if key in self.claimant.elsewhere else None
        if error is not None:
            self.claimant.release(key)
            return TrialFailed(*name, error)
        self._environments[key] = {}
        self.executor.submit(key, trial, history)
        return TrialStarted(*name, len(history), trial.rounds)

    def _take(self, key: str, message: Message) -> Iterator[Event]:
        """Write a message to the store and yield its event, if it has one.

        Messages of a trial that another driver has claimed meanwhile are dropped.
        """
        if self.claimant.holds(key):
            try:
                yield from self._write(key, message)
            except StoreError as error:
                if error.code not in TAKEN or not self.claimant.lost(key):
                    raise
        elif isinstance(message, get_args(LastMessage)):
            del self._environments[key]
            self.waiting.append(key)
        if key not in self._environments:
            self.claimant.release(key)

    def _write(self, key: str, message: Message) -> Iterator[Event]:
        trial, store = self.planned[key], self.store
        name = trial.arm.name, trial.seed, key
        match message:
            case PlacedMessage(worker):
                yield TrialPlaced(*name, worker)
            case EnvironmentMessage(environment):
                self._environments[key] = {**environment, **self.origin}
                self._begin(key)
            case WarningMessage(warning):
                if warning not in self._warnings:
                    self._warnings.add(warning)
                    yield TrialWarned(*name, warning)
            case BlockMessage(block, log, pictures):
                store.log_block(key, block, log, pictures)
            case PicksMessage(ids):
                store.keep_next_picks(key, ids)
            case RoundMessage(round, pictures):
                if round.number == 0:
                    self._begin_round_0(key, round)
                store.append(key, round, pictures)
                self._lost_once.discard(key)
                yield RoundDone(*name, round, trial.rounds)
            case DoneMessage():
                del self._environments[key]
                store.finish(key)
                yield TrialDone(*name)
            case FailedMessage(error, traceback):
                del self._environments[key]
                store.fail(key, error, traceback)
                yield TrialFailed(*name, error)
            case LostMessage(reason, counts):
                del self._environments[key]
                if not counts or key not in self._lost_once:
                    # The worker may have died for another trial, so that this one is tried again.
                    if counts:
                        self._lost_once.add(key)
                    self.waiting.append(key)
                else:
                    store.fail(key, reason)
                    yield TrialFailed(*name, reason)

    def _begin(self, key: str) -> None:
        """Store that the trial runs, and where."""
        environment, rounds = self._environments[key], self.store.history(key)
        check_weights(self.store, key, self.planned[key], environment)
        self.store.begin(key, environment, initial_hash(rounds[0].chosen) if rounds else None)

    def _begin_round_0(self, key: str, round: Round) -> None:
        """Store the origin of the initial weights, which round 0 reports, with the environment."""
        environment = {**self._environments[key], "weights": round.training.weights}
        self.store.begin(key, environment, initial_hash(round.chosen))


def check_weights(store: Store, key: str, trial: TrialSpec, environment: Mapping[str, Any]) -> None:
    """Raise StoreError unless all arms of a seed start from the same weights."""
    states = store.trials(trial.experiment.name, trial.seed)
    (model,) = [state.record.spec["model"] for state in states if state.record.key == key]
    for state in states:
        weights = state.environment.get("initial_weights")
        if state.record.spec["model"] == model and weights not in (
            None,
            environment["initial_weights"],
        ):
            raise StoreError(
                f"arm {trial.arm.name!r} starts from other weights than {state.record.arm!r} with "
                f"seed {state.record.seed}; pairs must start alike, so give another --store",
                code="initial-weights-differ",
            )
