"""The driver on an executor that trains nothing: a whole run, lost workers, failures."""

from dataclasses import replace

import pytest

from fake_trials import FakeTrials, fake_round
from nextlabel.core.errors import StoreError
from nextlabel.engine.events import (
    ExperimentReady,
    RoundDone,
    TrialDone,
    TrialFailed,
    TrialStarted,
    TrialWarned,
)
from nextlabel.engine.executors.in_process import InProcessExecutor
from nextlabel.engine.messages import (
    EnvironmentMessage,
    FailedMessage,
    LostMessage,
    RoundMessage,
)
from nextlabel.engine.run import run
from nextlabel.store.store import Store


@pytest.fixture
def drive(tiny, tmp_path):
    """Run an experiment of two arms on fake trials, and return the events and the store."""
    arms = [{"name": name, "strategy": "random"} for name in ("first", "second")]
    stores = []

    def make(trials, target=60, **options):
        executor = InProcessExecutor(cache_dir=tmp_path / "cache", run_trial=trials)
        experiment = tiny(arms=arms, primary=None, seeds=[0], target=target)
        store = Store.open(tmp_path / "store.db")
        stores.append(store)
        options = {"cache_dir": tmp_path / "cache", "executor": executor, **options}
        return run(experiment, store, **options), store

    yield make
    for store in stores:
        store.close()


def numbers(events):
    return [(event.arm, event.round.number) for event in events if isinstance(event, RoundDone)]


def test_a_trial_that_begins_reads_the_trials_of_its_seed_alone(drive, monkeypatch):
    events, store = drive(FakeTrials())
    assert isinstance(next(events), ExperimentReady)
    seeds, read = [], store.trials
    monkeypatch.setattr(store, "trials", lambda *of: (seeds.append(of[1:]), read(*of))[1])
    list(events)
    assert seeds and set(seeds) == {(0,)}


def test_a_whole_run_goes_from_messages_to_the_store(drive):
    events, store = drive(FakeTrials())
    events = list(events)
    kinds = [type(event) for event in events]
    rounds = [TrialStarted, RoundDone, RoundDone, RoundDone]
    assert kinds == [ExperimentReady, *rounds, TrialWarned, TrialDone, *rounds, TrialDone]
    for state in store.trials("tiny"):
        key = state.record.key
        assert (state.status, state.rounds, state.labelled_count) == ("done", 3, 60)
        assert [round.chosen[0] for round in store.history(key)] == [0, 20, 40]
        assert state.environment["processor"] == "none"
        assert state.environment["weights"] == "random" and "sources" in state.environment
        assert store.block_logs(key) == {"vae": [{"loss": 1.0}]}
        assert store.next_picks(key).tolist() == [1, 2]
        assert [picture.kind for picture in store.pictures(key)] == ["picked"] * 3


def test_a_lost_trial_continues_from_its_last_stored_round(drive):
    trials = FakeTrials({("first", 0): [(2, LostMessage("the worker left"))]})
    events, store = drive(trials)
    events = list(events)
    assert trials.histories == [("first", 0, 0), ("second", 0, 0), ("first", 0, 2)]
    assert numbers(events) == [
        ("first", 0), ("first", 1), ("second", 0), ("second", 1), ("second", 2), ("first", 2),
    ]  # fmt: skip
    assert [state.status for state in store.trials("tiny")] == ["done"] * 2
    assert not any(isinstance(event, TrialFailed) for event in events)


def test_a_trial_that_is_lost_twice_fails_with_the_reason(drive):
    lost = LostMessage("the worker left")
    events, store = drive(FakeTrials({("first", 0): [(0, lost), (0, lost)]}))
    failed = [event for event in events if isinstance(event, TrialFailed)]
    assert [(event.arm, event.error) for event in failed] == [("first", "the worker left")]
    first, second = store.trials("tiny")
    assert (first.status, first.error) == ("failed", "the worker left")
    assert second.status == "done"


def test_a_failed_trial_keeps_its_rounds_and_the_others_run(drive):
    failure = FailedMessage("the loss is not finite", "Traceback …")
    events, store = drive(FakeTrials({("first", 0): [(1, failure)]}))
    assert sum(isinstance(event, TrialFailed) for event in events) == 1
    first, second = store.trials("tiny")
    assert (first.status, first.rounds, first.error) == ("failed", 1, "the loss is not finite")
    assert second.status == "done"
    trials = FakeTrials()
    again, _ = drive(trials)
    assert next(again) == ExperimentReady(2, 1)
    list(again)
    assert trials.histories == [("first", 0, 1)]


def test_fail_fast_stops_at_the_first_failure(drive):
    trials = FakeTrials({("first", 0): [(0, FailedMessage("broken"))]})
    events, _ = drive(trials, fail_fast=True)
    assert isinstance(list(events)[-1], TrialFailed)
    assert trials.histories == [("first", 0, 0)]


def test_an_interrupted_driver_leaves_the_trial_to_the_next_run(drive):
    events, store = drive(FakeTrials())
    for event in events:
        if isinstance(event, RoundDone) and event.round.number == 1:
            break
    events.close()
    assert [state.rounds for state in store.trials("tiny")] == [2, 0]
    trials = FakeTrials()
    again, store = drive(trials)
    list(again)
    assert trials.histories == [("first", 0, 2), ("second", 0, 0)]
    assert [state.rounds for state in store.trials("tiny")] == [3, 3]


def test_a_run_ends_the_executor_also_when_the_store_refuses(drive):
    def two_rounds_missing(trial, history, data_dir, cache_dir):
        yield EnvironmentMessage({"initial_weights": "same"})
        yield RoundMessage(replace(fake_round(trial, 0), number=2))

    closed = []

    class Executor(InProcessExecutor):
        def __exit__(self, *error):
            closed.append(True)
            super().__exit__(*error)

    events, _ = drive(FakeTrials(), executor=Executor(run_trial=two_rounds_missing))
    with pytest.raises(StoreError):
        list(events)
    assert closed == [True]
