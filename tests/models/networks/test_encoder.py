import numpy as np
import pytest
import torch

from nextlabel.core.errors import DataError
from nextlabel.models.generative.vae import VAE, VAESettings
from nextlabel.models.networks.base import build, generator
from nextlabel.models.networks.encoder import Encoder, take_over
from nextlabel.models.normalise import normalise
from refusals import refused


def state_of(vae):
    return {k: v.numpy() for k, v in vae.state_dict().items()}


@pytest.mark.parametrize("channels", [1, 3])
def test_it_computes_what_the_vaes_encoder_does(channels):
    vae = build(lambda: VAE((channels, 28, 28), VAESettings()), generator(0))
    network = build(lambda: Encoder(10), generator(1))
    take_over(network, state_of(vae))
    images = torch.randint(0, 256, (5, channels, 28, 28), dtype=torch.uint8, generator=generator(2))
    with torch.no_grad():
        theirs = vae.down(images.float() / 255)
        ours = network.taps(normalise(images))[-1]
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
    assert network(normalise(images)).shape == (5, 10)
    assert network.pool(network.taps(normalise(images))).shape == (5, network.width)


def test_a_block_without_an_encoder_is_refused():
    network = build(lambda: Encoder(10), generator(1))
    with refused(
        DataError, "no-encoder", match='has no encoder; give a VAE\'s, for example block = "vae"'
    ):
        take_over(network, {"down.0.weight": np.zeros((32, 1, 3, 3), np.float32)})
