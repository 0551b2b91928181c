import time

import numpy as np
import pytest

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.pool import Pool
from nextlabel.experiment.hypothesis import Hypothesis
from nextlabel.features.blocks.vae import VAEBlock
from nextlabel.features.cache import Cache
from nextlabel.models.network_model import NetworkModel
from nextlabel.statistics.reliability import NAME as RELIABILITY
from nextlabel.statistics.reliability import calibration_error
from nextlabel.trial.data import headline, load_data
from nextlabel.trial.spec import TrialSpec, trials
from nextlabel.trial.trial import (
    beginning_records,
    initial_weights,
    last_records,
    learner_of,
    run_trial,
)
from refusals import refused


def rounds(experiment, arm, seed, folder, history=()):
    trial = TrialSpec.of(experiment, arm, seed)
    data = load_data(experiment, None)
    return [r for r, _ in run_trial(trial, data, Cache.open(folder), history)]


def identities(found):
    return [r.identity for r in found]


def test_a_trial_reaches_its_target_exactly(tiny, tmp_path):
    found = rounds(tiny(), "core-set", 0, tmp_path)
    assert [r.labelled_count for r in found] == [20, 40, 60, 70]
    assert [len(r.chosen) for r in found] == [20, 20, 20, 10]
    assert len({i for r in found for i in r.chosen.tolist()}) == 70
    assert {"validation/accuracy", "test/accuracy", "validation/auroc"} <= set(found[0].metrics)
    assert all(0 <= v <= 1 for r in found for v in r.metrics.values())
    assert {"train", "evaluate"} <= set(found[0].seconds)
    assert {"select", "signals"} <= set(found[1].seconds)
    assert found[0].peak_memory > 2**20


def test_arms_share_initial_labels_and_round_zero(tiny, tmp_path):
    experiment = tiny()
    arms = [rounds(experiment, a.name, 0, tmp_path) for a in experiment.arms]
    first = [arm[0] for arm in arms]
    assert len({r.identity for r in first}) == 1
    assert [r.training.shared for r in first] == [False, True, True]
    assert len({tuple(arm[1].chosen) for arm in arms}) == 3
    other = rounds(experiment, "random", 1, tmp_path)[0]
    assert set(other.chosen) != set(first[0].chosen)


def test_round_zero_is_the_same_with_and_without_the_cache(tiny, tmp_path):
    experiment = tiny()
    cold = rounds(experiment, "core-set", 0, tmp_path / "a")
    warm = rounds(experiment, "core-set", 0, tmp_path / "a")
    assert not cold[0].training.shared and warm[0].training.shared
    assert identities(cold) == identities(warm)


@pytest.mark.parametrize("refit", ["scratch", "finetune"])
@pytest.mark.parametrize("known", [1, 2, 3])
def test_resuming_gives_the_very_same_rounds(tiny, tmp_path, refit, known):
    experiment = tiny(training__refit=refit)
    whole = rounds(experiment, "core-set + VAE", 0, tmp_path / "a")
    rest = rounds(experiment, "core-set + VAE", 0, tmp_path / "b", history=whole[:known])
    assert identities(whole[known:]) == identities(rest)


def test_fine_tuning_differs_from_starting_again(tiny, tmp_path):
    scratch = rounds(tiny(), "random", 0, tmp_path)
    tuned = rounds(tiny(training__refit="finetune"), "random", 0, tmp_path)
    assert tuned[1].training.weights == "finetuned"
    assert scratch[1].metrics != tuned[1].metrics


def test_alpha_zero_is_the_baseline_bit_for_bit(tiny, tmp_path):
    arms = [
        {"name": "plain", "strategy": "core_set"},
        {"name": "zero", "strategy": "core_set", "features": {"task": 1.0, "vae": 0.0}},
        {"name": "half", "strategy": "core_set", "features": {"task": 1.0, "vae": 0.5}},
    ]
    experiment = tiny(arms=arms, primary=None)
    plain, zero, half = (rounds(experiment, a["name"], 0, tmp_path) for a in arms)
    assert identities(plain) == identities(zero)
    assert identities(plain) != identities(half)


