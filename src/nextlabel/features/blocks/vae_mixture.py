"""The block `vae_mixture`: a VAE whose prior is a learned mixture of Gaussians."""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from nextlabel.core.seeds import Seeds
from nextlabel.features.blocks import register
from nextlabel.features.blocks.vae import VAEBlock

if TYPE_CHECKING:
    from torch import Tensor

    from nextlabel.models.generative.priors import Encode, MixturePrior


@register("vae_mixture")
class MixtureVAEBlock(VAEBlock):
    """Posterior means of a VAE whose prior has several modes, each learned along with it."""

    components: int = Field(10, ge=2)
    """Number of Gaussians of the prior."""
    block: ClassVar[str] = "vae_mixture"
    artefact: ClassVar[int] = 1

    def prior(self, encode: "Encode", images: "Tensor", seeds: Seeds) -> "MixturePrior":
        """Return the mixture as it is before training, its means drawn by the seed."""
        from nextlabel.models.generative.priors import MixturePrior
        from nextlabel.models.networks.base import generator

        return MixturePrior(self.components, self.latent, generator(seeds.integer("vae prior")))
