"""A source of another package, with an option of its own."""

import os
import subprocess
import sys

PLUGIN = """
from typing import Literal

import numpy as np
from pydantic import Field

from nextlabel.core.dataset import Images
from nextlabel.data import DataSettings, Raw, SourceInfo


class StripeSettings(DataSettings):
    width: int = Field(default=1, ge=1, le=3)


class Stripes:
    settings_class = StripeSettings

    def __init__(self, settings):
        self.width = settings.width

    @classmethod
    def info(cls, name, locator):
        return SourceInfo(name, "multiclass", ("a", "b"), {}, (1, 4, 4), "embedded")

    def read(self, image_size, locator):
        images = np.zeros((20, 1, 4, 4), np.uint8)
        images[1::2, :, :, : self.width] = 255
        labels = np.arange(20) % 2
        return Raw("stripes", "multiclass", ("a", "b"), {"train": Images(images, labels)},
                   {"validation": 4, "test": 4})
"""
SCRIPT = """
import pickle, sys, tomllib
from pathlib import Path
from nextlabel.core.errors import UsageError
from nextlabel.data import DataSettings, load
from nextlabel.experiment.parse import load_experiment, parse_experiment
from nextlabel.experiment.spec import Experiment
from nextlabel.trial.data import load_data
from nextlabel.trial.spec import TrialSpec

spec = load_experiment("x.toml")
assert type(spec.data).__name__ == "StripeSettings" and spec.data.width == 2
assert spec.resolved()["data"]["width"] == 2
assert parse_experiment(tomllib.loads(spec.to_toml())) == spec
assert Experiment.model_validate(spec.resolved()) == spec
assert pickle.loads(pickle.dumps(spec)) == spec
data = load_data(spec, None)
assert (data.train.images == 255).mean() == data.train.labels.mean() / 2
assert load(DataSettings(name="stripes")).train.images.any()
assert load_experiment("x.toml", ["data.width=3"]).data.width == 3
digits = Path("x.toml").read_text().replace("width = 2", "").replace("stripes", "digits")
Path("digits.toml").write_text(digits)
assert "width" not in load_experiment("digits.toml").resolved()["data"]
key = [
    TrialSpec.of(load_experiment("x.toml", change), spec.arms[0].name, 0).key("0" * 64)
    for change in ([], ["data.width=1"])
]
assert key[0] == key[1]  # the checksum of the data is in the key, and nothing else of them
for file, change in (
    ("x.toml", "data.width=4"),
    ("x.toml", "data.width='a'"),
    ("x.toml", "data.widt=1"),
    ("digits.toml", "data.width=1"),
):
    try:
        load_experiment(file, [change])
    except UsageError as error:
        print(error)
"""
EXPERIMENT = """
name = "x"
seeds = 1
initial = 2
batch = 2
target = 4
[data]
name = "stripes"
width = 2
[model]
name = "small_cnn"
[[arms]]
name = "random"
strategy = "random"
"""


def test_a_source_of_another_package_has_options_of_its_own(tmp_path):
    (tmp_path / "stripes_plugin.py").write_text(PLUGIN)
    info = tmp_path / "stripes_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stripes-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[nextlabel.sources]\nstripes=stripes_plugin:Stripes\n")
    (tmp_path / "x.toml").write_text(EXPERIMENT)
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0].endswith("data.width: 4 must be at most 3; lower it")
    assert said[1].endswith(
        "data.width: 'a' must be a whole number; write it without quotes and decimals"
    )
    assert said[2] == "x.toml: unknown key data.widt; did you mean 'width'?"
    assert said[3].startswith("digits.toml: unknown key data.width")
