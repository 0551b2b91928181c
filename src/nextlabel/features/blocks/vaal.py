"""The block `vaal`: a VAE and a discriminator of labelled images, trained in each round."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from nextlabel.core.dataset import Dataset
from nextlabel.core.pool import Pool
from nextlabel.core.seeds import Seeds
from nextlabel.core.space.block import FittedBlock
from nextlabel.core.types import PARTS, Array, Labels, Part
from nextlabel.features.blocks import register
from nextlabel.features.blocks.vae import SHOWN, VAEBlock, with_activity
from nextlabel.models.generative.vae_settings import ENCODER, VAALSettings

if TYPE_CHECKING:
    from nextlabel.models.generative.vae import FittedVAE


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

        from nextlabel.models.generative.vae import fit_vae
        from nextlabel.models.normalise import to_device

        images = to_device(data.train.images, torch.device("cpu"))
        if labels is None or not len(labels):
            fitted = fit_vae(images, self, seeds)
            return self._block(data, fitted, fitted.state())
        beginning = fit_vae(images, self, seeds).state() if start is None else start.state
        return self._round(data, pool, beginning, number, seeds)

    def _round(
        self,
        data: Dataset,
        pool: Pool,
        beginning: Mapping[str, Array],
        number: int,
        seeds: Seeds,
        predicted_losses: Array | None = None,
    ) -> FittedBlock:
        """Return the block of a round, which continues from the weights of a beginning."""
        import torch

        from nextlabel.models.generative.vaal import refit_vaal
        from nextlabel.models.normalise import to_device

        images = to_device(data.train.images, torch.device("cpu"))
        fitted, scores = refit_vaal(
            images, pool.labelled, beginning, self, number, seeds, predicted_losses
        )
        state = fitted.state(*ENCODER)
        # A decoder that reads more than z draws no picture from z alone.
        return self._block(data, fitted, state, scores, draws=predicted_losses is None)

    def _block(
        self,
        data: Dataset,
        fitted: "FittedVAE",
        state: Mapping[str, Array],
        scores: Array | None = None,
        draws: bool = True,
    ) -> FittedBlock:
        """Return means of each part, log, pictures, state and scores."""
        import torch

        from nextlabel.models.generative import vae_pictures as draw
        from nextlabel.models.normalise import to_device

        cpu = torch.device("cpu")
        features: dict[Part, Array] = {}
        for part in PARTS:
            if len(data.part(part)):
                features[part] = fitted.means(to_device(data.part(part).images, cpu))
        pictures = {}
        if draws:
            pictures["reconstructions"] = draw.reconstructions(fitted, data.train.images[:SHOWN])
        named = {} if scores is None else {"discriminator": scores}
        log = with_activity(fitted.log, features["train"], data.train.images)
        return FittedBlock(features, log, pictures, state, named)
