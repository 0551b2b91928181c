import numpy as np
import torch

from nextlabel.core.errors import DataError, UsageError
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.scaled_blocks import ScaledBlocks
from nextlabel.features.cache import Cache
from nextlabel.models.generative.priors import MixturePrior
from nextlabel.models.task_models import create_model
from nextlabel.models.task_models.named_mixture import NamedMixture, component_shares
from nextlabel.trial.data import load_data
from nextlabel.trial.spec import TrialSpec
from nextlabel.trial.trial import learner_of, run_trial
from refusals import refused

STATE = {
    "prior/log_weights": np.log([0.5, 0.3, 0.2]),
    "prior/means": np.array([[0.0], [10.0], [90.0]]),
    "prior/log_variances": np.zeros((3, 1)),
}


def fitted(rows, labelled, labels, unit=7.0, **options):
    settings = create_model("named_mixture", block="vae_mixture", **options)
    blocks = ScaledBlocks({"vae_mixture": np.array(rows, float)[:, None]}, {"vae_mixture": unit})
    classifier = NamedMixture(settings, STATE).fit_blocks(
        blocks, np.array(labelled), np.array(labels)
    )
    return classifier.classes_, classifier.probabilities(blocks)


def test_components_have_the_class_shares_of_their_labels():
    classes, found = fitted([0, 0.5, 10, 9, 90, 5], [0, 1, 2], [2, 5, 5], smoothing=0.5)
    assert classes.tolist() == [2, 5]
    first = np.array([1 + 0.5 / 3, 1 + 0.5 * 2 / 3]) / 2.5
    second = np.array([0.5 / 3, 1 + 0.5 * 2 / 3]) / 1.5
    np.testing.assert_allclose(found[:4], [first, first, second, second], atol=1e-9)
    np.testing.assert_allclose(found[4], [1 / 3, 2 / 3], atol=1e-9)  # no label is there
    share = 0.5 / (0.5 + 0.3)  # halfway between the components their weights decide
    np.testing.assert_allclose(found[5], share * first + (1 - share) * second, atol=1e-9)


def test_the_scale_of_the_space_changes_nothing():
    one, other = (fitted([0, 10, 4], [0, 1], [0, 1], unit)[1] for unit in (1.0, 50.0))
    np.testing.assert_array_equal(one, other)


def test_shares_are_the_prior_s_own():
    prior = MixturePrior(5, 3, torch.Generator().manual_seed(0))
    with torch.no_grad():
        prior.logits.copy_(torch.arange(5.0))
        prior.log_variances.copy_(torch.linspace(-1, 1, 15).view(5, 3))
    z = torch.randn(40, 3, generator=torch.Generator().manual_seed(1))
    expected = prior.joint(z).softmax(1).detach().numpy()
    mixture = tuple(np.asarray(a, np.float64) for a in prior.arrays().values())
    found = component_shares(ScaledBlocks({"z": z.numpy()}, {"z": 2.0}), mixture)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_trial_names_the_components_of_its_own_vae(tiny, tmp_path):
    experiment = tiny(
        arms=[{"name": "a", "strategy": "margin"}],
        primary=None,
        blocks={"vae_mixture": {"latent": 2, "epochs": 2, "components": 4}},
        model={"name": "named_mixture", "block": "vae_mixture"},
        target=40,
    )
    trial, data = TrialSpec.of(experiment, "a", 0), load_data(experiment, None)
    learner = learner_of(trial, data, Cache.open(tmp_path))
    found = [r for r, _ in run_trial(trial, data, learner.cache, (), learner)]
    again = [r for r, _ in run_trial(trial, data, learner.cache)]  # the block from the cache
    assert [r.identity for r in found] == [r.identity for r in again]
    state = experiment.block("vae_mixture").fit(data, Pool(150), None, 0, Seeds(0)).state
    assert state["prior/means"].shape == (4, 2)
    (model,) = [one.model for one in learner.last]
    for array, name in zip(model.classifiers[0].mixture, STATE, strict=True):
        np.testing.assert_array_equal(array, state[name])


def test_a_block_without_a_mixture_is_refused(tiny, tmp_path):
    experiment = tiny(
        arms=[{"name": "a", "strategy": "random"}],
        primary=None,
        model={"name": "named_mixture", "block": "vae"},
    )
    trial, data = TrialSpec.of(experiment, "a", 0), load_data(experiment, None)
    with refused(DataError, "no-mixture", match="block 'vae' has no mixture"):
        list(run_trial(trial, data, Cache.open(tmp_path)))
    with refused(UsageError, "invalid-setting", match="reads one block"):
        create_model("named_mixture", blocks={"vae_mixture": 1.0})
