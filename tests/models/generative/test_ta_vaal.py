"""TA-VAAL's two additions to VAAL, and its block, signal and strategy in an experiment."""

import math

import numpy as np
import pytest
import torch

from nextlabel import Pool, Snapshot
from nextlabel.core.errors import UsageError
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.block import FittedBlock
from nextlabel.core.task_model import ModelOutputs
from nextlabel.features.blocks import BLOCKS
from nextlabel.features.cache import Cache
from nextlabel.models.generative import vaal
from nextlabel.models.generative.vae import VAE, fit_vae
from nextlabel.models.generative.vae_settings import VAALSettings
from nextlabel.models.loss_prediction import rank_loss
from nextlabel.strategies import create
from nextlabel.trial.data import load_data
from nextlabel.trial.spec import TrialSpec
from nextlabel.trial.trial import learner_of, run_trial
from refusals import refused

QUICK = VAALSettings(
    latent=4,
    epochs=2,
    round_epochs=6,
    batch_size=32,
    discriminator_rate=0.003,
    device="cpu",
    precision="fp32",
)


def test_the_loss_of_ranks_by_hand() -> None:
    """-log σ(p1 - p2) where the first image has the larger loss, else -log(1 - σ(p1 - p2))."""
    predicted, true = torch.tensor([2.0, 0.5, 1.0, 1.0]), torch.tensor([3.0, 1.0, 1.0, 4.0])
    pairs = torch.tensor([[0, 2], [1, 3]])  # 1.5 apart and right; equal and the second larger
    by_hand = (math.log(1 + math.exp(-1.5)) + math.log(2)) / 2
    assert rank_loss(predicted, true, pairs).item() == pytest.approx(by_hand, rel=1e-6)
    assert rank_loss(predicted, true, pairs.flip(0)).item() == pytest.approx(
        (math.log(1 + math.exp(-1.5)) + math.log(2)) / 2, rel=1e-6
    )
    tie = torch.tensor([[0], [1]])
    equal = rank_loss(torch.tensor([2.0, 0.0]), torch.ones(2), tie)
    assert equal.item() == pytest.approx(math.log(1 + math.exp(2)), rel=1e-6)
    assert rank_loss(predicted, true, torch.empty((2, 0), dtype=torch.long)).item() == 0


def test_the_decoder_begins_as_it_was_and_then_reads_the_condition() -> None:
    network = VAE((1, 16, 16), QUICK)
    z, condition = torch.randn(3, 4), torch.rand(3, 1)
    before = network.decode(z)
    wide = vaal.with_condition(network)
    assert torch.allclose(wide.decode(torch.cat([z, condition], 1)), before, atol=1e-6)
    with torch.no_grad():
        wide.up.weight[:, -1] = 1
    assert not torch.allclose(wide.decode(torch.cat([z, condition], 1)), before, atol=1e-3)


def test_the_discriminator_reads_the_predicted_loss(digits) -> None:
    """Labelled images differ in the predicted loss alone, and not in their pixels."""
    images = digits[0][:200]
    labelled = np.random.default_rng(0).permutation(200)[:80]
    beginning = fit_vae(images, QUICK, Seeds(0)).state()
    losses = np.zeros(200, np.float32)
    losses[labelled] = 2
    gaps = []
    for predicted in (None, losses):
        _, scores = vaal.refit_vaal(images, labelled, beginning, QUICK, 1, Seeds(0), predicted)
        others = np.setdiff1d(np.arange(200), labelled)
        gaps.append(scores[labelled].mean() - scores[others].mean())
    assert abs(gaps[0]) < 0.1 and gaps[1] > 0.3


def test_the_strategy_takes_the_lowest_score_of_its_own_signal() -> None:
    signals = {
        "ranked_discriminator": np.array([0.9, 0.1, 0.4, 0.2]),
        "discriminator": np.eye(4)[0],
    }
    snapshot = Snapshot(Pool(4), signals=signals)
    assert create("ta_vaal").select(snapshot, 2, np.random.default_rng(0)).tolist() == [1, 3]


def experiment_of(tiny, **changes):
    settings = {
        "arms": [{"name": "a", "strategy": "ta_vaal"}],
        "primary": None,
        "target": 60,
        "model": {"name": "small_cnn", "weights": "random"},
        "training": {"device": "cpu", "precision": "fp32", "min_steps": 4},
        "loss_prediction": {"objective": "rank"},
        "blocks": {"ta_vaal": {"latent": 4, "epochs": 1, "round_epochs": 1}},
    }
    return tiny(**(settings | changes))


def test_each_round_reads_the_model_of_the_same_round(tiny, tmp_path, monkeypatch) -> None:
    read = []
    refit = vaal.refit_vaal

    def recording(*arguments):
        read.append(arguments[-1])
        return refit(*arguments)

    monkeypatch.setattr(vaal, "refit_vaal", recording)
    experiment = experiment_of(tiny)
    trial, data = TrialSpec.of(experiment, "a", 0), load_data(experiment, None)
    cache = Cache.open(tmp_path)
    learner = learner_of(trial, data, cache)
    for finished, _ in run_trial(trial, data, cache, learner=learner):
        (fitted,) = learner.last
        outputs = fitted.model.predict(learner.inputs("train", fitted.blocks))
        assert np.array_equal(read[-1], outputs.predicted_loss)
        assert len(read) == finished.number + 1
    assert len(read) == 3 and not np.array_equal(read[0], read[1])
    scores = learner.latest["ta_vaal"].scores["discriminator"]
    assert scores.shape == (len(data.train),) and ((scores > 0) & (scores < 1)).all()


def test_a_model_cannot_read_what_is_fitted_to_it(tiny) -> None:
    for changes in (
        {"arms": [{"name": "a", "strategy": "random"}],
         "model": {"name": "linear", "block": "ta_vaal"}},
        {"arms": [{"name": "a", "strategy": "ta_vaal", "side": {"ta_vaal": 1.0}}]},
    ):  # fmt: skip
        with refused(UsageError, "block-reads-model"):
            experiment_of(tiny, **changes)
    with refused(UsageError, "signal-not-available"):
        experiment_of(tiny, model={"name": "linear", "block": "pca"})
    block = BLOCKS["ta_vaal"](latent=4)
    outputs = ModelOutputs(np.zeros((2, 1)), np.zeros((2, 2)))
    with refused(UsageError, "no-loss-prediction"):
        block.fit_to_model(None, Pool(2), outputs, 0, Seeds(0), FittedBlock({}))
