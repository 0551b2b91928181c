import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nextlabel.core.errors import DataError
from nextlabel.core.seeds import Seeds
from nextlabel.features.blocks import BLOCKS
from nextlabel.models.generative.priors import MixturePrior, NormalPrior, kl_divergence
from nextlabel.models.generative.vae import VAE, VAESettings, adam, fit_vae, reconstruction
from nextlabel.models.networks.base import build, generator
from refusals import refused


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


def test_the_normal_prior_trains_as_plain_code_does_bit_for_bit(digits):
    """The numbers of stored experiments hang on this: same draws, same order, same sums."""
    images, settings, seeds = (
        digits[0][:100],
        VAESettings(latent=4, epochs=2, device="cpu"),
        Seeds(3),
    )
    network = build(lambda: VAE((1, 8, 8), settings), generator(seeds.integer("vae weights")))
    network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.001, weight_decay=0.005, fused=True)
    order, noise = seeds.rng("vae order"), generator(seeds.integer("vae noise"))
    for _ in range(2):
        total = torch.zeros(2)
        for rows in np.array_split(order.permutation(100), 2):
            x = (images[torch.from_numpy(rows)].float() / 255).contiguous(
                memory_format=torch.channels_last
            )
            optimiser.zero_grad()
            epsilon = torch.randn(50, 4, generator=noise)
            mean, log_variance = network.encode(x)
            logits = network.decode(mean + (0.5 * log_variance).exp() * epsilon)
            rebuilt = torch.nn.functional.binary_cross_entropy_with_logits(
                logits, x, reduction="none"
            )
            rebuilt = rebuilt.flatten(1).sum(1)
            kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
            (rebuilt + 1.0 * kl).mean().backward()
            optimiser.step()
            total += torch.stack([rebuilt.detach().sum(), kl.detach().sum()])
    fitted = fit_vae(images, settings, seeds)
    for name, weight in network.state_dict().items():
        assert torch.equal(weight, fitted.network.state_dict()[name]), name
    rebuilt, kl = (total / 100).tolist()
    assert fitted.log[-1] == {"elbo": -(rebuilt + kl), "reconstruction": rebuilt, "kl": kl}


@pytest.mark.parametrize(
    ("block", "options"), [("vae_mixture", {"components": 4}), ("vae_vamp", {"pseudo_inputs": 6})]
)
def test_priors_of_several_components_train_with_the_networks(block, options, digits):
    images = digits[0][:200]
    settings = BLOCKS[block](latent=4, epochs=3, device="cpu", **options)
    before = torch.random.get_rng_state()
    fitted = fit_vae(images, settings, Seeds(0))
    again = fit_vae(images, settings, Seeds(0))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert fitted.log == again.log and fitted.log[-1]["elbo"] > fitted.log[0]["elbo"]
    start = settings.prior(fitted.network.encode, images, Seeds(0))
    for name, value in fitted.prior.named_parameters():
        assert torch.equal(value, dict(again.prior.named_parameters())[name])
        assert not torch.equal(value, dict(start.named_parameters())[name])
    for epoch in fitted.log:
        assert (
            1
            <= epoch["distinct"]
            <= epoch["components"] + 1e-4
            <= settings.prior(fitted.network.encode, images, Seeds(0)).components + 2e-4
        )


class Watched(NormalPrior):
    """A prior that keeps its inputs; its one parameter starts at 1 and no gradient reaches it."""

    pace = 10.0

    def __init__(self, latent):
        super().__init__(latent)
        self.own = torch.nn.Parameter(torch.ones(2))
        self.given, self.decoded, self.constrained = [], [], 0

    def kl(self, mean, log_variance, z):
        self.given.append((mean.detach(), log_variance.detach(), z.detach()))
        return super().kl(mean, log_variance, z) + 0 * self.own.sum()

    def constrain(self):
        self.constrained += 1


@pytest.fixture
def watched(digits, monkeypatch):
    def fit(**settings):
        prior = Watched(4)
        plan = VAESettings(latent=4, epochs=2, device="cpu", precision="fp32", **settings)
        decode = VAE.decode
        with monkeypatch.context() as patch:
            patch.setattr(VAESettings, "prior", lambda *_: prior)
            patch.setattr(VAE, "decode", lambda n, z: (prior.decoded.append(z), decode(n, z))[1])
            return prior, fit_vae(digits[0][:200], plan, Seeds(0))

    return fit


def test_the_kl_is_taken_at_the_drawn_point_that_is_decoded(watched):
    prior, _ = watched()
    assert len(prior.given) == len(prior.decoded) == prior.constrained > 4
    draws = []
    for (mean, log_variance, z), decoded in zip(prior.given, prior.decoded, strict=True):
        assert torch.equal(z, decoded)
        draws.append((z - mean) / (0.5 * log_variance).exp())
    drawn = torch.cat(draws)
    assert abs(drawn.mean()) < 0.1 and abs(drawn.std() - 1) < 0.1


