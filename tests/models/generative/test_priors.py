import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import norm

from nextlabel.models.generative.priors import MixturePrior, NormalPrior, VampPrior, kl_divergence
from nextlabel.models.networks.base import generator


def mixture(weights, means, variances):
    means = torch.tensor(means).double()
    prior = MixturePrior(len(means), means.shape[1], generator(0)).double()
    with torch.no_grad():
        prior.logits.copy_(torch.tensor(weights).double().log())
        prior.means.copy_(means)
        prior.log_variances.copy_(torch.tensor(variances).double().log())
    return prior


def vamp(images):
    """A VampPrior whose encoder is linear: mean 3x - 1, log-variance x - 1, of one pixel."""
    pseudo = torch.tensor(images).double().view(-1, 1, 1, 1)
    return VampPrior(pseudo, lambda x: (3 * x.flatten(1) - 1, x.flatten(1) - 1))


def posterior(mean, variance, draws, seed=0):
    mean, log_variance = torch.tensor([mean]).double(), torch.tensor([variance]).double().log()
    noise = torch.randn(draws, mean.shape[1], generator=generator(seed), dtype=torch.float64)
    z = mean + (0.5 * log_variance).exp() * noise
    return mean.expand(draws, -1), log_variance.expand(draws, -1), z


@given(st.lists(st.floats(-4, 4), min_size=2, max_size=2), st.integers(1, 5))
def test_the_density_is_scipys(point, components):
    rng = np.random.default_rng(components)
    weights, means = rng.dirichlet(np.ones(components)), rng.normal(size=(components, 2))
    variances = rng.uniform(0.2, 2, (components, 2))
    each = norm.logpdf(np.array(point), means, np.sqrt(variances)).sum(1) + np.log(weights)
    found = mixture(weights, means, variances).joint(torch.tensor([point]).double())
    np.testing.assert_allclose(found[0].detach(), each, atol=1e-9)
    assert found.logsumexp(1).item() == pytest.approx(logsumexp(each))


def test_one_standard_component_is_the_normal_prior_in_expectation():
    at = posterior([0.7, -1.2], [1.6, 0.7], 400_000)
    exact = NormalPrior(2).kl(*at)[0].item()
    drawn = mixture([1.0], [[0.0, 0.0]], [[1.0, 1.0]]).kl(*at)
    assert drawn.mean().item() == pytest.approx(exact, abs=0.01)
    assert drawn.std().item() > 0.1 and exact == kl_divergence(*at[:2])[0].item()


@pytest.mark.parametrize(
    ("prior", "weights", "means", "variances"),
    [
        (
            mixture([0.2, 0.5, 0.3], [[-2.0], [0.5], [3.0]], [[0.5], [1.0], [2.0]]),
            [0.2, 0.5, 0.3],
            [-2, 0.5, 3],
            [0.5, 1, 2],
        ),
        (vamp([0.0, 0.5, 1.0]), [1 / 3] * 3, [-1, 0.5, 2], np.exp([-1.0, -0.5, 0.0])),
        (NormalPrior(1), [1.0], [0], [1]),
    ],
    ids=["mixture", "vamp", "normal"],
)
def test_the_elbo_of_a_linear_gaussian_model_is_its_evidence_less_the_gap(
    prior, weights, means, variances
):
    """x = 2z + noise of variance 0.5: all is known, so ELBO = log p(x) - KL(q ‖ p(z|x))."""
    x, noise, m, v = 1.3, 0.5, 0.4, 0.3
    at = posterior([m], [v], 200_000)
    likelihood = norm.logpdf(x, 2 * at[2][:, 0].numpy(), np.sqrt(noise))
    elbo = (likelihood - prior.kl(*at).detach().numpy()).mean()
    each = np.log(weights) + norm.logpdf(
        x, 2 * np.array(means), np.sqrt(4 * np.array(variances) + noise)
    )
    evidence = logsumexp(each)

    def gap(z):
        p = logsumexp(np.log(weights) + norm.logpdf(z, means, np.sqrt(variances)))
        exact = norm.logpdf(x, 2 * z, np.sqrt(noise)) + p - evidence
        q = norm.logpdf(z, m, np.sqrt(v))
        return np.exp(q) * (q - exact)

    assert elbo == pytest.approx(evidence - quad(gap, -6, 8)[0], abs=0.02)


