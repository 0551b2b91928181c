"""A store from another kind of machine is refused before anything in it is left behind."""

import pytest

from nextlabel.core.errors import UsageError
from nextlabel.engine.run import run
from nextlabel.store.store import Store
from refusals import refused

ARMS = {"arms": [{"name": "random", "strategy": "random"}], "primary": None, "target": 40}


@pytest.fixture
def units(monkeypatch):
    """Set whether this process finds units for bfloat16 in the machine."""

    def have(yes):
        monkeypatch.setattr("nextlabel.models.device.has_bfloat16", lambda device: yes)

    return have


@pytest.fixture
def store(tiny, units, tmp_path):
    """A store with two trials of a machine that has such units."""
    units(True)  # the workers train as they can, not as the keys say
    with Store.open(tmp_path / "store.db") as store:
        list(run(tiny(**ARMS), store, cache_dir=tmp_path / "cache"))
        yield store


def keys(store):
    return [state.record.key for state in store.trials("tiny")]


def test_going_on_elsewhere_takes_a_word_of_consent(tiny, store, units, tmp_path):
    stored = keys(store)
    units(False)
    for _ in range(2):
        with refused(
            UsageError, "other-machine", match=r'precision bf16, .* --set training.precision="bf16"'
        ):
            next(run(tiny(**ARMS), store, cache_dir=tmp_path / "cache"))
        assert keys(store) == stored
    given = tiny(**ARMS, training__precision="bf16")
    assert next(run(given, store, cache_dir=tmp_path / "cache")).pending == 0
    assert keys(store) == stored


def test_other_settings_start_again(tiny, store, units, tmp_path):
    units(False)
    for change in (
        {"training__precision": "fp32"},  # asked for
        {"initial": 10, "batch": 15},  # another trial on any machine
        {"training__learning_rate": 0.01},
    ):
        assert next(run(tiny(**ARMS | change), store, cache_dir=tmp_path / "cache")).pending == 2


def test_a_device_that_is_not_here_is_not_advised(tiny, tmp_path, monkeypatch):
    with Store.open(tmp_path / "store.db") as store:
        monkeypatch.setattr(
            "nextlabel.trial.resolution.resolve_settings",
            lambda v: dict(v) | {"device": "cuda", "precision": "bf16"},
        )
        free = {**ARMS, "training__device": "auto"}
        list(run(tiny(**free), store, cache_dir=tmp_path / "cache"))
        monkeypatch.undo()
        monkeypatch.setattr("torch.cuda.is_available", lambda: False)
        with refused(UsageError, "other-machine", match="device cuda.*on a machine that has it"):
            next(run(tiny(**free), store, cache_dir=tmp_path / "cache"))
