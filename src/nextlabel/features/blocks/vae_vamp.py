"""The block `vae_vamp`: a VAE whose prior is the mean posterior of learned pseudo-inputs."""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from nextlabel.core.errors import UsageError
from nextlabel.core.seeds import Seeds
from nextlabel.features.blocks import register
from nextlabel.features.blocks.vae import VAEBlock

if TYPE_CHECKING:
    from torch import Tensor

    from nextlabel.models.generative.priors import Encode, VampPrior


@register("vae_vamp")
class VampVAEBlock(VAEBlock):
    """Posterior means of a VAE with a VampPrior, its pseudo-inputs starting as images drawn."""

    pseudo_inputs: int = Field(50, ge=2)
    """Number of pseudo-inputs of the prior; at most the images of the pool."""
    block: ClassVar[str] = "vae_vamp"
    artefact: ClassVar[int] = 1

    def quick(self, images: int) -> "VampVAEBlock":
        """Return the settings for one epoch, with pseudo-inputs for so few images."""
        fewer = {"epochs": 1, "pseudo_inputs": min(images, self.pseudo_inputs)}
        return self.model_copy(update=fewer)

    def prior(self, encode: "Encode", images: "Tensor", seeds: Seeds) -> "VampPrior":
        """Return the prior before training; UsageError for more pseudo-inputs than images."""
        import torch

        from nextlabel.models.device import precise
        from nextlabel.models.generative.priors import VampPrior
        from nextlabel.models.generative.vae import scaled

        if self.pseudo_inputs > len(images):
            raise UsageError(
                f"vae_vamp.pseudo_inputs {self.pseudo_inputs} exceeds the {len(images)} images of "
                f"the pool; lower it to {len(images)}",
                code="too-many-pseudo-inputs",
            )
        rows = seeds.rng("vae prior").choice(len(images), self.pseudo_inputs, replace=False)

        def encode_precisely(x: "Tensor") -> "tuple[Tensor, Tensor]":
            with precise(x.device, self.precision):
                mean, log_variance = encode(x)
            return mean.float(), log_variance.float()

        return VampPrior(scaled(images[torch.from_numpy(rows)]), encode_precisely)
