"""The block `vae`: posterior means of a VAE trained on all images of the pool (equation 6's V)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from nextlabel.core.block import FittedBlock
from nextlabel.core.dataset import Dataset
from nextlabel.core.picture import contact_sheet
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.types import PARTS, Array, Labels
from nextlabel.models.blocks import register
from nextlabel.models.device import resolve
from nextlabel.models.pixels import to_device
from nextlabel.models.vae import FittedVAE, VAESettings, fit_vae

SHOWN = 16
TRAVERSED = 8
STEPS = np.linspace(-3, 3, 13)


@register("vae")
class VAEBlock(VAESettings):
    """Posterior means of a variational autoencoder that has seen every image and no label."""

    @property
    def supervised(self) -> bool:
        """False: the labels are not used."""
        return False

    @property
    def cached(self) -> bool:
        """True: fitting takes longer than reading."""
        return True

    @property
    def identity(self) -> Mapping[str, Any]:
        """All settings, the device by what it stands for here."""
        return self.model_dump(mode="json") | {"device": resolve(self.device).type}

    def fit(
        self, data: Dataset, pool: Pool, labels: Labels | None, number: int, seeds: Seeds
    ) -> FittedBlock:
        """Train on the pool; return means (n, latent) float32 for each part, log and pictures."""
        import torch

        images = to_device(data.train.images, torch.device("cpu"))
        fitted = fit_vae(images, self, seeds)
        features = {
            part: fitted.means(to_device(data.part(part).images, torch.device("cpu")))
            for part in PARTS
            if len(data.part(part))
        }
        pictures = {
            "reconstructions": _reconstructions(fitted, data.train.images[:SHOWN]),
            "traversal": _traversal(fitted, fitted.kl_by_dimension(images)),
        }
        return FittedBlock(features, fitted.log, pictures)


def _reconstructions(fitted: FittedVAE, images: Array) -> bytes:
    """Draw images above what the VAE makes of them."""
    import torch

    rebuilt = fitted.decode(fitted.means(to_device(images, torch.device("cpu"))))
    return contact_sheet(np.concatenate([images, rebuilt]), columns=len(images))


def _traversal(fitted: FittedVAE, kl: Array) -> bytes:
    """Draw the dimensions that tell most, a row each, from -3 to 3 about the prior's mean."""
    dimensions = np.argsort(-kl, kind="stable")[:TRAVERSED]
    z = np.zeros((len(dimensions), len(STEPS), len(kl)), np.float32)
    for row, dimension in enumerate(dimensions):
        z[row, :, dimension] = STEPS
    return contact_sheet(fitted.decode(z.reshape(-1, len(kl))), columns=len(STEPS))
