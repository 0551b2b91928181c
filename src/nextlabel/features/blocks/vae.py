"""The block `vae`: posterior means of a VAE trained on all images of the pool (equation 6's V)."""

import torch
from torch import Tensor

from nextlabel.core.block import FittedBlock
from nextlabel.core.dataset import Dataset
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.types import PARTS, Labels
from nextlabel.features.blocks import register
from nextlabel.features.blocks.base import BlockSettings
from nextlabel.models import vae_pictures as draw
from nextlabel.models.normalise import to_device
from nextlabel.models.vae import FittedVAE, VAESettings, fit_vae

SHOWN = 16
ENCODER = ("down", "mean", "log_variance")


@register("vae")
class VAEBlock(VAESettings, BlockSettings):
    """Posterior means of a variational autoencoder that has seen every image and no label."""

    def fit(
        self,
        data: Dataset,
        pool: Pool,
        labels: Labels | None,
        number: int,
        seeds: Seeds,
        start: FittedBlock | None = None,
    ) -> FittedBlock:
        """Train on the pool; return means (n, latent) float32, log, pictures, encoder weights."""
        cpu = torch.device("cpu")
        images = to_device(data.train.images, cpu)
        fitted = fit_vae(images, self, seeds)
        features = {
            part: fitted.means(to_device(data.part(part).images, cpu))
            for part in PARTS
            if len(data.part(part))
        }
        pictures = self._pictures(fitted, images, seeds)
        return FittedBlock(features, fitted.log, pictures, fitted.state(*ENCODER))

    def _pictures(self, fitted: FittedVAE, images: Tensor, seeds: Seeds) -> dict[str, bytes]:
        shown = draw.reconstructions(fitted, images[:SHOWN].numpy())
        if fitted.prior.components == 1:
            walk = draw.traversal(fitted, fitted.kl_by_dimension(images))
            return {"reconstructions": shown, "traversal": walk}
        mean, log_variance = fitted.encode(images)
        walk = draw.traversal_of_cloud(fitted, mean.numpy(), log_variance.numpy())
        drawn = draw.draws(fitted, seeds)
        return {"reconstructions": shown, "traversal": walk, "draws": drawn}