def test_an_arm_against_itself_gives_equal_curves(tiny, tmp_path):
    arms = [{"name": n, "strategy": "medal"} for n in ("one", "two")]
    experiment = tiny(arms=arms, primary=None)
    for seed in experiment.seeds:
        one, two = (rounds(experiment, n, seed, tmp_path) for n in ("one", "two"))
        assert identities(one) == identities(two)


def test_an_embedding_file_is_a_block(tiny, tmp_path):
    np.save(tmp_path / "mine.npy", np.random.default_rng(0).normal(size=(150, 3)))
    name = str(tmp_path / "mine.npy")
    arm = {"name": "mine", "strategy": "core_set", "features": {name: 1.0}}
    found = rounds(tiny(arms=[arm], primary=None), "mine", 0, tmp_path)
    assert found[-1].labelled_count == 70


def test_a_strategy_may_choose_the_initial_set(tiny, tmp_path):
    arm = {"name": "cold", "strategy": "core_set", "features": {"vae": 1.0}, "start": "core_set"}
    experiment = tiny(arms=[arm], primary=None)
    one, two = (rounds(experiment, "cold", 0, tmp_path / n) for n in "ab")
    assert identities(one) == identities(two)
    with refused(
        UsageError, "signal-before-labels", match="the task model's; add a block to its features"
    ):
        tiny(arms=[{**arm, "features": {"task": 1.0}}], primary=None)
    with refused(UsageError, "signal-before-labels"):
        tiny(arms=[{**arm, "start": "entropy"}], primary=None)


def test_the_key_is_what_decides_the_outcome(tiny, monkeypatch):
    monkeypatch.setattr("nextlabel.models.device.has_bfloat16", lambda device: False)

    def key(experiment, arm="core-set", seed=0, data="d"):
        return TrialSpec.of(experiment, arm, seed).key(data)

    base = key(tiny())
    assert key(tiny(target=100)) == base
    assert key(tiny(training__precision="fp32")) == base
    assert key(tiny(name="other", seeds=[0])) == base
    assert key(tiny(blocks={"vae": {"latent": 8}})) == base
    for other in (
        key(tiny(), seed=1),
        key(tiny(), data="e"),
        key(tiny(), arm="random"),
        key(tiny(batch=10)),
        key(tiny(initial=10)),
        key(tiny(training__threads=2)),
        key(tiny(training__precision="bf16")),
        key(tiny(training__learning_rate=0.01)),
    ):
        assert other != base
    assert key(tiny(blocks={"vae": {"latent": 8}}), "core-set + VAE") != key(
        tiny(), "core-set + VAE"
    )
    halves = key(tiny(training__precision="bf16"))
    monkeypatch.setattr("nextlabel.models.device.has_bfloat16", lambda device: True)
    assert key(tiny()) == halves


def test_what_is_claimed_decides_no_outcome(tiny):
    claim = Hypothesis(name="claim", arms=("core-set",), against=("random",))
    stated = tiny().model_copy(update={"hypotheses": (claim,)})
    for arm in tiny().arms:
        assert TrialSpec.of(stated, arm.name, 0).key("d") == TrialSpec.of(tiny(), arm.name, 0).key(
            "d"
        )


def test_the_key_follows_an_embedding_files_bytes_not_its_place(tiny, tmp_path):
    keys = []
    for folder, fill in (("a", 0), ("b", 0), ("c", 1)):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "e.npy"
        np.save(path, np.full((150, 2), fill))
        arm = {"name": "x", "strategy": "core_set", "features": {str(path): 1.0}}
        experiment = tiny(arms=[arm], primary=None)
        keys.append(TrialSpec.of(experiment, experiment.arms[0].name, 0).key("d"))
    assert keys[0] != keys[2]
    assert keys[0] == keys[1]