def test_what_a_prior_learns_is_not_decayed(watched):
    prior, _ = watched(weight_decay=0.5, learning_rate=0.01)
    assert prior.own.tolist() == [1, 1]


def test_a_priors_parameters_learn_at_its_own_pace():
    weights, own = ([torch.nn.Parameter(torch.ones(2))] for _ in range(2))
    settings = VAESettings(learning_rate=0.01, weight_decay=0.5)
    networks, prior = adam(weights, own, 10.0, settings, torch.device("cpu")).param_groups
    assert (networks["lr"], networks["weight_decay"]) == (0.01, 0.5)
    assert (prior["lr"], prior["weight_decay"]) == (pytest.approx(0.1), 0)


def test_beta_weighs_the_kl(watched):
    told = [watched(beta=beta)[1].log[-1]["kl"] for beta in (0.0, 1.0, 20.0)]
    assert told[0] > told[1] > told[2]


def test_pseudo_inputs_stay_images(digits):
    settings = BLOCKS["vae_vamp"](
        pseudo_inputs=4, latent=2, epochs=1, learning_rate=0.01, device="cpu"
    )
    fitted = fit_vae(digits[0][:200], settings, Seeds(0))
    found = fitted.prior.pseudo_inputs
    assert found.min() == 0 and found.max() <= 1


def test_pseudo_inputs_start_as_images_of_the_pool(digits):
    images = digits[0][:30]
    settings = BLOCKS["vae_vamp"](pseudo_inputs=5, latent=2)
    network = build(lambda: VAE((1, 8, 8), settings), generator(0))
    found = (
        (settings.prior(network.encode, images, Seeds(0)).pseudo_inputs * 255)
        .round()
        .to(torch.uint8)
    )
    rows = {tuple(row.flatten().tolist()) for row in images}
    assert len({tuple(row.flatten().tolist()) for row in found} & rows) == 5


@pytest.mark.parametrize("block", ["vae", "vae_mixture"])
def test_divergence_names_the_block(block, digits):
    settings = BLOCKS[block](latent=3, epochs=3, learning_rate=1e6, device="cpu")
    with refused(
        DataError,
        "training-diverged",
        match=rf"diverged in epoch \d; lower blocks.{block}.learning",
    ):
        fit_vae(digits[0][:64], settings, Seeds(0))


def test_beta_rises_over_the_warm_up():
    settings = VAESettings(beta=2.0, warm_up=4)
    assert [settings.beta_in(epoch) for epoch in range(6)] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.0]
    assert [VAESettings(beta=2.0).beta_in(epoch) for epoch in range(2)] == [2.0, 2.0]


def test_a_warm_up_lets_the_first_epoch_tell_more(watched):
    cold, warm = (watched(beta=20.0, warm_up=epochs)[1].log for epochs in (0, 3))
    assert warm[0]["kl"] > cold[0]["kl"]


def test_free_bits_are_those_of_each_dimension():
    mean = torch.tensor([[1.0, 0.0, 3.0], [1.0, 0.0, -3.0]])
    spread = torch.zeros(2, 3)  # KL m² / 2: means over the batch 0.5, 0, 4.5
    prior = NormalPrior(3)
    kl = prior.kl(mean, spread, mean)
    assert prior.kl_beyond(0.2, mean, spread, kl).item() == pytest.approx(0.5 + 0.2 + 4.5)
    assert prior.kl_beyond(9.0, mean, spread, kl).item() == 27
    mixture = MixturePrior(2, 3, torch.Generator())
    assert mixture.kl_beyond(1.0, mean, spread, kl).item() == pytest.approx(5.0)
    assert mixture.kl_beyond(2.0, mean, spread, kl).item() == 6


@pytest.mark.slow
@pytest.mark.parametrize("block", ["vae", "vae_mixture"])
def test_free_bits_keep_dimensions_awake(digits, block):
    images = digits[0][:256].repeat_interleave(2, 2).repeat_interleave(2, 3)
    sizes = {"latent": 4, "epochs": 12, "batch_size": 32, "weight_decay": 0.0, "beta": 5.0}
    settings = {**sizes, "learning_rate": 0.003, "device": "cpu"}
    active = [
        (fit_vae(images, BLOCKS[block](**settings, free_bits=free), Seeds(0)).means(images)).var(0)
        > 0.01
        for free in (0.0, 0.3)
    ]
    assert active[0].sum() <= 2
    assert active[1].all()
