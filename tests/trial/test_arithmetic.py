"""The setting `training.arithmetic`, from the experiment to the rows of the store."""

import pytest

from nextlabel.engine.events import RoundDone
from nextlabel.engine.run import run
from nextlabel.store.store import Store
from nextlabel.trial.spec import TrialSpec


@pytest.fixture
def ways(tiny):
    """The same experiment of one small trial of ResNet-18 in either arithmetic."""
    training = {"learning_rate": 0.01, "epochs": {"initial": 1, "step": 0}, "device": "cpu"}
    return {
        arithmetic: tiny(
            seeds=[0],
            target=20,
            primary=None,
            arms=[{"name": "core-set", "strategy": "core_set"}],
            model={"name": "resnet18", "weights": "random"},
            blocks={},
            training=training | added,
        )
        for arithmetic, added in {
            "unsaid": {},
            "plain": {"arithmetic": "plain"},
            "fast": {"arithmetic": "fast"},
        }.items()
    }


def done(experiment, store, folder):
    events = run(experiment, store, cache_dir=folder / "cache")
    return [event for event in events if isinstance(event, RoundDone)]


def test_only_fast_arithmetic_gives_a_trial_another_key(ways):
    specs = {name: TrialSpec.of(ways[name], "core-set", 0) for name in ways}
    keys = {name: spec.key("checksum") for name, spec in specs.items()}
    assert keys["unsaid"] == keys["plain"] != keys["fast"]
    trained = {name: spec.outcome("checksum")["training"] for name, spec in specs.items()}
    assert "arithmetic" not in trained["plain"], "as in the keys of stored trials"
    assert trained["fast"] == trained["plain"] | {"arithmetic": "fast", "make": 3}


def test_a_run_in_fast_arithmetic_stores_rows_of_its_own(ways, tmp_path):
    keys = set()
    with Store.open(tmp_path / "store.db") as store:
        for arithmetic in ("plain", "fast"):
            rounds = done(ways[arithmetic], store, tmp_path)
            assert [each.round.labelled_count for each in rounds] == [20]
            assert not any(each.round.training.shared for each in rounds), "as round 0 differs"
            keys |= {each.key for each in rounds}
        assert len(keys) == 2
        assert not done(ways["unsaid"], store, tmp_path), "plain is stored"
