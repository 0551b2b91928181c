"""The task model `encoder`: the network of a VAE's encoder, which may start from its weights."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from nextlabel.core.types import Array
from nextlabel.models.settings import BlockUse, ShippedOptions
from nextlabel.models.task_models import register
from nextlabel.models.task_models.base import NetworkSettings

if TYPE_CHECKING:
    from nextlabel.models.networks.base import TaskNetwork


@register("encoder")
class EncoderSettings(ShippedOptions, NetworkSettings):
    """A VAE's encoder and a linear layer; without a block it starts at random."""

    takes_weights: ClassVar[bool] = False
    block_use: ClassVar[BlockUse] = "start"

    name: Literal["encoder"] = "encoder"

    def network(self, outputs: int) -> "TaskNetwork":
        """Return the untrained network."""
        from nextlabel.models.networks.encoder import Encoder

        return Encoder(outputs)

    def take_over(self, network: "TaskNetwork", state: Mapping[str, Array]) -> None:
        """Copy a VAE's encoder into the network."""
        from nextlabel.models.networks.encoder import take_over

        take_over(network, state)