def test_a_file_counts_by_its_content_whatever_names_it(tiny, tmp_path):
    path = tmp_path / "e.npy"
    np.save(path, np.zeros((150, 2)))
    keys = []
    for name, blocks in ((str(path), {}), ("file", {"file": {"path": str(path)}})):
        arm = {"name": "x", "strategy": "core_set", "features": {name: 1.0}}
        keys.append(TrialSpec.of(tiny(arms=[arm], primary=None, blocks=blocks), "x", 0).key("d"))
    assert keys[0] == keys[1]


def test_trials_that_run_at_once_have_other_seeds(tiny):
    order = [(t.arm.name, t.seed) for t in trials(tiny(seeds=[0, 1, 2]), jobs=2)]
    assert order[:2] == [("random", 0), ("random", 1)]
    assert len(set(order)) == 9 and order[-1] == ("core-set + VAE", 2)


@pytest.mark.parametrize(
    ("changes", "error", "code", "message"),
    [
        (
            {"target": 151},
            UsageError,
            "target-out-of-range",
            "target 151 must lie between .* the pool's 150 images",
        ),
        ({"data__validation": 0}, DataError, "labels-missing", "has no validation labels"),
        (
            {"headline": "validation/acc"},
            UsageError,
            "headline-not-measured",
            "is not measured .* one of validation/accura",
        ),
        (
            {"headline": "test/accuracy", "data__test": 0},
            UsageError,
            "headline-not-measured",
            "'test/accuracy'",
        ),
    ],
)
def test_sizes_and_a_headline_that_do_not_fit(tiny, changes, error, code, message):
    with refused(error, code, match=message):
        load_data(tiny(**changes), None)


def test_data_that_cannot_be_learned_from(tiny, tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (60, 8, 8)).astype(np.uint8)
    cases = [
        (np.zeros(60, int), "one-class-only", "are of one class"),
        (
            np.where(np.arange(60) < 59, np.arange(60) % 2, -1),
            "labels-missing",
            "1 train images have no label",
        ),
        (
            np.where(np.arange(120) == 7, -1, 1).reshape(60, 2),
            "labels-missing",
            "1 train images lack the label of a",
        ),
    ]
    for labels, code, message in cases:
        np.savez(tmp_path / "a.npz", images=images, labels=labels)
        data = {"name": "arrays", "path": str(tmp_path / "a.npz")}
        with refused(DataError, code, match=message) as error:
            load_data(tiny(data=data, initial=5, target=10), None)
        if "lack" in message:
            assert "the first in row 3 of train; a simulation needs all" in str(error.value)


def test_a_headline_that_is_not_defined_names_others(tiny, tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (60, 8, 8)).astype(np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=np.ones((60, 3), int))
    data = {"name": "arrays", "path": str(tmp_path / "a.npz")}
    with refused(
        DataError,
        "headline-not-defined",
        match="or set headline to one of validation/label_accuracy, val",
    ):
        load_data(tiny(data=data, initial=5, target=10, primary=None), None)


def test_a_collapsed_mixture_is_told_of_by_all_that_use_it(tiny, tmp_path):
    arms = [
        {"name": n, "strategy": "core_set", "features": {"vae_mixture": w}}
        for n, w in (("a", 1.0), ("b", 2.0))
    ]
    quick = {"vae_mixture": {"latent": 3, "epochs": 2, "beta": 30.0}}
    experiment = tiny(arms=arms, primary=None, blocks=quick)
    message = (
        r"components collapsed to 1\.\d\d distinct ones after 2 epochs, .* lower "
        "its beta, now 30, raise its epochs, now 2, or use the block vae"
    )
    for name in "ab":
        with pytest.warns(UserWarning, match=message):
            rounds(experiment, name, 0, tmp_path)


