import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil

from nextlabel.core.errors import StoreError, UsageError
from nextlabel.engine.events import (
    ExperimentReady,
    RoundDone,
    TrialDone,
    TrialFailed,
    TrialStarted,
    TrialWarned,
)
from nextlabel.engine.plan import plan
from nextlabel.engine.run import run
from nextlabel.store.store import Store
from refusals import refused

DRIVER = """
import sys
from pathlib import Path
from nextlabel.engine.events import RoundDone
from nextlabel.engine.run import run
from nextlabel.experiment.parse import load_experiment
from nextlabel.engine.executors.process_pool import share_imports
from nextlabel.store.store import Store

if __name__ == "__main__":
    share_imports()
    with Store.open(sys.argv[2]) as store:
        for event in run(
            load_experiment(sys.argv[1]), store, cache_dir=Path(sys.argv[3]), jobs=2
        ):
            print(type(event).__name__, flush=True)
"""


def rows(path, experiment="tiny"):
    with Store.open(path, create=False) as store:
        return {
            (s.record.arm, s.record.seed): [r.identity for r in store.history(s.record.key)]
            for s in store.trials(experiment)
        }


def test_some_arms_run_alone_and_the_others_later(tiny, tmp_path):
    experiment = tiny(target=40)
    names = [arm.name for arm in experiment.arms]
    with Store.open(tmp_path / "store.db") as store:
        ahead = plan(experiment, store, cache_dir=tmp_path / "cache", arms=["core-set"])
        assert (ahead.trials, ahead.pending) == (2, 2)
        for arms, before in ((["core-set"], set()), (None, {"core-set"})):
            events = list(run(experiment, store, cache_dir=tmp_path / "cache", jobs=2, arms=arms))
            began = {e.arm for e in events if isinstance(e, TrialStarted)}
            assert began == set(arms or names) - before
        assert {s.status for s in store.trials("tiny")} == {"done"}
        with refused(
            UsageError, "unknown-arm", match="there is no arm 'coreset'; did you mean 'core-set'"
        ):
            next(run(experiment, store, arms=["coreset"]))


def test_a_grid_runs_and_the_same_again_runs_nothing(tiny, tmp_path):
    experiment = tiny(target=60)
    with Store.open(tmp_path / "store.db") as store:
        events = list(run(experiment, store, cache_dir=tmp_path / "cache", jobs=2))
        assert events[0] == ExperimentReady(6, 6)
        assert sum(isinstance(e, TrialStarted) for e in events) == 6
        assert sum(isinstance(e, TrialDone) for e in events) == 6
        assert sum(isinstance(e, RoundDone) for e in events) == 6 * 3
        states = store.trials("tiny")
        assert [s.status for s in states] == ["done"] * 6
        assert [(s.record.arm, s.record.seed) for s in states][:3] == [
            ("random", 0),
            ("random", 1),
            ("core-set", 0),
        ]
        environment = states[-1].environment
        assert environment["weights"] == "random"
        assert {"processor", "instructions", "packages", "commit", "sources"} <= set(environment)
        by_seed = {
            seed: {s.initial_hash for s in states if s.record.seed == seed} for seed in (0, 1)
        }
        assert all(len(hashes) == 1 for hashes in by_seed.values())
        assert by_seed[0] != by_seed[1]
        key = states[-1].record.key
        assert len(store.block_logs(key)["vae"]) == 1
        kinds = {p.kind for p in store.pictures(key)}
        assert {"picked", "reconstructions", "traversal"} <= kinds
        again = list(run(experiment, store, cache_dir=tmp_path / "cache", jobs=2))
        assert again == [ExperimentReady(6, 0)]
        before = rows(tmp_path / "store.db")
        more = list(run(tiny(target=80), store, cache_dir=tmp_path / "cache", jobs=2))
        assert sum(isinstance(e, RoundDone) for e in more) == 6
        after = rows(tmp_path / "store.db")
        assert all(after[trial][:3] == known for trial, known in before.items())


