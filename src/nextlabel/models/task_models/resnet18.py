"""The task model `resnet18`: ResNet-18, by default from ImageNet's weights, as in the paper."""

from typing import TYPE_CHECKING, ClassVar, Literal

from nextlabel.models.settings import ShippedOptions
from nextlabel.models.task_models import register
from nextlabel.models.task_models.base import NetworkSettings

if TYPE_CHECKING:
    from nextlabel.models.networks.base import TaskNetwork


@register("resnet18")
class ResNet18Settings(ShippedOptions, NetworkSettings):
    """ResNet-18 with the stem of the original, or with a small one for small images."""

    published: ClassVar[bool] = True

    name: Literal["resnet18"] = "resnet18"
    weights: str = "imagenet"

    def network(self, outputs: int) -> "TaskNetwork":
        """Return the untrained network."""
        from nextlabel.models.networks.resnet import ResNet18

        return ResNet18(outputs, self.stem)
