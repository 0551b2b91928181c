"""What a VAE has learned, as PNG pictures: reconstructions, traversals and draws of its prior."""

import numpy as np

from nextlabel.core.picture import contact_sheet
from nextlabel.core.seeds import Seeds
from nextlabel.core.types import Array
from nextlabel.models.network import generator
from nextlabel.models.vae import FittedVAE

TRAVERSED = 8
STEPS = np.linspace(-3, 3, 13)
DRAWN = 32


def reconstructions(fitted: FittedVAE, images: Array) -> bytes:
    """Draw uint8 images (n, C, H, W) above what the VAE makes of them."""
    import torch

    rebuilt = fitted.decode(fitted.means(torch.from_numpy(np.ascontiguousarray(images))))
    return contact_sheet(np.concatenate([images, rebuilt]), columns=len(images))


def traversal(
    fitted: FittedVAE, tells: Array, centre: Array | None = None, scale: Array | None = None
) -> bytes:
    """Draw the dimensions that tell most (latent), a row each, from -3 to 3.

    Steps are counted from `centre` in units of `scale` (latent), by default those of N(0, 1).
    """
    width = len(tells)
    dimensions = np.argsort(-tells, kind="stable")[:TRAVERSED]
    z = np.zeros((len(dimensions), len(STEPS), width), np.float32)
    if centre is not None:
        z += centre
    for row, dimension in enumerate(dimensions):
        z[row, :, dimension] += STEPS if scale is None else STEPS * scale[dimension]
    return contact_sheet(fitted.decode(z.reshape(-1, width)), columns=len(STEPS))


def traversal_of_cloud(fitted: FittedVAE, mean: Array, log_variance: Array) -> bytes:
    """Draw a traversal about the centre of posteriors (N, latent), in their own deviations.

    A dimension tells what separates its posteriors: log of all its variance over the noise.
    """
    spread, noise = mean.var(0), np.exp(log_variance).mean(0)
    return traversal(fitted, np.log1p(spread / noise), mean.mean(0), np.sqrt(spread))


def draws(fitted: FittedVAE, seeds: Seeds) -> bytes:
    """Draw images that the prior and the decoder dream up."""
    z = fitted.prior.sample(DRAWN, generator(seeds.integer("vae draws")))
    return contact_sheet(fitted.decode(z))
