"""A signal of another package: one class, computed in experiments and known to the contracts."""

import textwrap
from pathlib import Path

import numpy as np
import pytest

from nextlabel import select
from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.pool import Pool
from nextlabel.core.signals import PoolView
from nextlabel.core.snapshot import Snapshot
from nextlabel.models import signals
from plugged import install, python
from refusals import refused

GRADIENTS = '''
"""Gradient embeddings of the last layer."""

import numpy as np


class Gradients:
    """Gradient of the loss of the predicted class, (N, K * width)."""

    dimensions = 2
    reads = frozenset({"model"})

    def compute(self, view, rng):
        p, features = view.outputs.probabilities, view.outputs.features
        residual = p - (np.arange(p.shape[1]) == p.argmax(1)[:, None])
        return (residual[:, :, None] * features[:, None, :]).reshape(len(p), -1)
'''

LONGEST = '''
"""The images of the longest gradients."""

import numpy as np

from nextlabel.kernels.ranking import highest


class LongestGradient:
    """Longest gradient of the last layer."""

    needs = frozenset({"gradients"})
    prefix = True

    def select(self, snapshot, budget, rng):
        snapshot.pool.check_budget(budget)
        lengths = np.square(snapshot.require("gradients")).sum(1)
        return highest(lengths, snapshot.pool.unlabelled, budget)
'''

EXPERIMENT = textwrap.dedent(
    """
    name = "plugged"
    seeds = [0]
    initial = 20
    batch = 10
    target = 30
    [data]
    name = "digits"
    train = 60
    validation = 30
    test = 10
    [model]
    name = "small_cnn"
    [training]
    epochs = { initial = 1, step = 0 }
    device = "cpu"
    [[arms]]
    name = "longest"
    strategy = "longest_gradient"
    """
)

RUN = """
import sys
from pathlib import Path
import numpy as np
from nextlabel.experiment.parse import load_experiment
experiment = load_experiment("plugged.toml")
print("torch" in sys.modules)
from nextlabel.features.cache import Cache
from nextlabel.models.network_model import FittedNetwork
from nextlabel.testing import check_strategy
from nextlabel.strategies import create
from nextlabel.trial.data import load_data
from nextlabel.trial.spec import TrialSpec
from nextlabel.trial.trial import run_trial
check_strategy(create("longest_gradient"))
passes, infer = [], FittedNetwork.infer
def counted(self, images, side=None):
    passes.append(len(images))
    return infer(self, images, side)
FittedNetwork.infer = counted
trial = TrialSpec.of(experiment, "longest", 0)
rounds = [r for r, _ in run_trial(trial, load_data(experiment, None), Cache.open(Path("cache")))]
print([r.labelled_count for r in rounds], len(rounds[1].chosen), passes.count(60))
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    points = {
        "nextlabel.signals": {"gradients": "plugged_signal:Gradients"},
        "nextlabel.strategies": {"longest_gradient": "plugged_strategy:LongestGradient"},
    }
    install(tmp_path, {"plugged_signal": GRADIENTS, "plugged_strategy": LONGEST}, points)
    (tmp_path / "plugged.toml").write_text(EXPERIMENT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_strategy_with_a_signal_of_its_own_runs_in_an_experiment(package: Path) -> None:
    _, rounds = python(RUN, package)
    assert rounds == "[20, 30] 10 1"  # the pool is passed over once


class Flat:
    """A signal that declares other dimensions than it gives."""

    dimensions = 2
    reads = frozenset({"space"})

    def compute(self, view: PoolView, rng: np.random.Generator) -> np.ndarray:
        return np.zeros(3)


def test_dimensions_are_those_that_the_signal_declares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(signals.SIGNALS._things, "flat", Flat)
    view: PoolView = None  # type: ignore[assignment]
    with refused(DataError, "wrong-dimensions"):
        signals.compute("flat", view, np.random.default_rng(0))
    with refused(UsageError, "unknown-name"):
        signals.compute("flatt", view, np.random.default_rng(0))


class Largest:
    """Largest value of a signal of another package."""

    needs = frozenset({"value"})

    def select(self, snapshot: Snapshot, budget: int, rng: np.random.Generator) -> np.ndarray:
        free = snapshot.pool.unlabelled
        return free[np.argsort(-snapshot.require("value")[free], kind="stable")][:budget]


def test_select_takes_the_signals_that_a_strategy_needs() -> None:
    mine = Largest()
    values = {"value": [3.0, 9.0, 5.0]}
    assert select(budget=2, strategy=mine, signals=values).tolist() == [1, 2]
    with refused(UsageError, "missing-signal"):
        select([[1.0]], budget=1, strategy=mine)


def test_a_snapshot_keeps_any_signal() -> None:
    snapshot = Snapshot(Pool(3), signals={"value": [1.0, 2.0, 3.0]})
    assert snapshot.require("value").tolist() == [1, 2, 3]
    more = snapshot.with_signals(value=[3.0, 2.0, 1.0], other=[0, 0, 0])
    assert more.require("value")[0] == 3 and snapshot.require("value")[0] == 1
    with refused(UsageError, "missing-signal"):
        snapshot.require("other")
    with refused(DataError, "not-finite"):
        snapshot.with_signals(value=[1.0, np.inf, 2.0])
