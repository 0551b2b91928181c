"""Trials of a task model that reads several blocks."""

import tomllib

import numpy as np
import pytest

from nextlabel.core.errors import UsageError
from nextlabel.engine.plan import plan
from nextlabel.experiment.parse import load_experiment, parse_experiment
from nextlabel.features.cache import Cache
from nextlabel.trial.data import load_data
from nextlabel.trial.spec import TrialSpec
from nextlabel.trial.trial import run_trial
from refusals import refused

ARMS = [{"name": "margin", "strategy": "margin"}]
FIXED = {"device": "cpu", "precision": "fp32"}


@pytest.fixture
def study(tiny):
    def make(**model):
        return tiny(arms=ARMS, primary=None, model={"name": "linear", **model}, training=FIXED)

    return make


def rounds(experiment, folder):
    trial, data = TrialSpec.of(experiment, "margin", 0), load_data(experiment, None)
    return [r for r, _ in run_trial(trial, data, Cache.open(folder))]


def key(experiment):
    return TrialSpec.of(experiment, "margin", 0).key("data")


def test_a_model_on_several_blocks_sees_them_all(study, tmp_path):
    both = rounds(study(blocks={"pca": 1.0, "pixels": 0.5}), tmp_path)
    pca, one = (rounds(study(**b), tmp_path) for b in ({"block": "pca"}, {"blocks": {"pca": 1.0}}))
    assert [r.labelled_count for r in both] == [20, 40, 60, 70]
    assert [r.identity for r in pca] == [r.identity for r in one]
    assert both[0].metrics != pca[0].metrics
    assert both[-1].metrics["validation/accuracy"] > 0.7


def test_parts_are_scaled_by_the_pool(study, tmp_path):
    rows = np.random.default_rng(0).normal(size=(240, 3)).astype(np.float32)
    found = []
    for factor in (1.0, 1000.0):
        np.save(tmp_path / "own.npy", rows * np.float32(factor))
        found.append(
            rounds(study(blocks={"pca": 1.0, str(tmp_path / "own.npy"): 1.0}), tmp_path / "cache")
        )
    first, other = found
    assert [r.chosen.tolist() for r in first] == [r.chosen.tolist() for r in other]
    assert [r.metrics for r in first] == [pytest.approx(r.metrics, abs=1e-3) for r in other]


def test_a_file_counts_by_its_content_and_not_by_its_path(study, tmp_path):
    rows = np.random.default_rng(0).normal(size=(240, 3))
    for name in ("a.npy", "b.npy"):
        np.save(tmp_path / name, rows)
    one, same = (
        key(study(blocks={"pca": 1.0, str(tmp_path / n): 2.0})) for n in ("a.npy", "b.npy")
    )
    assert one == same
    np.save(tmp_path / "b.npy", rows + 1)
    assert one != key(study(blocks={"pca": 1.0, str(tmp_path / "b.npy"): 2.0}))
    assert one != key(study(blocks={"pca": 1.0, str(tmp_path / "a.npy"): 1.0}))


def test_settings_that_came_later_leave_older_keys_as_they_were(study):
    plain = key(study(block="pca"))
    assert plain == "38c1dd0bd9f5fad5efb6ed7f9128c95976071fdca0e5bbdfd9c896eff0041ba4"
    same = study(
        block="pca", class_weight="none", temperature="none", regularisation=10.0, blocks={}
    )
    assert key(same) == plain
    for change in ({"class_weight": "balanced"}, {"temperature": "cv"}, {"regularisation": "cv"}):
        assert key(study(block="pca", **change)) != plain


def test_paths_of_blocks_are_relative_to_the_experiment_file(study, tmp_path, monkeypatch):
    folder = tmp_path / "experiments"
    folder.mkdir()
    np.save(folder / "own.npy", np.zeros((240, 2)))
    file = folder / "study.toml"
    file.write_text(study(blocks={"pca": 1.0, "own.npy": 0.5}).to_toml())
    monkeypatch.chdir(tmp_path)
    read = load_experiment(file)
    assert dict(read.model.blocks) == {"pca": 1.0, str(folder / "own.npy"): 0.5}


@pytest.fixture
def models(tiny):
    """An experiment whose arms have models of their own."""

    def make(*changes, **model):
        arms = [
            {"name": f"arm {i}", "strategy": "random", "model": change}
            for i, change in enumerate(changes)
        ]
        base = {"name": "linear", "block": "pca", **model}
        return tiny(arms=arms, primary=None, model=base, training=FIXED)

    return make


def test_an_arm_with_a_model_of_its_own_is_the_trial_of_that_model(models, study, tmp_path):
    both = {"blocks": {"pca": 1.0, "pixels": 1.0}}
    own = models({}, both)
    keys = [TrialSpec.of(own, arm.name, 0).key("data") for arm in own.arms]
    for change, key_of_arm, name in zip(({"block": "pca"}, both), keys, ("0", "1"), strict=True):
        alone = models({}, **(change if "block" in change else {"block": None, **change}))
        renamed = alone.model_copy(
            update={"arms": (alone.arms[0].model_copy(update={"name": f"arm {name}"}),)}
        )
        assert TrialSpec.of(renamed, f"arm {name}", 0).key("data") == key_of_arm
    data, cache = load_data(own, None), Cache.open(tmp_path)
    found = [
        [r for r, _ in run_trial(TrialSpec.of(own, arm.name, 0), data, cache)] for arm in own.arms
    ]
    first, second = ([r.chosen.tolist() for r in f] for f in found)
    assert first == second
    assert found[0][-1].metrics != found[1][-1].metrics


def test_keys_that_an_arm_changes_replace_those_of_the_table(models):
    own = models(
        {},
        {"regularisation": 1.0},
        {"blocks": {"vae": 1.0}},
        {"name": "label_spreading", "neighbours": 5},
        {"name": "small_cnn"},
        temperature="cv",
    )
    plain, weaker, vae, spreading, network = map(own.model_of, own.arms)
    assert plain is own.model
    assert (weaker.regularisation, weaker.block, weaker.temperature) == (1.0, "pca", "cv")
    assert (vae.block, dict(vae.blocks), vae.temperature) == (None, {"vae": 1.0}, "cv")
    assert (spreading.block, spreading.neighbours, spreading.temperature) == ("pca", 5, "none")
    assert (network.name, network.block) == ("small_cnn", None)
    assert [own.blocks_of(arm) for arm in own.arms] == [("pca",), ("pca",), ("vae",), ("pca",), ()]
    assert parse_experiment(tomllib.loads(own.to_toml())) == own


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"image_size": 32}, "image-size-of-an-arm", "all arms see the same images"),
        ({"regularization": 1.0}, "unknown-key", "did you mean 'regularisation'"),
        ({"name": "linaer"}, "unknown-name", "arm 'arm 0': model.name: unknown task model"),
        ({"block": None}, "invalid-setting", "needs a block to see"),
    ],
)
def test_a_model_of_an_arm_that_does_not_fit_is_refused(change, code, says, models):
    with refused(UsageError, code, match=says):
        models(change)


def test_a_plan_counts_each_model_of_the_arms(models, tmp_path):
    cnn = {"name": "small_cnn"}
    both, one = (plan(models({}, *c), cache_dir=tmp_path) for c in ((cnn, cnn), (cnn,)))
    assert (both.trials, one.trials) == (6, 4)
    shared = 2 * 20 * 10  # round 0 of each seed: 20 labels, 10 epochs
    assert both.training_samples == 2 * one.training_samples - shared > 0