def test_a_block_that_the_start_needs_is_timed_with_round_zero(tiny, tmp_path, monkeypatch):
    arm = {"name": "cold", "strategy": "core_set", "features": {"vae": 1.0}, "start": "core_set"}
    fit = VAEBlock.fit

    def slow(*given):
        time.sleep(0.3)
        return fit(*given)

    monkeypatch.setattr(VAEBlock, "fit", slow)
    found = rounds(tiny(arms=[arm], primary=None), "cold", 0, tmp_path)
    assert found[0].seconds["blocks"] > 0.3 > sum(r.seconds["blocks"] for r in found[1:])


def test_waiting_for_another_process_is_no_work(tiny, tmp_path, monkeypatch):
    experiment = tiny()
    data = load_data(experiment, None)
    pool, labels = Pool(150, np.arange(20)), data.train.labels[:20]
    learner = learner_of(TrialSpec.of(experiment, "core-set + VAE", 0), data, Cache.open(tmp_path))
    get = Cache.get

    def late(cache, *given):
        cache._waits.append(1000.0)  # that did not pass
        return get(cache, *given)

    monkeypatch.setattr(Cache, "get", late)
    seconds = learner.fit(pool, labels, 0, None).training.seconds
    assert [round(seconds[phase], -3) for phase in ("blocks", "train")] == [-1000, -1000]