def test_the_exact_posterior_leaves_no_gap_at_any_draw():
    x, noise, mean, variance = 1.3, 0.5, 0.8, 2.0
    v = 1 / (1 / variance + 4 / noise)
    at = posterior([v * (mean / variance + 2 * x / noise)], [v], 50)
    likelihood = norm.logpdf(x, 2 * at[2][:, 0].numpy(), np.sqrt(noise))
    elbo = likelihood - mixture([1.0], [[mean]], [[variance]]).kl(*at).detach().numpy()
    np.testing.assert_allclose(elbo, norm.logpdf(x, 2 * mean, np.sqrt(4 * variance + noise)))


def test_gradients_of_the_drawn_kl_are_right():
    prior = mixture([0.3, 0.7], [[0.1, -1.0], [0.8, 0.4]], [[1.0, 0.5], [2.0, 1.0]])
    noise = torch.randn(3, 2, generator=generator(1), dtype=torch.float64)
    mean, log_variance = (
        torch.randn(3, 2, generator=generator(s), dtype=torch.float64).requires_grad_()
        for s in (2, 3)
    )

    def kl(mean, log_variance, *_):
        return prior.kl(mean, log_variance, mean + (0.5 * log_variance).exp() * noise)

    assert torch.autograd.gradcheck(kl, (mean, log_variance, *prior.parameters()))


def test_pseudo_inputs_learn_through_the_encoder_and_stay_images():
    layer = torch.nn.Linear(1, 2).double()
    images = torch.tensor([0.2, 0.9]).double().view(2, 1, 1, 1)
    prior = VampPrior(images, lambda x: layer(x.flatten(1)).split(1, dim=1))
    prior.kl(*posterior([0.1], [0.5], 4)).sum().backward()
    assert prior.pseudo_inputs.grad.abs().min() > 0 and layer.weight.grad.abs().min() > 0
    assert [name for name, _ in prior.named_parameters()] == ["pseudo_inputs"]
    with torch.no_grad():
        prior.pseudo_inputs += torch.tensor([-5.0, 5.0]).view(2, 1, 1, 1)
    prior.constrain()
    assert prior.pseudo_inputs.flatten().tolist() == [0, 1]
    assert images.flatten().tolist() == pytest.approx([0.2, 0.9])


def test_components_are_counted_by_what_belongs_to_them():
    apart = mixture([0.5, 0.5], [[-9.0], [9.0]], [[1.0], [1.0]])
    z = torch.tensor([[-9.0], [9.0]]).double()
    assert apart.in_use(z) == pytest.approx((2, 2))
    assert apart.in_use(z[:1].expand(7, 1)) == pytest.approx((1, 1))
    alike = mixture([0.5, 0.5], [[1.0], [1.0]], [[2.0], [2.0]])
    assert alike.in_use(z) == pytest.approx((2, 1))
    assert NormalPrior(1).in_use(z) == (1, 1)


@pytest.mark.parametrize("prior", [mixture([0.25, 0.75], [[-4.0], [4.0]], [[1.0], [0.25]])])
def test_draws_have_the_moments_of_the_prior(prior):
    drawn = prior.sample(40_000, generator(0))[:, 0]
    assert (drawn < 0).double().mean().item() == pytest.approx(0.25, abs=0.01)
    assert drawn[drawn > 0].mean().item() == pytest.approx(4, abs=0.02)
    assert drawn[drawn > 0].std().item() == pytest.approx(0.5, abs=0.02)
    assert NormalPrior(3).sample(5, generator(0)).shape == (5, 3)
