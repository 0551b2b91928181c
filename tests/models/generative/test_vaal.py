"""VAAL's two losses against its equations, and the block, the signal and the strategy."""

import math

import numpy as np
import pytest
import torch

from nextlabel import Pool, Snapshot
from nextlabel.core.dataset import Dataset
from nextlabel.core.seeds import Seeds
from nextlabel.features.cache import Cache
from nextlabel.models.generative import vaal
from nextlabel.models.generative.vae import fit_vae
from nextlabel.models.generative.vae_settings import VAALSettings
from nextlabel.strategies import create
from nextlabel.trial.data import load_data
from nextlabel.trial.spec import TrialSpec
from nextlabel.trial.trial import learner_of, run_trial

QUICK = VAALSettings(
    latent=4,
    epochs=12,
    round_epochs=6,
    batch_size=32,
    likelihood="gaussian",
    learning_rate=0.003,
    weight_decay=0,
    discriminator_rate=0.003,
    device="cpu",
    precision="fp32",
)


@pytest.fixture(scope="module")
def images(digits):
    return digits[0][:200]


@pytest.fixture(scope="module")
def beginning(images):
    return fit_vae(images, QUICK, Seeds(0)).state()


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_the_losses_are_those_of_the_paper() -> None:
    """The VAE's is -E log D(z_L) - E log D(z_U); the other has 1 - D(z_U) in the second term."""
    logits, truth = torch.tensor([2.0, -1.0, 0.5]), torch.tensor([1.0, 0, 0])
    of_vae = -math.log(sigmoid(2)) - (math.log(sigmoid(-1)) + math.log(sigmoid(0.5))) / 2
    found = vaal.cross_entropy(logits, truth, torch.ones(3))
    assert float(found) == pytest.approx(of_vae, rel=1e-6)
    of_judge = -math.log(sigmoid(2)) - (math.log(sigmoid(1)) + math.log(sigmoid(-0.5))) / 2
    assert float(vaal.cross_entropy(logits, truth, truth)) == pytest.approx(of_judge, rel=1e-6)
    alone = vaal.cross_entropy(logits[:1], truth[:1], truth[:1])
    assert float(alone) == pytest.approx(-math.log(sigmoid(2)), rel=1e-6)


def test_the_discriminator_finds_the_labelled_unless_the_adversary_hides_them(
    images, beginning
) -> None:
    """Dark images are labelled, which their posterior means show."""
    brightness = images.float().mean((1, 2, 3)).numpy()
    labelled = np.argsort(brightness)[:60]
    others = np.setdiff1d(np.arange(200), labelled)
    gaps = []
    for weight in (0.0, 50.0):
        settings = QUICK.model_copy(update={"adversary": weight})
        fitted, scores = vaal.refit_vaal(images, labelled, beginning, settings, 1, Seeds(0))
        assert scores.shape == (200,)
        assert [sorted(epoch) for epoch in fitted.log] == 6 * [
            ["adversary", "discriminator", "elbo", "kl", "reconstruction"]
        ]
        gaps.append(scores[labelled].mean() - scores[others].mean())
    assert gaps[0] > 0.08
    assert abs(gaps[1]) < gaps[0] / 2


def test_free_bits_cost_nothing_in_a_round(images, beginning) -> None:
    """With more bits free than the VAE uses, KL has no gradient at any weight."""
    short = QUICK.model_copy(update={"round_epochs": 1})
    free = short.model_copy(update={"free_bits": 1e6})
    rows = np.arange(0, 60, 3)
    log, of_weight, without = (
        vaal.refit_vaal(images, rows, beginning, settings, 1, Seeds(0))[0].log
        for settings in (free, free.model_copy(update={"beta": 100.0}), short)
    )
    rebuilt = [[epoch["reconstruction"] for epoch in each] for each in (log, of_weight, without)]
    assert rebuilt[0] == rebuilt[1]
    assert log[-1]["kl"] > without[-1]["kl"]


def test_a_round_is_the_same_again_and_whatever_the_order_of_labels(images, beginning) -> None:
    rows = np.arange(0, 60, 3)
    first, again, other = (
        vaal.refit_vaal(images, ids, beginning, QUICK, number, Seeds(0))[1]
        for ids, number in ((rows, 1), (rows[::-1], 1), (rows, 2))
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_strategy_takes_the_lowest_score() -> None:
    scores = np.array([0.9, 0.1, 0.4, 0.1, 0.2])
    snapshot = Snapshot(Pool(5, np.array([4])), signals={"discriminator": scores})
    picks = create("vaal").select(snapshot, 3, np.random.default_rng(0))
    assert picks.tolist() == [1, 3, 2]


def test_an_experiment_trains_the_block_for_the_strategy(tiny, tmp_path) -> None:
    block = {"latent": 4, "epochs": 1, "round_epochs": 1}
    experiment = tiny(
        arms=[{"name": "vaal", "strategy": "vaal"}],
        primary=None,
        target=60,
        model={"name": "linear", "block": "pca"},
        training={"device": "cpu", "precision": "fp32"},
        blocks={"vaal": block, "pca": {"components": 4}},
    )
    assert "vaal" in experiment.blocks_of(experiment.arm("vaal"))
    trial, data = TrialSpec.of(experiment, "vaal", 0), load_data(experiment, None)
    cache = Cache.open(tmp_path)
    learner = learner_of(trial, data, cache)
    rounds = [r for r, _ in run_trial(trial, data, cache, learner=learner)]
    assert isinstance(data, Dataset)
    assert {"active_units", "latent", "brightness"} <= set(learner.latest["vaal"].log[-1])
    assert [r.labelled_count for r in rounds] == [20, 40, 60]
    scores = learner.latest["vaal"].scores["discriminator"]
    assert scores.shape == (len(data.train),)
    assert ((scores > 0) & (scores < 1)).all()
