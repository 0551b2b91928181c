"""Names of images and the next picks, from a run to the store."""

import numpy as np

from nextlabel.engine.run import run
from nextlabel.store.store import Store
from nextlabel.trial.data import data_record, load_data
from nextlabel.trial.trial import NEXT


def test_a_run_stores_its_data_set_and_what_each_arm_picks_next(tiny, tmp_path):
    spec, cache = tiny(seeds=[0]), tmp_path / "cache"
    with Store.open(tmp_path / "short.db") as store:
        list(run(spec, store, cache_dir=cache))
        picks = {}
        for state in store.trials("tiny"):
            key, arm = state.record.key, state.record.arm
            assert store.data_record(key) == data_record(load_data(spec, None))
            picks[arm] = store.next_picks(key)
            labelled = np.concatenate([r.chosen for r in store.history(key)])
            assert len(set(picks[arm].tolist())) == NEXT
            assert not set(picks[arm].tolist()) & set(labelled.tolist())
    assert len({tuple(ids.tolist()) for ids in picks.values()}) == 3


def test_next_picks_are_those_of_the_next_round(tiny, tmp_path):
    """A run whose target lies one batch further picks them: the same models, the same draws."""
    sizes = {"seeds": [0], "initial": 20, "batch": NEXT, "target": 20 + NEXT}
    with Store.open(tmp_path / "store.db") as store:
        list(run(tiny(**sizes), store, cache_dir=tmp_path / "cache"))
        keys = {s.record.arm: s.record.key for s in store.trials("tiny")}
        picks = {arm: store.next_picks(key).tolist() for arm, key in keys.items()}
        list(run(tiny(**sizes | {"target": 20 + 2 * NEXT}), store, cache_dir=tmp_path / "cache"))
        for arm, key in keys.items():
            assert store.history(key)[-1].chosen.tolist() == picks[arm], arm
            assert store.next_picks(key).tolist() != picks[arm]


def test_there_are_no_next_picks_when_all_is_labelled(tiny, tmp_path):
    spec = tiny(seeds=[0], initial=20, batch=130, target=150)
    with Store.open(tmp_path / "store.db") as store:
        list(run(spec, store, cache_dir=tmp_path / "cache"))
        for state in store.trials("tiny"):
            assert store.next_picks(state.record.key).tolist() == []
