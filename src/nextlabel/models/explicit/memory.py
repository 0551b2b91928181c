"""Memory of feature maps, as tensors for the library and as arrays for compiled loops."""

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch import Tensor

from nextlabel.core.types import Array


class Memory:
    """A tensor and the same memory as an array of rows; bfloat16 as its bits, in uint16."""

    __slots__ = ("rows", "tensor")

    def __init__(self, tensor: Tensor) -> None:
        """Take a contiguous tensor (…, C); its rows are (…, C) in two dimensions."""
        self.tensor = tensor
        bits = tensor.view(torch.uint16) if tensor.dtype == torch.bfloat16 else tensor
        self.rows: Array = bits.numpy().reshape(-1, tensor.shape[-1])

    @property
    def shape(self) -> torch.Size:
        """The shape of the tensor."""
        return self.tensor.shape


class Workspace:
    """Memory that layers share, by its use and shape: what one leaves there, the next one reads."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self._shared: dict[tuple[str, tuple[int, ...]], Memory] = {}

    def shared(self, use: str, *shape: int) -> Memory:
        """Return the memory for this use."""
        memory = self._shared.get((use, shape))
        if memory is None:
            memory = self._shared[use, shape] = self.new(*shape)
        return memory

    def clear(self) -> None:
        """Give up what is shared, before batches of another size."""
        self._shared.clear()

    def new(self, *shape: int) -> Memory:
        """Return memory of the caller's own."""
        return Memory(torch.empty(shape, dtype=self.dtype))


def wide_type(dtype: torch.dtype) -> DTypeLike:
    """Return the type in which compiled loops add what has this type."""
    return np.float64 if dtype == torch.float64 else np.float32
