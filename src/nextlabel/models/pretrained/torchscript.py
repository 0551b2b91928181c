"""Networks in TorchScript files, of `torch.jit.save`."""

import warnings
from typing import Any

import numpy as np

from nextlabel.models.pretrained import register
from nextlabel.models.pretrained.base import Network, reason_of
from nextlabel.models.pretrained.network_file import NetworkFile


@register("torchscript")
class TorchScriptSource(NetworkFile):
    """A module that turns images (B, 3, H, W) into features or feature maps; always in float32."""

    format = "torchscript"

    def load(self, size: int, device: str, precision: str) -> Network:
        """Return the module, its parameters checked."""
        import torch
        from torch import Tensor

        from nextlabel.models.device import resolve_device
        from nextlabel.models.pretrained.torch_network import TorchNetwork
        from nextlabel.models.weights import check_finite

        load: Any = torch.jit.load
        try:
            with warnings.catch_warnings():
                # Files that there are stay readable, although torch advises against new ones.
                warnings.filterwarnings("ignore", category=DeprecationWarning)
                module = load(str(self.path), map_location=resolve_device(device)).eval()
        except (RuntimeError, ValueError) as error:
            raise self.broken(error) from error
        check_finite(module.state_dict(), self.path.name)

        def rows(images: Tensor) -> Tensor:
            pooled: Tensor = self.pooled(module(images))
            return pooled

        network = TorchNetwork.of(rows, size, self.values, device=device, precision="fp32")
        try:
            network.features(np.zeros((1, size, size, 3), np.uint8))
        except RuntimeError as error:
            raise self.unfit(reason_of(error, line=-1), size) from error
        return network
