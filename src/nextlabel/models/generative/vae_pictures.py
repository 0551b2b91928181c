"""Pictures of a fitted VAE, as PNG: reconstructions, traversals and draws of its prior."""

import numpy as np
import torch

from nextlabel.core.seeds import Seeds
from nextlabel.core.types import Array
from nextlabel.files.contact_sheet import contact_sheet
from nextlabel.models.generative.ccvae import ClassDistributions
from nextlabel.models.generative.vae import FittedVAE
from nextlabel.models.networks.base import generator

TRAVERSED = 8
STEPS = np.linspace(-3, 3, 13)
DRAWN = 32
COLUMNS = 12


def reconstructions(fitted: FittedVAE, images: Array) -> bytes:
    """Draw uint8 images (n, C, H, W) above their reconstructions."""
    rebuilt = fitted.decode(fitted.means(torch.from_numpy(np.array(images))))
    return contact_sheet(np.concatenate([images, rebuilt]), columns=len(images))


def traversal(
    fitted: FittedVAE, tells: Array, centre: Array | None = None, scale: Array | None = None
) -> bytes:
    """Draw the dimensions that tell most (latent), one per row, from -3 to 3.

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

    A dimension ranks by the log of its variance over that of the noise.
    """
    spread, noise = mean.var(0), np.exp(log_variance).mean(0)
    return traversal(fitted, np.log1p(spread / noise), mean.mean(0), np.sqrt(spread))


def draws(fitted: FittedVAE, seeds: Seeds) -> bytes:
    """Draw images decoded from samples of the prior."""
    z = fitted.prior.sample(DRAWN, generator(seeds.integer("vae draws")))
    return contact_sheet(fitted.decode(z))


def by_class(fitted: FittedVAE, classes: ClassDistributions, seeds: Seeds) -> bytes:
    """Draw images of each class, one class per row, the columns sharing everything else.

    With several labels a row is a finding, absent in its left half and present in its right one.
    """
    labels, values, _ = classes.means.shape
    rows = values if labels == 1 else labels
    wanted = torch.zeros(rows, COLUMNS, labels, dtype=torch.int64)
    if labels == 1:
        wanted[:, :, 0] = torch.arange(values)[:, None]
    else:
        for finding in range(labels):
            wanted[finding, COLUMNS // 2 :, finding] = 1
    width = fitted.network.mean.out_features
    random = generator(seeds.integer("ccvae draws"))
    noise = torch.randn(COLUMNS if labels == 1 else COLUMNS // 2, width, generator=random)
    noise = noise.repeat(rows if labels == 1 else 2 * rows, 1)
    z = classes.placed(wanted.view(-1, labels), noise.to(classes.means.device))
    return contact_sheet(fitted.decode(z), columns=COLUMNS)
