"""The block `vae_vamp`: a VAE whose prior is the mean posterior of learned pseudo-inputs."""

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from nextlabel.core.errors import UsageError
from nextlabel.core.seeds import Seeds
from nextlabel.features.blocks import register
from nextlabel.features.blocks.vae import VAEBlock
from nextlabel.models.device import precise
from nextlabel.models.priors import VampPrior
from nextlabel.models.vae import VAE, scaled


@register("vae_vamp")
class VampVAEBlock(VAEBlock):
    """Posterior means of a VAE with a VampPrior, its pseudo-inputs starting as images drawn."""

    pseudo_inputs: int = Field(50, ge=2)
    block: ClassVar[str] = "vae_vamp"

    def prior(self, network: VAE, images: Tensor, seeds: Seeds) -> VampPrior:
        """Return the prior before training; UsageError for more pseudo-inputs than images."""
        if self.pseudo_inputs > len(images):
            raise UsageError(
                f"vae_vamp.pseudo_inputs {self.pseudo_inputs} exceeds the {len(images)} images of "
                f"the pool; lower it to {len(images)}"
            )
        rows = seeds.rng("vae prior").choice(len(images), self.pseudo_inputs, replace=False)

        def encode(x: Tensor) -> tuple[Tensor, Tensor]:
            with precise(x.device, self.precision):
                mean, log_variance = network.encode(x)
            return mean.float(), log_variance.float()

        return VampPrior(scaled(images[torch.from_numpy(rows)]), encode)