def test_killed_at_any_moment_it_ends_in_the_same_rows(tiny, tmp_path):
    experiment = tiny(training__epochs={"initial": 8, "step": 0}, seeds=[0])
    (tmp_path / "tiny.toml").write_text(experiment.to_toml())
    (tmp_path / "driver.py").write_text(DRIVER)

    def start(store, cache):
        return subprocess.Popen(
            [sys.executable, tmp_path / "driver.py", tmp_path / "tiny.toml", store, cache],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    calm = start(tmp_path / "calm.db", tmp_path / "calm")
    calm.communicate(timeout=300)
    assert calm.returncode == 0
    expected = rows(tmp_path / "calm.db")
    assert [len(r) for r in expected.values()] == [4] * 3

    kills = 0
    for rounds_before_the_kill in (1, 5):
        driver = start(tmp_path / "torn.db", tmp_path / "torn")
        seen = 0
        for line in driver.stdout:
            seen += line.startswith("RoundDone")
            if seen == rounds_before_the_kill:
                time.sleep(0.05 * kills)
                os.kill(driver.pid, signal.SIGKILL)
                kills += 1
                break
        driver.wait(timeout=60)
        driver.stdout.close()
        assert driver.returncode == -signal.SIGKILL
        wait_for_no_workers(driver.pid)
    last = start(tmp_path / "torn.db", tmp_path / "torn")
    last.communicate(timeout=300)
    assert last.returncode == 0 and kills == 2
    assert rows(tmp_path / "torn.db") == expected


def wait_for_no_workers(session):
    """Wait until no process of the killed driver's session is left: workers die with it."""
    deadline = time.time() + 20
    while time.time() < deadline:
        left = []
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == session and process.status() != "zombie":
                    left.append(process)
            except (ProcessLookupError, psutil.NoSuchProcess):
                continue
        if not left:
            return
        time.sleep(0.1)
    raise AssertionError(f"workers outlived their driver: {left}")


def broken_arm(tmp_path):
    """An arm whose embedding file has a row too few, which is found out only when it runs."""

    path = tmp_path / "short.npy"
    np.save(path, np.zeros((149, 2)))
    return {"name": "broken", "strategy": "core_set", "features": {str(path): 1.0}}


def test_one_failed_trial_does_not_stop_the_grid(tiny, tmp_path):
    arms = [broken_arm(tmp_path), {"name": "random", "strategy": "random"}]
    experiment = tiny(arms=arms, primary=None, seeds=[0])
    with Store.open(tmp_path / "store.db") as store:
        events = list(run(experiment, store, cache_dir=tmp_path / "cache"))
        (failed,) = [e for e in events if isinstance(e, TrialFailed)]
        assert failed.arm == "broken" and "has 149 rows" in failed.error
        states = {s.record.arm: s for s in store.trials("tiny")}
        assert states["random"].status == "done"
        assert states["broken"].status == "failed" and "149 rows" in states["broken"].error
        fast = list(run(experiment, store, cache_dir=tmp_path / "cache", fail_fast=True))
        assert isinstance(fast[-1], TrialFailed)


def test_fail_fast_stops_at_once(tiny, tmp_path):
    arms = [broken_arm(tmp_path), {"name": "random", "strategy": "random"}]
    with Store.open(tmp_path / "store.db") as store:
        events = list(
            run(
                tiny(arms=arms, primary=None, seeds=[0]),
                store,
                cache_dir=tmp_path / "cache",
                fail_fast=True,
            )
        )
        assert isinstance(events[-1], TrialFailed)
        assert not any(isinstance(e, RoundDone) for e in events)


def test_leaving_early_ends_the_workers_and_keeps_the_rounds(tiny, tmp_path, workers):
    with Store.open(tmp_path / "store.db") as store:
        events = run(tiny(), store, cache_dir=tmp_path / "cache", jobs=2)
        for event in events:
            if isinstance(event, RoundDone):
                break
        assert workers()
        events.close()
        assert not workers()
        assert sum(s.rounds for s in store.trials("tiny")) >= 1


def test_two_runs_do_not_share_a_store(tiny, tmp_path):
    with Store.open(tmp_path / "store.db") as store:
        events = run(tiny(), store, cache_dir=tmp_path / "cache")
        next(events)
        with refused(StoreError, "store-in-use"):
            next(run(tiny(), store, cache_dir=tmp_path / "cache"))
        events.close()


def test_zero_jobs_are_refused(tiny, tmp_path):
    with (
        Store.open(tmp_path / "store.db") as store,
        refused(UsageError, "too-few-jobs"),
    ):
        next(run(tiny(), store, jobs=0))


def test_how_the_data_were_read_is_in_the_record(tiny, tmp_path):

    images = np.random.default_rng(0).integers(100, 4000, (40, 8, 8)).astype(np.uint16)
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(40) % 2)
    experiment = tiny(
        data={"name": "arrays", "path": str(tmp_path / "a.npz")},
        initial=5,
        target=5,
        seeds=[0],
        arms=[{"name": "random", "strategy": "random"}],
        primary=None,
    )
    with Store.open(tmp_path / "store.db") as store:
        list(run(experiment, store, cache_dir=tmp_path / "cache"))
        (state,) = store.trials("tiny")
    assert list(state.environment["notes"]) == ["16-bit range"]
    assert state.environment["notes"]["16-bit range"].endswith("in 40 images (p0.1-p99.9)")
    assert list(state.environment["sources"]) == ["a.npz"]


