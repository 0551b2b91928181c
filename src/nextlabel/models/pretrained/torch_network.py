"""A torch module as a pretrained network: values of pixels, precision, layout."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nextlabel.core.types import Array
from nextlabel.models.device import resolve_device
from nextlabel.models.networks.base import on_device
from nextlabel.models.networks.inference import fold
from nextlabel.models.pretrained.base import SCALES, PixelScale, square

Module = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class TorchNetwork:
    """A module that turns images (B, 3, size, size) into rows (B, columns)."""

    module: Module
    size: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    device: torch.device
    dtype: torch.dtype

    @classmethod
    def of(
        cls,
        module: Module,
        size: int,
        inputs: str | PixelScale,
        *,
        device: str,
        precision: str,
    ) -> "TorchNetwork":
        """Return a network on `device` whose products are in `precision`, "fp32" or "bf16".

        `inputs` is a name in SCALES, or mean and deviation of each channel.
        """
        placed, dtype = (
            resolve_device(device),
            torch.bfloat16 if precision == "bf16" else torch.float32,
        )
        if isinstance(module, nn.Module):
            module = on_device(module.eval().requires_grad_(False).to(dtype), placed)
        mean, deviation = SCALES[inputs] if isinstance(inputs, str) else inputs
        return cls(module, size, mean, deviation, placed, dtype)

    @classmethod
    def folded(cls, module: nn.Module, size: int, inputs: str, **where: Any) -> "TorchNetwork":
        """Return the same of a module whose BatchNorm layers are folded into convolutions."""
        return cls.of(fold(module.eval()), size, inputs, **where)

    @property
    def least_size(self) -> int:
        """The size of its images."""
        return self.size

    def prepare(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return one image as RGB (size, size, 3)."""
        return square(pixels, self.size)

    @torch.inference_mode()
    def features(self, batch: NDArray[Any]) -> Array:
        """Return rows (B, columns) float32 of images uint8 (B, size, size, 3)."""
        mean = torch.tensor(self.mean, device=self.device)
        deviation = torch.tensor(self.deviation, device=self.device)
        values = (torch.from_numpy(batch).to(self.device, torch.float32) - mean) / deviation
        images = values.to(self.dtype).permute(0, 3, 1, 2)  # channels last, without a copy
        rows: Array = self.module(images).float().cpu().numpy()
        return rows
