"""Settings of variational autoencoders, apart from torch, so that they are parsed without it."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from nextlabel.core.errors import UsageError
from nextlabel.core.settings import Settings
from nextlabel.models.settings import Device, Precision

if TYPE_CHECKING:
    from torch import Tensor

    from nextlabel.core.seeds import Seeds
    from nextlabel.models.generative.priors import Encode, Prior

ENCODER = ("down", "mean", "log_variance")
"""The modules of the network that encode."""


class VAESettings(Settings):
    """The table `[blocks.vae]`: the paper's training, and what it leaves open.

    `upsample = "first"` is the literal reading of the paper's decoder (up-sampling convolution,
    then four size-preserving ones at full size); "last" has the same parts the other way round,
    ten times faster. `beta` weighs the KL term.
    """

    latent: int = Field(32, ge=1, le=4096)
    """Number of latent dimensions, which are the features."""
    epochs: int = Field(20, ge=1)
    """Epochs of training on all images."""
    learning_rate: float = Field(0.001, gt=0)
    """Learning rate of Adam."""
    weight_decay: float = Field(0.005, ge=0)
    """Weight decay of Adam."""
    batch_size: int = Field(64, ge=1)
    """Images per step."""
    likelihood: Literal["bernoulli", "gaussian"] = "bernoulli"
    """Distribution of a pixel given the latent values."""
    deviation: float = Field(0.1, gt=0)
    """Standard deviation of a pixel for likelihood = "gaussian"."""
    beta: float = Field(1.0, ge=0)
    """Weight of the KL term."""
    upsample: Literal["last", "first"] = "last"
    """Place of the up-sampling convolution in the decoder; "first" is the paper's, "last" is ten
    times faster.
    """
    device: Device = "auto"
    """Device of training; as in `[training]` if not set."""
    precision: Precision = "auto"
    """Precision of products; as in `[training]` if not set."""
    warm_up: int = Field(0, ge=0)
    """Epochs over which the weight of the KL term rises from 0 to beta, so that dimensions are used
    before they cost anything; 0 for none.
    """
    free_bits: float = Field(0.0, ge=0)
    """Nats of KL per latent dimension that cost nothing, in the mean over a batch, so that no
    dimension is switched off; 0 for none. Of a prior with several components, the sum is free.
    """
    later: ClassVar[frozenset[str]] = frozenset({"warm_up", "free_bits"})
    block: ClassVar[str] = "vae"
    """The name under which messages speak of these settings."""

    def beta_in(self, epoch: int) -> float:
        """Return the weight of the KL term in an epoch, counted from 0."""
        return self.beta * min(1.0, epoch / self.warm_up) if self.warm_up else self.beta

    def prior(self, encode: "Encode", images: "Tensor", seeds: "Seeds") -> "Prior":
        """Return p(z) as it is before training on uint8 images (N, C, H, W)."""
        from nextlabel.models.generative.priors import NormalPrior

        return NormalPrior(self.latent)


class CCVAESettings(VAESettings):
    """The table `[blocks.ccvae]`: a VAE's settings, and how labels shape it.

    `epochs` train the beginning without labels, `round_epochs` go on from it in each round. The
    class part has `dims_per_label` dimensions for each class or finding. `labelled_share` is the
    largest part of a batch that is labelled, `label_weight` weighs log q(y|x): 1 is the paper's
    objective, more makes up for the few nats that a label weighs next to an image's. `samples` are
    drawn of z_c to find q(y|x).
    """

    dims_per_label: int = Field(1, ge=1)
    """Latent dimensions of the class part per class or finding."""
    round_epochs: int = Field(5, ge=1)
    """Epochs that continue the training in each round."""
    labelled_share: float = Field(0.25, gt=0, lt=1)
    """Largest labelled share of a batch."""
    label_weight: float = Field(100.0, ge=0)
    """Weight of log q(y given x); 1 is the paper's objective."""
    samples: int = Field(16, ge=1)
    """Number of samples of the class part that estimate q(y given x)."""
    part: Literal["all", "class"] = "all"
    """Features: "all" latent dimensions, or those of the "class" part."""

    def class_dims(self, classes: int) -> int:
        """Return the width of z_c; UsageError when nothing would be left for the style."""
        width = self.dims_per_label * classes
        if width >= self.latent:
            raise UsageError(
                f"ccvae's class part needs {width} dimensions ({self.dims_per_label} for each of "
                f"{classes} classes) of the latent {self.latent}; raise blocks.ccvae.latent above "
                f"{width}",
                code="latent-too-small",
            )
        return width


class VAALSettings(VAESettings):
    """The table `[blocks.vaal]`: a VAE's settings, and how a discriminator is trained against it.

    `epochs` train the beginning without labels, `round_epochs` go on from it in each round.
    `adversary` weighs what the discriminator adds to the VAE's loss, which counts per pixel, as in
    the authors' code.
    """

    round_epochs: int = Field(5, ge=1)
    """Epochs that continue the training in each round."""
    adversary: float = Field(1.0, ge=0)
    """Weight of the adversarial loss next to the VAE's loss per pixel."""
    discriminator_rate: float = Field(5e-4, gt=0)
    """Learning rate of the discriminator's Adam."""
