"""`nextlabel map`: a whole map of a tiny experiment, its files, and what is refused."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from nextlabel.cli import main
from nextlabel.store.store import Store
from nextlabel.trial import space_map as maps

TOML = """
name = "tiny"
seeds = [3]
initial = 10
batch = 10
target = 20
primary = "core-set + PCA"
[data]
name = "digits"
train = 120
validation = 30
test = 30
[model]
name = "small_cnn"
weights = "random"
[training]
epochs = { initial = 1, step = 0 }
[blocks.pca]
components = 3
[[arms]]
name = "core-set"
strategy = "core_set"
[[arms]]
name = "core-set + PCA"
strategy = "core_set"
features = { task = 1.0, pca = 1.0 }
baseline = "core-set"
"""
SMALL = ["--labelled", "20", "--candidates", "40", "--picked", "5", "--perplexity", "6"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("tiny.toml").write_text(TOML)
    monkeypatch.setattr(maps, "t_sne", lambda points, *_: np.array(points[:, :2]))
    return tmp_path


def run(*arguments):
    return main(["map", "tiny.toml", "--cache-dir", "cache", *arguments])


def test_a_map_leaves_files_and_a_place_in_the_report(capsys):
    assert run(*SMALL) == 0
    out, err = capsys.readouterr()
    folder = Path("runs/tiny")
    names = ["map.svg", "map.pdf", "map.png", "map.csv", "map-numbers.csv", "map-seconds.csv"]
    names += ["map-picked-1.png", "map-picked-2.png"]
    assert out.split("total")[1].split()[2:] == [str(folder / name) for name in names]
    assert all((folder / name).stat().st_size > 100 for name in names)
    for word in ("task + pca", "kurtosis", "off centre", "select in task", "drawing"):
        assert word in out
    assert "fitting the task model to 20 labels and pca" in err
    assert "nextlabel report --store runs/tiny/store.db --out runs/tiny" in err
    with (folder / "map.csv").open() as file:
        points = list(csv.DictReader(file))
    assert len(points) == 2 * 60 and sum(p["group"] == "picked" for p in points) == 10
    assert "drawing," in (folder / "map-seconds.csv").read_text()
    assert main(["report"]) == 0
    assert "core-set + PCA, seed 3" in (folder / "report.html").read_text()


def test_options_are_taken_up_and_json_says_all(capsys):
    more = ["--arm", "core-set", "--seed", "1", "--set", "training.learning_rate=0.02"]
    more += ["--store", "s.db", "--out", "there", "--json"]
    assert run(*SMALL, *more, "--candidates", "500") == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["arm"], found["seed"], found["labelled"], found["candidates"]) == (
        "core-set", 1, 20, 100
    )  # fmt: skip
    assert found["notes"] == ["only 100 images are left as candidates, not 500"]
    (space,) = found["spaces"]
    assert space["name"] == "task" and len(space["picked"]) == 5
    assert set(space["in_space"]) == {"kurtosis", "nearest", "spread", "sparse", "offset"}
    assert all(Path(file).parent == Path("there") for file in found["files"])
    assert not Path("runs").exists() and "reading digits" in err
    with Store.open("s.db", create=False) as store:
        (kept,) = store.maps("tiny")
    assert kept.spec["training"]["learning_rate"] == 0.02
    assert kept.seconds.keys() == found["seconds"].keys() >= {"drawing", "train"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--labelled", "120"], "labelled 120 and picked 5 exceed the pool's 120 images"),
        (["--perplexity", "20"], "perplexity 20 is too large for 60 points"),
        (["--arm", "core"], "there is no arm 'core'"),
        (["--picked", "0"], "invalid value for '--picked'"),
        (["--set", "training.epoch=3"], "tiny.toml: unknown key training.epoch"),
    ],
)
def test_what_is_refused_is_one_sentence_and_leaves_nothing(arguments, says, capsys):
    assert run(*SMALL, *arguments) == 2
    err = capsys.readouterr().err
    assert f"error: {says}" in err
    assert "Traceback" not in err
    assert not list(Path().rglob("map.*"))


def test_an_arm_that_looks_at_no_features_is_refused(capsys):
    assert run(*SMALL, "--arm", "core-set", "--set", "arms.core-set.strategy=random") == 2
    assert "arm 'core-set' does not choose by features but by random" in capsys.readouterr().err
