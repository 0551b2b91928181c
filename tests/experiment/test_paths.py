"""Paths in an experiment file."""

from pathlib import Path

import numpy as np
import pytest

from nextlabel.core.errors import DataError, UsageError
from nextlabel.experiment.parse import load_experiment
from refusals import refused

TEXT = """
name = "mine"
seeds = 1
initial = 2
batch = 2
target = 4
[data]
name = "folder"
path = "photos"
manifest = "list.csv"
[model]
name = "linear"
block = "e.npy"
[[arms]]
name = "a"
strategy = "core_set"
features = { task = 1.0, "e.npy" = 0.5 }
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with an experiment file in it, next to the working directory."""
    (tmp_path / "study").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "study/x.toml").write_text(TEXT)
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "study"


def fill(place):
    (place / "photos").mkdir()
    (place / "list.csv").touch()
    np.save(place / "e.npy", np.zeros((2, 2)))


def paths(experiment):
    (arm,) = experiment.arms
    data = experiment.data
    return [str(data.path), str(data.manifest), experiment.model.block, list(arm.features)[1]]


@pytest.mark.parametrize("name", ["../study/x.toml", "absolute"])
def test_what_lies_next_to_the_file_is_taken(folder, name):
    file = folder / "x.toml" if name == "absolute" else Path(name)
    fill(folder)
    fill(Path())
    expected = [str(file.parent / n) for n in ("photos", "list.csv", "e.npy", "e.npy")]
    assert paths(load_experiment(file)) == expected


def test_else_the_working_directory_is_taken_as_ever(folder):
    fill(Path())
    assert paths(load_experiment(folder / "x.toml")) == ["photos", "list.csv", "e.npy", "e.npy"]


def test_in_the_folder_of_the_file_paths_stay_as_they_are(folder, monkeypatch):
    fill(folder)
    monkeypatch.chdir(folder)
    assert paths(load_experiment("x.toml")) == ["photos", "list.csv", "e.npy", "e.npy"]


def test_an_override_of_a_path_is_relative_to_the_working_directory(folder):
    fill(folder)
    Path("photos").mkdir()
    experiment = load_experiment(folder / "x.toml", ["data.path=photos", 'blocks."e.npy"={}'])
    assert str(experiment.data.path) == "photos"
    assert list(experiment.blocks) == [str(folder / "e.npy")]


def test_what_is_in_neither_place_is_said_with_both_when_it_is_read(folder):
    experiment = load_experiment(folder / "x.toml")
    with refused(UsageError, "no-such-folder", match="next to the experiment file or in /.*else"):
        experiment.data.need_path()
    with refused(DataError, "feature-file-unreadable", match="next to the experiment file or in"):
        experiment.identity_of("e.npy")
