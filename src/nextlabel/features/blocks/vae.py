"""The block `vae`: posterior means of a VAE trained on all images of the pool (equation 6's V)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nextlabel.core.dataset import Dataset
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.block import FittedBlock
from nextlabel.core.types import PARTS, Array, Labels, Part
from nextlabel.features.blocks import register
from nextlabel.features.blocks.base import BlockSettings
from nextlabel.models.generative.vae_settings import ENCODER, VAESettings
from nextlabel.models.timing import sample_size, seconds_of
from nextlabel.statistics.latent_activity import activity, logged_activity
from nextlabel.statistics.mixture_collapse import collapsed

if TYPE_CHECKING:
    from torch import Tensor

    from nextlabel.models.generative.vae import FittedVAE

SHOWN = 16


@register("vae")
class VAEBlock(VAESettings, BlockSettings):
    """Posterior means of a variational autoencoder that has seen every image and no label."""

    @property
    def passes(self) -> int:
        """The epochs of the training without labels."""
        return self.epochs

    def pass_seconds(self, data: Dataset) -> float:
        """Return the estimated seconds of one epoch, from one of a few images."""
        import torch

        from nextlabel.models.generative.vae import fit_vae
        from nextlabel.models.normalise import to_device

        images = data.train.images[: sample_size(data.train.images, self.batch_size)]
        batch, once = to_device(images, torch.device("cpu")), self.quick(len(images))
        fit_vae(batch, once, Seeds(0))
        seconds = seconds_of(lambda: fit_vae(batch, once, Seeds(0)))
        return seconds * len(data.train) / len(images)

    def quick(self, images: int) -> "VAEBlock":
        """Return the settings for one epoch on so few images."""
        return self.model_copy(update={"epochs": 1})

    def warnings(self, fitted: FittedBlock) -> Sequence[str]:
        """Return sentences for a VAE that learned little, and for components that ended as one."""
        said = []
        learned = logged_activity(fitted.log)
        if learned is not None and learned.asleep:
            said.append(
                f"the block {self.block} learned little: {learned}; give larger images, set its "
                f"weight_decay, now {self.weight_decay:g}, to 0, raise its epochs, now "
                f"{self.epochs}, set its free_bits to 0.1, or use the block pca"
            )
        if not collapsed(fitted.log):
            return said
        said.append(
            f"the prior's components collapsed to {fitted.log[-1]['distinct']:.2f} distinct ones "
            f"after {len(fitted.log)} epochs, which is a single Gaussian; lower its beta, now "
            f"{self.beta:g}, raise its epochs, now {self.epochs}, "
            "or use the block vae",
        )
        return said

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
        import torch

        from nextlabel.models.generative.vae import fit_vae
        from nextlabel.models.normalise import to_device

        cpu = torch.device("cpu")
        images = to_device(data.train.images, cpu)
        fitted = fit_vae(images, self, seeds)
        features = {
            part: fitted.means(to_device(data.part(part).images, cpu))
            for part in PARTS
            if len(data.part(part))
        }
        log = with_activity(fitted.log, features["train"], data.train.images)
        pictures = self._pictures(fitted, images, seeds)
        state = fitted.state(*ENCODER) | fitted.prior.arrays()
        return FittedBlock(features, log, pictures, state)

    def encode(self, fitted: FittedBlock, data: Dataset, part: Part = "train") -> Array:
        """Return posterior means (n, latent) float32 of images that were not in the fit."""
        from nextlabel.models.generative.vae_encoder import posterior_means

        return posterior_means(data.part(part).images, self, fitted.state)

    def _pictures(self, fitted: "FittedVAE", images: "Tensor", seeds: Seeds) -> dict[str, bytes]:
        from nextlabel.models.generative import vae_pictures as draw

        shown = draw.reconstructions(fitted, images[:SHOWN].numpy())
        if fitted.prior.components == 1:
            walk = draw.traversal(fitted, fitted.kl_by_dimension(images))
            return {"reconstructions": shown, "traversal": walk}
        mean, log_variance = fitted.encode(images)
        walk = draw.traversal_of_cloud(fitted, mean.numpy(), log_variance.numpy())
        drawn = draw.draws(fitted, seeds)
        return {"reconstructions": shown, "traversal": walk, "draws": drawn}


def with_activity(
    log: Sequence[Mapping[str, float]], means: Array, images: Array
) -> tuple[Mapping[str, float], ...]:
    """Return a block's log with the activity of posterior means (N, latent) in its last epoch."""
    brightness = images.reshape(len(images), -1).mean(axis=1)
    return (*log[:-1], {**log[-1], **activity(means, brightness).numbers()})
