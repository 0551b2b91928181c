"""Task models of another package: a network and a classifier, with options of their own."""

import textwrap
from pathlib import Path

import pytest

from nextlabel.core.errors import UsageError
from nextlabel.models.settings import ModelSettings
from nextlabel.models.task_models import TASK_MODELS, create_model
from plugged import install, python
from refusals import refused

MODELS = '''
"""Two task models."""

from typing import Any, Literal

from pydantic import Field

from nextlabel.models.task_models.base import ClassicalSettings, NetworkSettings


class OneLayer(NetworkSettings):
    """One convolution."""

    name: Literal["one_layer"] = "one_layer"
    width: int = Field(8, ge=1)

    def network(self, outputs):
        import torch
        from torch import nn

        from nextlabel.models.networks.base import TaskNetwork

        class Network(TaskNetwork):
            def __init__(self, width):
                super().__init__()
                self.width, self.tap_widths = width, (width,)
                self.conv = nn.Conv2d(3, width, 5, 2, 2)
                self.fc = nn.Linear(width, outputs)

            def taps(self, images):
                return (torch.relu(self.conv(images)),)

        return Network(self.width)


class Nearest(ClassicalSettings):
    """The classes of the nearest labelled images."""

    name: Literal["nearest"] = "nearest"
    count: int = Field(1, ge=1)

    def classifier(self, rows, labelled, labels):
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(min(self.count, len(labels))).fit(rows[labelled], labels)
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
    [training]
    epochs = { initial = 1, step = 0 }
    device = "cpu"
    [[arms]]
    name = "margin"
    strategy = "margin"
    """
)

RUN = """
import sys
from pathlib import Path
from nextlabel.experiment.parse import load_experiment
experiment = load_experiment("plugged.toml")
assert "torch" not in sys.modules
assert load_experiment("plugged.toml", ["name=again"]).model == experiment.model
Path("again.toml").write_text(experiment.to_toml())
assert load_experiment("again.toml") == experiment
print(experiment.model)
from nextlabel.engine.plan import plan
from nextlabel.features.cache import Cache
from nextlabel.trial.data import load_data
from nextlabel.trial.spec import TrialSpec
from nextlabel.trial.trial import initial_weights, run_trial
planned = plan(experiment, cache_dir=Path("cache"))
print(planned.training_samples, planned.seconds > 0)
trial, data = TrialSpec.of(experiment, "margin", 0), load_data(experiment, None)
cache = Cache.open(Path("cache"))
rounds = [r for r, _ in run_trial(trial, data, cache)]
again = [r for r, _ in run_trial(trial, data, cache)]
assert [r.identity for r in rounds] == [r.identity for r in again]
digest = initial_weights(trial, data, cache)
print([r.labelled_count for r in rounds], again[0].training.shared, len(digest))
other = load_experiment("plugged.toml", [OTHER])
print(TrialSpec.of(other, "margin", 0).key("d") == trial.key("d"))
"""


@pytest.mark.parametrize(
    ("table", "other", "expected"),
    [
        (
            '[model]\nname = "one_layer"\nwidth = 4\n',
            "model.width=5",
            ("width=4", "50 True", "[20, 30] True 64"),
        ),
        (
            '[model]\nname = "nearest"\ncount = 3\nblock = "pixels"\n',
            "model.count=2",
            ("count=3", "0 True", "[20, 30] False 4"),
        ),
    ],
)
def test_a_model_of_another_package_runs_and_is_planned(
    table: str,
    other: str,
    expected: tuple[str, str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = {"one_layer": "plugged_models:OneLayer", "nearest": "plugged_models:Nearest"}
    install(tmp_path, {"plugged_models": MODELS}, {"nextlabel.models": points})
    (tmp_path / "plugged.toml").write_text(EXPERIMENT + table)
    monkeypatch.chdir(tmp_path)
    settings, planned, run, same = python(RUN.replace("OTHER", repr(other)), tmp_path)
    assert expected[0] in settings
    assert (planned, run, same) == (*expected[1:], "False")


def test_models_that_nextlabel_has() -> None:
    assert list(TASK_MODELS) == [
        "blend", "encoder", "ensemble", "knn", "label_spreading", "linear", "named_mixture",
        "resnet18", "small_cnn",
    ]  # fmt: skip
    for name in TASK_MODELS:
        assert issubclass(TASK_MODELS[name], ModelSettings) and TASK_MODELS[name].__doc__


def test_names_and_options_are_checked() -> None:
    with refused(UsageError, "unknown-name"):
        create_model(name="resnet")
    with refused(UsageError, "unknown-key", match=r"unknown key model\.stme; did you mean 'stem'"):
        create_model(name="resnet18", stme="small")
    with refused(UsageError, "invalid-setting", match=r"model\.neighbours: 0 must be at least 1"):
        create_model(name="label_spreading", block="pca", neighbours=0)
