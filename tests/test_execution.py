"""An experiment from Python: one call runs it, and one reads its results."""

import numpy as np
import pytest

from nextlabel import load_experiment, read_results, run
from nextlabel.core.errors import NextlabelError, StoreError, UsageError
from nextlabel.engine.events import ExperimentReady, RoundDone, TrialDone
from refusals import refused


def last_rounds(results):
    return [trial.rounds[-1].identity for trial in results.trials]


def test_a_run_gives_events_and_results_and_continues(tiny, tmp_path):
    experiment, store, cache = tiny(target=40), tmp_path / "new" / "store.db", tmp_path / "cache"
    events = []
    results = run(experiment, store, 2, events.append, cache_dir=cache)
    assert isinstance(events[0], ExperimentReady)
    assert sum(isinstance(event, TrialDone) for event in events) == 2 * len(experiment.arms)
    assert results.name == experiment.name
    rounds = sum(isinstance(event, RoundDone) for event in events)
    assert sum(len(trial.rounds) for trial in results.trials) == rounds > 0
    assert list(results.summary()["arm"]) == [arm.name for arm in experiment.arms]
    assert len(results.rounds()) == rounds
    assert set(results.picks().columns) >= {"arm", "seed", "round", "id", "true_class"}
    assert len(results.next_picks()) and results.maps == ()
    events.clear()
    again = run(experiment, str(store), on_event=events.append, cache_dir=str(cache))
    assert [type(event) for event in events] == [ExperimentReady]
    for same in (again, read_results(store), read_results(store.parent)):
        assert last_rounds(same) == last_rounds(results)
    with refused(UsageError, "experiment-not-in-store", match="other"):
        read_results(store, "other")
    with refused(StoreError, "store-missing"):
        read_results(tmp_path / "nowhere.db")


def test_a_file_is_run_with_overrides_below_runs(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(tiny(target=40).to_toml())
    results = run("tiny.toml", overrides=["seeds=[5]"], arms=["random"], cache_dir=tmp_path)
    assert {trial.state.record.seed for trial in results.trials if trial.rounds} == {5}
    assert (tmp_path / "runs" / "tiny" / "store.db").exists()
    with refused(UsageError, "overrides-without-a-file"):
        run(tiny(target=40), overrides=["seeds=[5]"])


def test_a_trial_that_fails_is_an_error_after_the_others_have_run(tiny, tmp_path):
    short = tmp_path / "short.npy"
    np.save(short, np.zeros((149, 2)))
    broken = {"name": "broken", "strategy": "core_set", "features": {str(short): 1.0}}
    arms = [broken, {"name": "random", "strategy": "random"}]
    experiment = tiny(arms=arms, primary=None, seeds=[0], target=40)
    with refused(NextlabelError, "trials-failed", match="'broken' .* has 149 rows"):
        run(experiment, tmp_path / "store.db", cache_dir=tmp_path / "cache")
    trials = read_results(tmp_path / "store.db").trials
    assert {trial.state.record.arm: trial.complete for trial in trials} == {
        "broken": False,
        "random": True,
    }


@pytest.mark.parametrize("experiment", [None, {"name": "x"}, 7])
def test_what_is_no_path_is_no_experiment(experiment):
    for call in (run, load_experiment):
        with refused(UsageError, "not-an-experiment", match="is not a path; give that of a TOML"):
            call(experiment)


def test_wrong_arguments_of_a_run_are_refused(tiny, tmp_path):
    experiment, store = tiny(target=40), tmp_path / "store.db"
    for jobs in ("x", 1.5, True):
        with refused(UsageError, "jobs-not-whole"):
            run(experiment, store, jobs)
    with refused(UsageError, "names-not-a-list", match="arms 'random' .* arms=.'random'."):
        run(experiment, store, arms="random")
    (tmp_path / "tiny.toml").write_text(experiment.to_toml())
    with refused(UsageError, "names-not-a-list", match="overrides"):
        load_experiment(tmp_path / "tiny.toml", "seeds=3")
