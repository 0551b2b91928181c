"""ResNet-18 with its ImageNet weights, or those of a file, without the last layer."""

from collections.abc import Mapping
from typing import Any, ClassVar

from nextlabel.models.pretrained import register
from nextlabel.models.pretrained.base import Network, NetworkSource


@register("resnet18")
class ResNet18Source(NetworkSource):
    """512 features [He 2016]; the weights are downloaded at the first use, or those of a file."""

    takes_weights: ClassVar[bool] = True

    def identity(self) -> Mapping[str, Any]:
        """Return the sha256 of the weights' file, and the values of pixels."""
        from nextlabel.models.weights import weights_digest

        return {"weights": weights_digest(self._file), "inputs": self._inputs}

    def load(self, size: int, device: str, precision: str) -> Network:
        """Return the network, its BatchNorm folded into the convolutions."""
        from torch import Tensor, nn

        from nextlabel.models.networks.base import build, generator
        from nextlabel.models.networks.resnet import ResNet18
        from nextlabel.models.pretrained.torch_network import TorchNetwork
        from nextlabel.models.weights import insert, load_weights

        class Body(nn.Module):
            """T_f alone."""

            def __init__(self, network: ResNet18) -> None:
                super().__init__()
                self.network = network

            def forward(self, images: Tensor) -> Tensor:
                return self.network.pool(self.network.taps(images))

        weights = load_weights(self._file)
        assert weights is not None
        network = build(lambda: ResNet18(1), generator(0))
        insert(network, weights, head="fc")
        return TorchNetwork.folded(
            Body(network), size, self._inputs, device=device, precision=precision
        )

    @property
    def _inputs(self) -> str:
        return "imagenet" if self.inputs == "auto" else self.inputs

    @property
    def _file(self) -> str:
        return self.weights or "imagenet"
