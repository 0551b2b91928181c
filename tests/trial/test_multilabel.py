"""Several findings an image: every strategy, both augmentations, from file to metrics."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits

from nextlabel.core.errors import UsageError
from nextlabel.data.published.medmnist_sets import MEDMNIST
from nextlabel.engine.events import TrialWarned
from nextlabel.engine.run import run
from nextlabel.experiment.parse import parse_experiment
from nextlabel.features.cache import Cache
from nextlabel.models.metrics import MEASURED
from nextlabel.report.results import read_results
from nextlabel.store.store import Store
from nextlabel.strategies import STRATEGIES
from nextlabel.trial.data import load_data
from nextlabel.trial.spec import TrialSpec
from nextlabel.trial.trial import run_trial
from refusals import refused

LOOPS = (0, 6, 8, 9)
"""Digits with a closed loop; 4 is left out, since people write it open as often."""
TWINS = (
    {"name": "core-set + VAE", "strategy": "core_set", "features": {"task": 1.0, "vae": 1.0}},
    {"name": "MedAL + VAE", "strategy": "medal", "features": {"task": 1.0, "vae": 1.0}},
    {"name": "loss prediction + VAE", "strategy": "predicted_loss", "side": {"vae": 1.0}},
)
ONE_CLASS = {"oracle_balanced"}
"""Strategies that need one class for each image."""
ARMS = (
    *({"name": name, "strategy": name} for name in sorted({*STRATEGIES} - ONE_CLASS)),
    *TWINS,
)


def experiment(data, arms=ARMS, **more):
    raw = {
        "name": "findings",
        "seeds": [0],
        "initial": 16,
        "batch": 8,
        "target": 24,
        "data": data,
        "model": {"name": "small_cnn"},
        "training": {"learning_rate": 0.05, "epochs": {"initial": 1, "step": 0}, "device": "cpu"},
        "blocks": {"vae": {"latent": 4, "epochs": 1}},
        "arms": list(arms),
    }
    return parse_experiment(raw | more)


@pytest.fixture(scope="module")
def attributes(tmp_path_factory):
    """Real digits with three attributes each: even, above 4, with a closed loop."""
    digits = load_digits()
    y = digits.target
    labels = np.stack([y % 2 == 0, y > 4, np.isin(y, LOOPS)], axis=1).astype(np.int64)
    path = tmp_path_factory.mktemp("attributes") / "attributes.npz"
    names = np.array(["even", "above 4", "closed loop"])
    images = (digits.images * 255 / 16).astype(np.uint8)
    np.savez(path, images=images, labels=labels, classes=names)
    return {"name": "arrays", "path": str(path), "train": 120, "validation": 200, "test": 50}


@pytest.fixture
def chest(tmp_path, monkeypatch):
    """A file of exactly ChestMNIST's layout: uint8 (N, 28, 28) and uint8 (N, 14)."""
    rng = np.random.default_rng(0)
    arrays = {}
    for part, n in (("train", 60), ("val", 40), ("test", 30)):
        arrays[f"{part}_images"] = rng.integers(0, 256, (n, 28, 28), np.uint8)
        arrays[f"{part}_labels"] = (rng.random((n, 14)) < 0.3).astype(np.uint8)
    arrays["val_labels"][:, 13] = 0
    path = tmp_path / "chestmnist.npz"
    np.savez_compressed(path, **arrays)
    known = replace(MEDMNIST["chestmnist"], md5=hashlib.md5(path.read_bytes()).hexdigest())
    monkeypatch.setitem(MEDMNIST, "chestmnist", known)
    return path.parent


def check(rounds, pool):
    chosen = np.concatenate([r.chosen for r in rounds])
    assert len(np.unique(chosen)) == len(chosen) == 24 and chosen.max() < pool
    for found in rounds:
        measured = [f"{p}/{m}" for p in ("validation", "test") for m in MEASURED["multilabel"]]
        assert set(measured) <= set(found.metrics)
        assert np.isfinite(list(found.metrics.values())).all()


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm["name"])
def test_every_strategy_runs_on_attributes(attributes, arm, tmp_path_factory):
    spec = experiment(attributes, [arm])
    cache = Cache(tmp_path_factory.getbasetemp() / "multilabel-cache")
    data = load_data(spec, None)
    assert (data.task, data.classes) == ("multilabel", ("even", "above 4", "closed loop"))
    check([r for r, _ in run_trial(TrialSpec.of(spec, spec.arms[0].name, 0), data, cache)], 120)


@pytest.mark.parametrize("arm", [ARMS[0], *TWINS], ids=lambda arm: arm["name"])
@pytest.mark.filterwarnings("ignore:AUROC is not defined")
def test_a_file_of_chestmnists_layout_runs(chest, arm, tmp_path):
    spec = experiment({"name": "chestmnist"}, [arm])
    data = load_data(spec, chest)
    assert data.train.labels.shape == (60, 14) and data.classes[13] == "hernia"
    found = run_trial(TrialSpec.of(spec, spec.arms[0].name, 0), data, Cache(tmp_path / "cache"))
    check([r for r, _ in found], 60)


def test_attributes_are_learned(attributes, tmp_path):
    training = {"learning_rate": 0.1, "epochs": {"initial": 30, "step": 0}, "device": "cpu"}
    spec = experiment(attributes, ARMS[:1], training=training, initial=120, target=120)
    ((only, _),) = run_trial(
        TrialSpec.of(spec, spec.arms[0].name, 0), load_data(spec, None), Cache(tmp_path)
    )
    found = only.metrics
    assert found["validation/auroc"] > 0.85 and found["validation/map"] > 0.8
    assert found["validation/label_accuracy"] > found["validation/exact_match"] > 0.3


def test_the_headline_is_auroc_and_an_absent_class_is_named_once(attributes, tmp_path):
    with np.load(attributes["path"]) as whole:
        arrays = dict(whole)
    split = np.array(["train"] * 120 + ["validation"] * 100 + ["test"] * 50)
    cut = {name: arrays[name][:270].copy() for name in ("images", "labels")}
    cut["labels"][120:220, 1] = 0
    np.savez(tmp_path / "cut.npz", **cut, classes=arrays["classes"], split=split)
    data = {"name": "arrays", "path": str(tmp_path / "cut.npz")}
    arms = [{"name": n, "strategy": "random"} for n in "ab"]
    with Store.open(tmp_path / "store.db") as store:
        events = list(run(experiment(data, arms), store, cache_dir=tmp_path / "cache"))
        said = [e.warning for e in events if isinstance(e, TrialWarned)]
        assert sum("AUROC" in words for words in said) == 1
        assert any("validation images of cut for above 4, which" in words for words in said)
        results = read_results(store)
        assert results.headline == "validation/auroc"
        assert results.curve("a").values.shape == (1, 2)


def test_a_strategy_of_one_class_is_refused(attributes, tmp_path):
    spec = experiment(attributes, [{"name": "oracle", "strategy": "oracle_balanced"}])
    with refused(UsageError, "true-labels-multilabel"):
        list(run_trial(TrialSpec.of(spec, "oracle", 0), load_data(spec, None), Cache(tmp_path)))
