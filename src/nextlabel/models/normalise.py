"""Pixels as networks read them: on the device, with ImageNet's mean and deviation."""

import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nextlabel.core.errors import DataError
from nextlabel.core.task_model import ModelInputs
from nextlabel.core.types import Array, Part

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)

GREY_MEAN = sum(IMAGENET_MEAN) / 3
"""The value that becomes 0 in `grey_and_ones`, so that all values are small."""


def to_device(images: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Return images (N, C, H, W) as a uint8 tensor; on the CPU nothing is copied if possible.

    The tensor of a read-only, memory-mapped array shares its pages with all processes; nothing
    writes to it.
    """
    array = np.ascontiguousarray(images)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(array).to(device)


class ImagesOnDevice:
    """Images of each part of the data as tensors, moved to the device once."""

    def __init__(self) -> None:
        self._moved: dict[Part, tuple[Array, Tensor]] = {}

    def of(self, inputs: ModelInputs, device: torch.device) -> Tensor:
        """Return the images of a part as a uint8 tensor on the device."""
        images, tensor = self._moved.get(inputs.part, (None, None))
        if tensor is None or images is not inputs.images:
            tensor = to_device(inputs.images, device)
            self._moved[inputs.part] = inputs.images, tensor
        return tensor


def normalise(batch: Tensor) -> Tensor:
    """Return uint8 images (B, 1 or 3, H, W) as ImageNet-normalised float32 (B, 3, H, W).

    Grey images are repeated to three channels. Raises DataError for other channel counts.
    """
    if batch.shape[1] not in (1, 3):
        raise DataError(
            f"images have {batch.shape[1]} channels; the task model takes 1 (grey) or 3 (RGB)",
            code="wrong-channels",
        )
    mean = torch.tensor(IMAGENET_MEAN, device=batch.device).view(1, 3, 1, 1)
    deviation = torch.tensor(IMAGENET_DEVIATION, device=batch.device).view(1, 3, 1, 1)
    scaled = batch.expand(-1, 3, -1, -1).to(torch.float32) / 255
    return ((scaled - mean) / deviation).contiguous(memory_format=torch.channels_last)


def grey_and_ones(batch: Tensor) -> Tensor:
    """Return grey uint8 images (B, 1, H, W) as float32 (B, 2, H, W): values, and ones.

    `normalise` is a linear function of the two: see `colours_of_grey`.
    """
    values = batch.to(torch.float32) / 255 - GREY_MEAN
    both = torch.cat([values, torch.ones_like(values)], 1)
    return both.contiguous(memory_format=torch.channels_last)


def colours_of_grey(device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the slopes and constants (3, 1, 1) that give `normalise` from `grey_and_ones`."""
    mean = torch.tensor(IMAGENET_MEAN, device=device).view(3, 1, 1)
    deviation = torch.tensor(IMAGENET_DEVIATION, device=device).view(3, 1, 1)
    return 1 / deviation, (GREY_MEAN - mean) / deviation
