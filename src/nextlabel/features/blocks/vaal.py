"""The block `vaal`: a VAE and a discriminator of labelled images, trained in each round."""

from typing import ClassVar

from nextlabel.core.dataset import Dataset
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.block import FittedBlock
from nextlabel.core.types import PARTS, Array, Labels, Part
from nextlabel.features.blocks import register
from nextlabel.features.blocks.vae import SHOWN, VAEBlock
from nextlabel.models.generative.vae_settings import ENCODER, VAALSettings


@register("vaal")
class VAALBlock(VAALSettings, VAEBlock):
    """Posterior means of VAAL's VAE, and the scores of its discriminator.

    The beginning is a plain VAE, `epochs` on the pool without labels. Each round continues from it
    for `round_epochs`, with a new discriminator, which learns from posterior means which images are
    labelled; no label is read. An arm of the strategy `vaal` has this block, whether it is among
    its `features` or not.
    """

    supervised: ClassVar[bool] = True
    block: ClassVar[str] = "vaal"

    @property
    def round_passes(self) -> int:
        """The epochs of each round."""
        return self.round_epochs

    def fit(
        self,
        data: Dataset,
        pool: Pool,
        labels: Labels | None,
        number: int,
        seeds: Seeds,
        start: FittedBlock | None = None,
    ) -> FittedBlock:
        """Train without labels, or go on from `start` with the images that are labelled.

        Returns means (n, latent) float32 for each part, log, pictures, and as state all weights of
        a beginning or the encoder's of a round; of a round also the scores "discriminator" (N).
        """
        import torch

        from nextlabel.models.generative import vae_pictures as draw
        from nextlabel.models.generative.vaal import refit
        from nextlabel.models.generative.vae import fit_vae
        from nextlabel.models.normalise import to_device

        cpu = torch.device("cpu")
        images = to_device(data.train.images, cpu)
        if start is None or labels is None or not len(labels):
            fitted = fit_vae(images, self, seeds)
        beginning = fitted.state() if start is None else start.state
        scores = {}
        if labels is None or not len(labels):
            state = beginning
        else:
            fitted, probabilities = refit(images, pool.labelled, beginning, self, number, seeds)
            state, scores = fitted.state(*ENCODER), {"discriminator": probabilities}
        features: dict[Part, Array] = {}
        for part in PARTS:
            if len(data.part(part)):
                features[part] = fitted.means(to_device(data.part(part).images, cpu))
        pictures = {"reconstructions": draw.reconstructions(fitted, data.train.images[:SHOWN])}
        return FittedBlock(features, fitted.log, pictures, state, scores)