def test_a_multi_label_experiment_has_a_headline_of_its_kind_and_runs(tiny, tmp_path):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (60, 3))
    images = rng.integers(0, 255, (60, 8, 8)).astype(np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    data = {"name": "arrays", "path": str(tmp_path / "a.npz")}
    arm = {"name": "margin", "strategy": "margin"}
    changes = {"data": data, "initial": 5, "target": 15, "arms": [arm], "primary": None}
    with refused(
        UsageError,
        "headline-not-measured",
        match="which is multilabel; set it to one of validation/auroc",
    ):
        load_data(tiny(**changes, headline="validation/accuracy"), None)
    assert headline(tiny(**changes), load_data(tiny(**changes), None)) == "validation/auroc"
    found = rounds(tiny(**changes), "margin", 0, tmp_path)
    assert all("validation/auroc" in r.metrics for r in found)


LOSS_ARMS = [
    {"name": "random", "strategy": "random"},
    {"name": "random with P", "strategy": "random", "loss_head": True},
    {"name": "loss", "strategy": "predicted_loss", "baseline": "random with P"},
    {"name": "loss + 0", "strategy": "predicted_loss", "side": {"vae": 0.0}},
    {"name": "loss + VAE", "strategy": "predicted_loss", "side": {"vae": 1.0}},
]


def test_loss_prediction_runs_and_its_head_is_told_apart(tiny, tmp_path):
    experiment = tiny(arms=LOSS_ARMS, primary=None, loss_prediction={"width": 8})
    found = {a.name: rounds(experiment, a.name, 0, tmp_path) for a in experiment.arms}
    initial = {tuple(arm[0].chosen) for arm in found.values()}
    assert len(initial) == 1
    plain, headed, loss, zero, side = found.values()
    assert "validation/loss_correlation" not in plain[0].metrics
    assert all("validation/loss_correlation" in r.metrics for r in (*headed, *loss, *side))
    # random picks are the same with P or without it, and round 0 of the two with P as well
    assert [tuple(r.chosen) for r in plain] == [tuple(r.chosen) for r in headed]
    assert plain[0].metrics != headed[0].metrics
    assert headed[0].identity == loss[0].identity and loss[0].training.shared
    assert identities(loss) == identities(zero)
    assert loss[0].metrics != side[0].metrics
    assert tuple(loss[1].chosen) != tuple(side[1].chosen) != tuple(plain[1].chosen)


@pytest.mark.parametrize("scale", ["rms", "unit"])
def test_p_gets_the_side_rows_of_the_labelled_images(scale, tiny, tmp_path, monkeypatch):
    rows = np.random.default_rng(0).normal(size=(240, 3))
    np.save(tmp_path / "side.npy", rows)
    side = {str(tmp_path / "side.npy"): 1.0}
    arms = [{"name": "a", "strategy": "random", "loss_head": True, "side": side, "scale": scale}]
    given, fit = [], NetworkModel.train

    def kept(model, images, labels, number, seeds, previous=None, side=None):
        given.append(side.numpy())
        return fit(model, images, labels, number, seeds, previous, side)

    monkeypatch.setattr(NetworkModel, "train", kept)
    found = rounds(tiny(arms=arms, primary=None, loss_prediction={"width": 4}), "a", 0, tmp_path)
    labelled: list[int] = []
    for one, side in zip(found, given, strict=True):
        labelled += one.chosen.tolist()
        own = rows[labelled]  # the pool's ids are the first 150 rows
        if scale == "unit":
            own = own / np.linalg.norm(own, axis=1, keepdims=True)
        np.testing.assert_allclose(side / side[0, 0], own / own[0, 0], rtol=1e-5)


def test_a_resumed_loss_prediction_gives_the_very_same_rounds(tiny, tmp_path):
    experiment = tiny(arms=LOSS_ARMS, primary=None, loss_prediction={"width": 8})
    whole = rounds(experiment, "loss + VAE", 0, tmp_path / "a")
    rest = rounds(experiment, "loss + VAE", 0, tmp_path / "b", history=whole[:2])
    assert identities(whole[2:]) == identities(rest)


def test_side_rows_are_missed_in_the_pool_and_only_left_out_in_validation(tiny, tmp_path):
    path = tmp_path / "v.npy"
    arms = [{"name": "a", "strategy": "predicted_loss", "side": {str(path): 1.0}}]
    experiment = tiny(arms=arms, primary=None, loss_prediction={"width": 8})
    np.save(path, np.random.default_rng(0).normal(size=(149, 3)))
    with refused(DataError, "embedding-row-count", match="has 149 rows; give 150 or 240"):
        rounds(experiment, "a", 0, tmp_path)
    np.save(path, np.random.default_rng(0).normal(size=(150, 3)))
    with pytest.warns(UserWarning, match=r"v\.npy' has no rows for the validation images, so how"):
        found = rounds(experiment, "a", 0, tmp_path)
    assert "validation/loss_correlation" not in found[0].metrics
    holed = np.random.default_rng(0).normal(size=(240, 3))
    holed[157] = np.nan
    np.save(path, holed)
    with refused(
        DataError, "not-finite", match="is not finite in row 7 of validation; give numbers there"
    ):
        rounds(experiment, "a", 0, tmp_path)


def test_a_side_that_labels_make_narrower_is_as_wide_as_the_round_has_it(tiny, tmp_path):
    """The class part alone: the beginning, without labels, has all of z."""
    quick = {"latent": 12, "epochs": 1, "round_epochs": 1, "part": "class"}
    arms = [{"name": "a", "strategy": "predicted_loss", "side": {"ccvae": 1.0}}]
    changes = {"arms": arms, "primary": None, "blocks": {"ccvae": quick}, "target": 30}
    found = rounds(tiny(**changes, loss_prediction={"width": 4}), "a", 0, tmp_path)
    assert all("validation/loss_correlation" in r.metrics for r in found)


def test_initial_weights_need_no_side_block_and_so_time_none(tiny, tmp_path):
    experiment = tiny(arms=LOSS_ARMS, primary=None)
    trial = TrialSpec.of(experiment, "loss + VAE", 0)
    data = load_data(experiment, None)
    assert len(initial_weights(trial, data, Cache(tmp_path))) == 64
    assert not list(tmp_path.glob("block-*"))


@pytest.mark.parametrize(
    ("arm", "code", "message"),
    [
        (
            {"strategy": "random", "side": {"vae": 1.0}},
            "side-not-used",
            "does not use; put the blocks into features",
        ),
        (
            {"strategy": "predicted_loss", "side": {"task": 1.0}},
            "side-is-task",
            "is an input of the module P anyway",
        ),
        (
            {"strategy": "predicted_loss", "side": {"vae": -1.0}},
            "bad-block-weight",
            "weight -1.0 of block 'vae'",
        ),
        (
            {"strategy": "predicted_loss", "side": {"va": 1.0}},
            "unknown-name",
            "unknown feature block 'va'",
        ),
    ],
)
def test_a_side_that_cannot_be_is_refused(tiny, arm, code, message):
    with refused(UsageError, code, match=message):
        tiny(arms=[{"name": "a", **arm}], primary=None)


@pytest.mark.parametrize("name", ["linear", "label_spreading", "encoder"])
def test_the_other_models_run_and_resume(tiny, tmp_path, name):
    arms = [{"name": "margin", "strategy": "margin"}, {"name": "core-set", "strategy": "core_set"}]
    experiment = tiny(model={"name": name, "block": "vae"}, arms=arms, primary=None)
    for arm in ("margin", "core-set"):
        whole = rounds(experiment, arm, 0, tmp_path / "a")
        rest = rounds(experiment, arm, 0, tmp_path / "b", history=whole[:2])
        assert identities(whole[2:]) == identities(rest)
        expected = "encoder of vae" if name == "encoder" else "none"
        assert whole[0].training.weights == expected
    pca = {"pca": {"components": 4}}
    other = tiny(model={"name": name, "block": "pca"}, blocks=pca, arms=arms, primary=None)
    keys = {TrialSpec.of(e, "margin", 0).key("x") for e in (experiment, other)}
    assert len(keys) == 2


def test_models_without_feature_maps_predict_no_loss(tiny):
    model = {"name": "linear", "block": "pixels"}
    arms = {
        "signal-not-available": {"strategy": "predicted_loss"},
        "no-feature-maps": {"strategy": "random", "loss_head": True},
    }
    for code, arm in arms.items():
        with refused(UsageError, code):
            tiny(model=model, arms=[{"name": "a", **arm}], primary=None)


def test_a_class_conditional_block_shows_its_last_round_and_draws_no_other(tiny, tmp_path):
    arms = [{"name": "a", "strategy": "core_set", "features": {"task": 1.0, "ccvae": 1.0}}]
    blocks = {"ccvae": {"latent": 12, "epochs": 1, "round_epochs": 1}}
    experiment = tiny(arms=arms, primary=None, blocks=blocks, target=40)
    trial = TrialSpec.of(experiment, "a", 0)
    data, cache = load_data(experiment, None), Cache.open(tmp_path)
    learner = learner_of(trial, data, cache)
    assert len(list(run_trial(trial, data, cache, (), learner))) == 2
    first, last = beginning_records(learner), last_records(learner)
    assert set(first) == {"ccvae"} and set(last) == {"ccvae, last round", RELIABILITY}
    found = learner.last[0].evaluate()["validation/ece"]
    assert calibration_error(last[RELIABILITY][0]) == found
    assert sum(row["share"] for row in last[RELIABILITY][0]) == pytest.approx(1)
    assert learner.latest["ccvae"].pictures._drawn is None
    assert set(last["ccvae, last round"][1]) == {"reconstructions", "traversal", "classes"}
    assert "label" in last["ccvae, last round"][0][-1]


def test_a_network_that_starts_from_a_class_conditional_block_fits_it_once(tiny, tmp_path):
    blocks = {"ccvae": {"latent": 12, "epochs": 1, "round_epochs": 1}}
    model = {"name": "encoder", "block": "ccvae"}
    arms = [{"name": "a", "strategy": "random"}]
    experiment = tiny(arms=arms, primary=None, blocks=blocks, model=model, target=40)
    trial = TrialSpec.of(experiment, "a", 0)
    data, cache = load_data(experiment, None), Cache.open(tmp_path)
    learner = learner_of(trial, data, cache)
    found = [r for r, _ in run_trial(trial, data, cache, (), learner)]
    assert found[0].training.weights == "encoder of ccvae" and not learner.latest
