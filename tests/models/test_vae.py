import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.core.seeds import Seeds
from nextlabel.models.network import build, generator
from nextlabel.models.priors import kl_divergence
from nextlabel.models.vae import VAE, VAESettings, fit_vae, reconstruction


def test_elbo_gradients_are_right():
    settings = VAESettings(latent=2)
    network = build(lambda: VAE((1, 8, 8), settings), generator(0)).double()
    x = torch.rand(2, 1, 8, 8, generator=generator(1)).double()
    noise = torch.randn(2, 2, generator=generator(2)).double()

    def loss(weight, bias):
        network.mean.weight.data, network.mean.bias.data = weight.data, bias.data
        top = network.down(x).flatten(1)
        mean = torch.nn.functional.linear(top, weight, bias)
        log_variance = network.log_variance(top)
        logits = network.decode(mean + (0.5 * log_variance).exp() * noise)
        return (reconstruction(logits, x, settings) + kl_divergence(mean, log_variance)).mean()

    weight = network.mean.weight.detach().clone().requires_grad_()
    bias = network.mean.bias.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(loss, (weight, bias))


@given(
    st.lists(st.floats(-5, 5), min_size=3, max_size=3),
    st.lists(st.floats(-5, 5), min_size=3, max_size=3),
)
def test_kl_is_never_negative_and_zero_for_the_prior(mean, log_variance):
    kl = kl_divergence(torch.tensor([mean]).double(), torch.tensor([log_variance]).double())
    assert kl.item() >= -1e-9
    assert kl_divergence(torch.zeros(1, 3), torch.zeros(1, 3)).item() == 0


def test_kl_equals_a_long_monte_carlo_run():
    mean, log_variance = torch.tensor([[0.7, -1.2]]).double(), torch.tensor([[0.5, -0.3]]).double()
    deviation = (0.5 * log_variance).exp()
    noise = torch.randn(400_000, 2, generator=generator(0)).double()
    z = mean + deviation * noise
    log_q = (-0.5 * noise.square() - log_variance / 2).sum(1)
    log_p = (-0.5 * z.square()).sum(1)
    assert (log_q - log_p).mean().item() == pytest.approx(
        kl_divergence(mean, log_variance).item(), abs=0.01
    )


def test_both_terms_are_summed_over_their_own_dimensions():
    settings = VAESettings()
    x = torch.full((3, 1, 8, 8), 0.5)
    assert reconstruction(torch.zeros(3, 1, 8, 8), x, settings).tolist() == pytest.approx(
        [64 * np.log(2)] * 3, rel=1e-5
    )
    assert kl_divergence(torch.ones(3, 10), torch.zeros(3, 10)).tolist() == [5.0] * 3
    gaussian = VAESettings(likelihood="gaussian", deviation=0.5)
    assert reconstruction(torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2), gaussian).item() == 2.0


@pytest.mark.parametrize("upsample", ["first", "last"])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 17, 30), (1, 8, 8)])
def test_parts_and_sizes_are_the_papers(upsample, shape):
    network = VAE(shape, VAESettings(latent=5, upsample=upsample))
    kinds = [type(m).__name__ for m in network.down if type(m).__name__ == "Conv2d"]
    assert len(kinds) == 4 and all(m.stride == (2, 2) for m in network.down[::2])
    convolutions = [m for m in network.decoder if isinstance(m, torch.nn.Conv2d)]
    rising = [isinstance(m, torch.nn.PixelShuffle) for m in network.decoder]
    assert len(convolutions) == 5 and sum(rising) == 1
    x = torch.rand(2, *shape)
    mean, log_variance = network.encode(x)
    assert mean.shape == log_variance.shape == (2, 5)
    assert network.decode(mean).shape == x.shape


def test_training_raises_the_elbo_and_repeats_bit_for_bit(digits):
    images, _ = digits
    settings = VAESettings(latent=8, epochs=4, device="cpu")
    before = torch.random.get_rng_state()
    fitted = fit_vae(images[:400], settings, Seeds(0))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert len(fitted.log) == 4
    assert fitted.log[-1]["elbo"] > fitted.log[0]["elbo"]
    for epoch in fitted.log:
        assert epoch["elbo"] == pytest.approx(-epoch["reconstruction"] - epoch["kl"])
        assert epoch["kl"] >= 0
    again = fit_vae(images[:400], settings, Seeds(0))
    means = fitted.means(images)
    assert np.array_equal(means, again.means(images)) and means.shape == (1797, 8)
    assert not np.array_equal(means, fit_vae(images[:400], settings, Seeds(1)).means(images))
    assert not fitted.network.training
    assert fitted.decode(means[:3]).shape == (3, 1, 8, 8)
