"""Workers that die, pools that break: no trial is waited for in vain."""

import os
import signal
import struct
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import psutil

from nextlabel.engine.events import RoundDone, TrialDone, TrialFailed
from nextlabel.engine.run import run
from nextlabel.store.store import Store


def test_a_worker_that_is_killed_costs_its_trial_a_second_try(tiny, tmp_path, workers):
    experiment = tiny(training__epochs={"initial": 8, "step": 0}, seeds=[0])
    killed = 0
    with Store.open(tmp_path / "store.db") as store:
        events = []
        for event in run(experiment, store, cache_dir=tmp_path / "cache"):
            events.append(event)
            if isinstance(event, RoundDone) and not killed:
                for worker in workers():
                    worker.kill()
                    killed += 1
        assert killed == 1
        assert [s.status for s in store.trials("tiny")] == ["done"] * 3
        assert not any(isinstance(e, TrialFailed) for e in events)


def test_a_trial_that_cannot_reach_a_worker_fails_and_is_not_waited_for(
    tiny, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        "nextlabel.engine.driver.work", lambda *arguments: None
    )  # cannot be pickled
    with Store.open(tmp_path / "store.db") as store:
        events = list(run(tiny(seeds=[0]), store, cache_dir=tmp_path / "cache", jobs=3))
        assert sum(isinstance(e, TrialFailed) for e in events) == 3
        assert {s.status for s in store.trials("tiny")} == {"failed"}


def torn(trial, history, data_dir, cache_dir, outbox):
    """Die in the middle of the first message, as a worker may that runs out of memory."""
    os.write(outbox.fileno(), struct.pack("!i", 100_000) + b"the beginning")
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_dies_while_writing_holds_up_nobody(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("nextlabel.engine.driver.work", torn)
    with Store.open(tmp_path / "store.db") as store:
        events = list(run(tiny(seeds=[0]), store, cache_dir=tmp_path / "cache", jobs=2))
        failed = [e for e in events if isinstance(e, TrialFailed)]
        assert len(failed) == 3 and all("its worker process died" in e.error for e in failed)
        assert {s.status for s in store.trials("tiny")} == {"failed"}


class Fatal:
    """In place of `work`: kills the worker that reads it, before that has its end of the pipe."""

    def __reduce__(self):
        return die, ()


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_dies_before_it_takes_its_trial_holds_up_nobody(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("nextlabel.engine.driver.work", Fatal())
    arm = {"name": "random", "strategy": "random"}
    experiment = tiny(seeds=[0, 1], arms=[arm], primary=None)
    open_files = []
    with Store.open(tmp_path / "store.db") as store:
        for _ in range(2):
            events = list(run(experiment, store, cache_dir=tmp_path / "cache", jobs=2))
            failed = [e for e in events if isinstance(e, TrialFailed)]
            assert len(failed) == 2 and all("its worker process died" in e.error for e in failed)
            open_files.append(psutil.Process().num_fds())
    assert open_files[1] == open_files[0]  # multiprocessing keeps a copy of each end


def test_a_pool_that_breaks_before_a_trial_is_given_to_it_is_replaced(tiny, tmp_path, monkeypatch):
    refused = []

    def refuse_once(pool, *arguments):
        if not refused:
            refused.append(pool)
            raise BrokenProcessPool("a worker died while it waited")
        return submit(pool, *arguments)

    submit = ProcessPoolExecutor.submit
    monkeypatch.setattr(ProcessPoolExecutor, "submit", refuse_once)
    with Store.open(tmp_path / "store.db") as store:
        events = list(run(tiny(seeds=[0], target=20), store, cache_dir=tmp_path / "cache"))
        assert sum(isinstance(e, TrialDone) for e in events) == 3 and refused


def test_a_pool_that_is_always_broken_ends(tiny, tmp_path, monkeypatch):
    def refuse(*arguments):
        raise BrokenProcessPool("no worker starts")

    monkeypatch.setattr(ProcessPoolExecutor, "submit", refuse)
    with Store.open(tmp_path / "store.db") as store:
        events = list(run(tiny(seeds=[0]), store, cache_dir=tmp_path / "cache"))
        assert sum(isinstance(e, TrialFailed) for e in events) == 3
