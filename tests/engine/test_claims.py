"""Several drivers on one PostgreSQL store: each trial has one driver at a time."""

import subprocess
import sys
import threading
from contextlib import closing

import pytest

from fake_trials import FakeTrials, fake_round
from nextlabel.engine import claimant as claimants
from nextlabel.engine.claimant import Claimant
from nextlabel.engine.events import (
    ExperimentReady,
    RoundDone,
    TrialDone,
    TrialFailed,
    TrialStarted,
    WaitingForOthers,
)
from nextlabel.engine.executors.in_process import InProcessExecutor
from nextlabel.engine.messages import FailedMessage
from nextlabel.engine.run import run
from nextlabel.store.store import Store
from nextlabel.trial.spec import TrialSpec
from postgresql import postgresql_server, postgresql_url  # noqa: F401 - fixtures

TEXT = {"capture_output": True, "text": True, "check": True}


@pytest.fixture
def drive(tiny, tmp_path, postgresql_url):  # noqa: F811
    """Run the experiment as one more driver of the store; return its events."""
    stores = []

    def make(trials=None, seeds=(0, 1), **options):
        store = Store.open(postgresql_url)
        stores.append(store)
        executor = InProcessExecutor(run_trial=trials or FakeTrials(), cache_dir=tmp_path)
        experiment = tiny(seeds=list(seeds))
        return run(experiment, store, cache_dir=tmp_path, executor=executor, **options)

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def quick(monkeypatch):
    """A driver asks again soon."""
    monkeypatch.setattr(claimants, "PATIENCE", 0.1)


def until(events, kind):
    """Advance to the first event of a kind."""
    return next(event for event in events if isinstance(event, kind))


def names(events, kind):
    return [(event.arm, event.seed) for event in events if isinstance(event, kind)]


def together(*drivers):
    """Run drivers to their ends at the same time; return the events of each."""
    seen = {}

    def exhaust(events):
        seen[events] = list(events)

    threads = [threading.Thread(target=exhaust, args=(events,)) for events in drivers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return seen


def test_two_drivers_share_the_trials_and_write_each_round_once(drive, postgresql_url):  # noqa: F811
    first, second = drive(), drive()
    until(first, TrialStarted)
    until(second, TrialStarted)
    seen = together(first, second)
    both = names(seen[first] + seen[second], RoundDone)
    assert len(both) == 6 * 4 and all(both.count(trial) == 4 for trial in both)
    assert all(len(names(events, RoundDone)) >= 4 for events in seen.values())
    for events in seen.values():  # each follows all trials to their end
        assert len(names(events, TrialDone)) == 6
    with Store.read(postgresql_url) as store:
        assert [(s.status, s.rounds) for s in store.trials("tiny")] == [("done", 4)] * 6
        assert store.claims.read() == {}


def test_a_driver_begins_with_a_seed_that_no_other_one_works_on(drive):
    first, second = drive(), drive()
    assert until(first, TrialStarted).seed == 0
    assert names([until(second, TrialStarted)], TrialStarted) == [("random", 1)]
    for events in together(first, second).values():  # the rest is shared all the same
        assert len(names(events, TrialDone)) == 6


def test_a_driver_that_dies_leaves_its_trial_to_the_others(drive, quick, postgresql_url):  # noqa: F811
    first = drive(seeds=[0])
    started = until(first, TrialStarted)
    until(first, RoundDone)
    with Store.read(postgresql_url) as store:
        driver = store.claims.read()[started.key].driver
    second, events = drive(seeds=[0]), []
    for event in second:
        events.append(event)
        if isinstance(event, WaitingForOthers):
            assert event == WaitingForOthers(1, (driver,))
            lapse(postgresql_url)  # as if the first had been killed a minute ago
    (again,) = [e for e in events if isinstance(e, TrialStarted) and e.key == started.key]
    assert again.rounds_done == 1
    assert len(names(events, TrialDone)) == 3
    # The first one wakes up again, and does not write into what is no longer its own.
    left = list(first)
    assert names(left, RoundDone) == [] and len(names(left, TrialDone)) == 3


def test_a_round_that_another_driver_has_written_stops_nobody(drive, quick, postgresql_url, tiny):  # noqa: F811
    events = drive(seeds=[0])
    started = until(events, TrialStarted)
    until(events, RoundDone)
    lapse(postgresql_url)
    with Store.open(postgresql_url) as store:
        assert store.claims.take([started.key], "other/1/a", 0.2) == started.key
        store.append(started.key, fake_round(TrialSpec.of(tiny(seeds=[0]), "random", 0), 1))
    left = list(events)
    assert names(left, RoundDone).count(("random", 0)) == 2
    assert len(names(left, TrialDone)) == 3 and not names(left, TrialFailed)


def lapse(url):
    """Let all claims end now."""
    import psycopg

    with psycopg.connect(url) as connection:
        connection.execute("UPDATE claims SET until = now()")


def test_a_failure_of_another_driver_is_not_tried_again(drive, quick):
    broken = FakeTrials({("random", 0): [(1, FailedMessage("broken"))]})
    first, second = drive(broken, seeds=[0]), drive(seeds=[0])
    until(first, RoundDone)
    until(second, TrialStarted)  # it has seen the claim on the other's trial
    for events in together(first, second).values():
        assert names(events, TrialFailed) == [("random", 0)]
        assert len(names(events, TrialDone)) >= 1


def test_claims_end_with_the_run(drive, postgresql_url):  # noqa: F811
    with closing(drive()) as events:
        until(events, RoundDone)
        with Store.read(postgresql_url) as store:
            (claim,) = store.claims.read().values()
            assert claim.driver.count("/") == 2 and claim.since < claim.until
    with Store.read(postgresql_url) as store:
        assert store.claims.read() == {}


def test_a_driver_that_died_on_this_machine_is_not_waited_for(drive, postgresql_url):  # noqa: F811
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], **TEXT).stdout
    head, pid, name = Claimant(Store.open(postgresql_url)).driver.rsplit("/", 2)
    dead, alive = f"{head}/{gone.strip()}/{name}", f"{head}/{pid}/{name}"
    elsewhere = f"{head}/{gone.strip()}/00000000-{name}"
    events = drive(seeds=[0])
    next(events)
    with Store.open(postgresql_url) as store:
        keys = [state.record.key for state in store.trials("tiny")]
        for key, driver in zip(keys, (dead, alive, elsewhere), strict=True):
            assert store.claims.take([key], driver, 60.0) == key
        with Claimant(store):
            assert {c.driver for c in store.claims.read().values()} == {alive, elsewhere}


def test_a_store_of_one_writer_has_no_claims(tmp_path, tiny):
    with Store.open(tmp_path / "store.db") as store, Claimant(store) as claimant:
        assert not claimant.shared and claimant.take(["a", "b"], str) == "a" and claimant.holds("b")
        assert store.claims.read() == {}
        executor = InProcessExecutor(run_trial=FakeTrials(), cache_dir=tmp_path)
        events = list(run(tiny(), store, cache_dir=tmp_path, executor=executor))
    assert events[0] == ExperimentReady(6, 6) and len(names(events, TrialDone)) == 6
