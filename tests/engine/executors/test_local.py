"""Workers that die and pools that break: the run does not wait for them."""

import os
import signal
import struct
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import psutil
import pytest

from nextlabel.engine.events import RoundDone, TrialDone, TrialFailed
from nextlabel.engine.executors.local import LocalExecutor
from nextlabel.engine.run import run
from nextlabel.store.store import Store

RANDOM = {"arms": [{"name": "random", "strategy": "random"}], "primary": None}


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "store.db") as opened:
        yield opened


@pytest.fixture
def run_with(tmp_path, store):
    """Run an experiment on a local executor with the given options; return the events."""

    def make(experiment, **options):
        executor = LocalExecutor(cache_dir=tmp_path / "cache", **options)
        return list(run(experiment, store, cache_dir=tmp_path / "cache", executor=executor))

    return make


def failures(events):
    return [event for event in events if isinstance(event, TrialFailed)]


def test_a_worker_that_is_killed_costs_its_trial_a_second_try(tiny, tmp_path, store, workers):
    experiment = tiny(training__epochs={"initial": 8, "step": 0}, seeds=[0])
    killed, events = 0, []
    for event in run(experiment, store, cache_dir=tmp_path / "cache"):
        events.append(event)
        if isinstance(event, RoundDone) and not killed:
            for worker in workers():
                worker.kill()
                killed += 1
    assert killed == 1
    assert [state.status for state in store.trials("tiny")] == ["done"] * 3
    assert not failures(events)
    rounds = [(event.arm, event.round.number) for event in events if isinstance(event, RoundDone)]
    assert len(rounds) == len(set(rounds))  # no stored round is run again


def test_a_trial_that_cannot_reach_a_worker_fails(tiny, run_with, store):
    events = run_with(tiny(seeds=[0]), jobs=3, work=lambda *arguments: None)  # cannot be pickled
    assert len(failures(events)) == 3
    assert {state.status for state in store.trials("tiny")} == {"failed"}


def torn(assignment, emit):
    """Die in the middle of the first message, as a worker may that runs out of memory."""
    os.write(emit.__self__.fileno(), struct.pack("!i", 100_000) + b"the beginning")
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_dies_while_it_writes_is_lost(tiny, run_with, store):
    events = run_with(tiny(seeds=[0]), jobs=2, work=torn)
    assert len(failures(events)) == 3
    assert all("its worker process died" in event.error for event in failures(events))
    assert {state.status for state in store.trials("tiny")} == {"failed"}


class Fatal:
    """A function that kills the worker that unpickles it, before it receives its pipe."""

    def __reduce__(self):
        return die, ()

    def __call__(self, *arguments):
        raise AssertionError("it is never called")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_dies_before_it_has_its_trial_leaves_no_pipe_open(tiny, run_with):
    open_files = []
    for _ in range(2):
        events = run_with(tiny(seeds=[0, 1], **RANDOM), jobs=2, work=Fatal())
        assert len(failures(events)) == 2
        open_files.append(psutil.Process().num_fds())
    assert open_files[1] == open_files[0]  # multiprocessing keeps a copy of each end


def test_a_pool_that_breaks_before_a_trial_is_given_to_it_is_replaced(tiny, run_with, monkeypatch):
    refused = []

    def refuse_once(pool, *arguments):
        if not refused:
            refused.append(pool)
            raise BrokenProcessPool("a worker died while it waited")
        return submit(pool, *arguments)

    submit = ProcessPoolExecutor.submit
    monkeypatch.setattr(ProcessPoolExecutor, "submit", refuse_once)
    events = run_with(tiny(seeds=[0], target=20))
    assert sum(isinstance(event, TrialDone) for event in events) == 3 and refused


def test_a_pool_that_is_always_broken_ends(tiny, run_with, monkeypatch):
    def refuse(*arguments):
        raise BrokenProcessPool("no worker starts")

    monkeypatch.setattr(ProcessPoolExecutor, "submit", refuse)
    assert len(failures(run_with(tiny(seeds=[0])))) == 3
