"""The encoder of a fitted VAE from its stored weights, for images that were not in the fit."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from nextlabel.core.errors import DataError
from nextlabel.core.types import Array
from nextlabel.models.generative.priors import NormalPrior
from nextlabel.models.generative.vae import VAE, FittedVAE
from nextlabel.models.generative.vae_settings import ENCODER, VAESettings
from nextlabel.models.networks.base import build, generator
from nextlabel.models.normalise import to_device


def posterior_means(
    images: NDArray[np.uint8], settings: VAESettings, weights: Mapping[str, Array]
) -> Array:
    """Return the posterior means of images by an encoder's weights.

    Parameters
    ----------
    images : uint8 array (N, C, H, W)
        Images of the channels and the size that the VAE was fitted to.
    settings : VAESettings
        The settings of the fit.
    weights : mapping of str to float32 array
        The encoder's weights, as `FittedVAE.state(*ENCODER)` gives them.

    Returns
    -------
    float32 array (N, latent)
        The rows that `FittedVAE.means` gives.

    Raises
    ------
    DataError
        The images have another number of channels, or another size, than the weights need.
    """
    shape = (images.shape[1], images.shape[2], images.shape[3])
    network = build(lambda: VAE(shape, settings), generator(0))
    encoder = {k: v for k, v in network.state_dict().items() if k.split(".")[0] in ENCODER}
    for name, tensor in encoder.items():
        if name not in weights or tuple(weights[name].shape) != tuple(tensor.shape):
            raise DataError(
                f"images of {' x '.join(map(str, shape))} (channels, height, width) do not fit the "
                f"VAE's weights {name}; give images of the size and the channels of its fit",
                code="images-do-not-fit-encoder",
            )
    stored = {name: torch.from_numpy(np.array(weights[name])) for name in encoder}
    network.load_state_dict(stored, strict=False)
    network.eval()
    cpu = torch.device("cpu")
    return FittedVAE(network, cpu, (), NormalPrior(settings.latent)).means(to_device(images, cpu))