def test_a_target_between_stored_rounds_is_refused_before_anything_changes(tiny, tmp_path):
    arms = [{"name": "random", "strategy": "random"}]
    change = {"arms": arms, "primary": None, "seeds": [0]}
    with Store.open(tmp_path / "store.db") as store:
        list(run(tiny(**change, target=60), store, cache_dir=tmp_path / "cache"))
        before = store.experiment("tiny")
        with refused(
            UsageError,
            "target-between-rounds",
            match=r"would have 50 labels in round 2, .* 60 there; give target 60",
        ):
            next(run(tiny(**change, target=50), store, cache_dir=tmp_path / "cache"))
        assert store.experiment("tiny") == before
        (lower,) = run(tiny(**change, target=40), store, cache_dir=tmp_path / "cache")
        assert lower == ExperimentReady(1, 0)
        list(run(tiny(**change, target=70), store, cache_dir=tmp_path / "cache"))
        with refused(UsageError, "target-between-rounds"):
            next(run(tiny(**change, target=90), store, cache_dir=tmp_path / "cache"))


def test_arms_of_a_seed_that_start_from_other_weights_are_refused(tiny, tmp_path, monkeypatch):
    with Store.open(tmp_path / "store.db") as store:
        events = list(run(tiny(seeds=[0], target=60), store, cache_dir=tmp_path / "cache"))
        hashes = {s.environment["initial_weights"] for s in store.trials("tiny")}
        assert len(hashes) == 1 and isinstance(events[-1], TrialDone)
        for state in store.trials("tiny")[:1]:
            store.begin(state.record.key, state.environment | {"initial_weights": "other"})
        with refused(StoreError, "initial-weights-differ"):
            list(run(tiny(seeds=[0], target=80), store, cache_dir=tmp_path / "cache"))


def test_a_warning_is_an_event_once(tiny, tmp_path):

    np.save(tmp_path / "flat.npy", np.zeros((150, 2)))
    arms = [
        {"name": n, "strategy": "core_set", "features": {str(tmp_path / "flat.npy"): 1.0}}
        for n in "ab"
    ]
    with Store.open(tmp_path / "store.db") as store:
        experiment = tiny(arms=arms, primary=None, seeds=[0])
        events = list(run(experiment, store, cache_dir=tmp_path / "cache"))
        words = [e.warning for e in events if isinstance(e, TrialWarned)]
        assert len(words) == len(set(words)) >= 1
        assert any("same" in w for w in words)
        first = store.history(store.trials("tiny")[0].record.key)
        left = np.setdiff1d(np.arange(150), first[0].chosen)
        assert first[1].chosen.tolist() == left[:20].tolist()
