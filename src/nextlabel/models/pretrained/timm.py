"""Networks of timm, where it is installed: DINOv2, ConvNeXt and many others."""

from collections.abc import Mapping
from functools import cached_property
from importlib.util import find_spec
from typing import Any, ClassVar

from nextlabel.core.errors import DataError, UsageError
from nextlabel.models.pretrained import register
from nextlabel.models.pretrained.base import (
    NATIVE,
    SCALES,
    Network,
    NetworkSource,
    PixelScale,
    reason_of,
)


@register("timm")
class TimmSource(NetworkSource):
    """A model of timm by its name, pooled as it is trained, with its own values of pixels."""

    takes_name = "the name of a model of timm"
    library = "timm"
    takes_weights: ClassVar[bool] = True

    def identity(self) -> Mapping[str, Any]:
        """Return the sha256 of the weights, and the values of pixels."""
        from nextlabel.models.weights import state_digest

        return {"weights": state_digest(self._module.state_dict()), "inputs": self._scale}

    @property
    def size(self) -> int:
        """The size that the model's own settings give."""
        return int(self._settings.get("input_size", (3, NATIVE, NATIVE))[-1])

    @property
    def any_size(self) -> bool:
        """True for convolutional models."""
        return not self._settings.get("fixed_input_size", False)

    def load(self, size: int, device: str, precision: str) -> Network:
        """Return the model without its last layer."""
        from nextlabel.models.pretrained.torch_network import TorchNetwork
        from nextlabel.models.weights import check_finite

        check_finite(self._module.state_dict(), self.name)
        return TorchNetwork.of(self._module, size, self._scale, device=device, precision=precision)

    @property
    def _scale(self) -> PixelScale:
        if self.inputs != "auto":
            return SCALES[self.inputs]
        settings = self._settings
        mean, deviation = (
            tuple(255 * float(value) for value in settings.get(key, default))
            for key, default in (("mean", (0.485, 0.456, 0.406)), ("std", (0.229, 0.224, 0.225)))
        )
        return mean, deviation

    @property
    def _settings(self) -> Mapping[str, Any]:
        settings: Mapping[str, Any] = self._module.pretrained_cfg
        return settings

    @cached_property
    def _module(self) -> Any:
        if find_spec("timm") is None:
            raise UsageError(
                f"timm:{self.name} needs timm, which is not installed: pip install timm; or use "
                'network = "efficientnet_lite0"',
                code="extra-missing",
            )
        import timm

        overlay = {} if self.weights is None else {"pretrained_cfg_overlay": {"file": self.weights}}
        try:
            return timm.create_model(self.name, pretrained=True, num_classes=0, **overlay).eval()
        except Exception as error:  # of timm, of the hub's client, and of the network
            raise DataError(
                f"timm gives no model {self.name!r} ({reason_of(error)}); check the name and the "
                "connection, or give its file by weights",
                code="network-not-loaded",
            ) from error
