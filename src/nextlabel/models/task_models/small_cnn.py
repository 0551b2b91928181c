"""The task model `small_cnn`: four convolutions, for small images and few labels."""

from typing import TYPE_CHECKING, ClassVar, Literal

from nextlabel.models.settings import ShippedOptions
from nextlabel.models.task_models import register
from nextlabel.models.task_models.base import NetworkSettings

if TYPE_CHECKING:
    from nextlabel.models.networks.base import TaskNetwork


@register("small_cnn")
class SmallCNNSettings(ShippedOptions, NetworkSettings):
    """Four convolutions with batch normalisation."""

    make: ClassVar[int | None] = 2

    name: Literal["small_cnn"] = "small_cnn"

    def network(self, outputs: int) -> "TaskNetwork":
        """Return the untrained network."""
        from nextlabel.models.networks.small_cnn import SmallCNN

        return SmallCNN(outputs)
