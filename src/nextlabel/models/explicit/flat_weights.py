"""The weights of a network as one tensor, which is rounded and updated at once."""

import torch
from torch import Tensor, nn

from nextlabel.core.types import Array


class Weights:
    """One tensor of weights among all, as views.

    `values` are the weights themselves, `rounded` the same in the type of products, and `gradient`
    takes their gradient. `array` and `gradient_array` are the same memory.
    """

    values: Tensor
    rounded: Tensor
    gradient: Tensor
    array: Array
    gradient_array: Array

    def __init__(self, of: Tensor, multiplied: bool) -> None:
        """Take the tensor `of`; `multiplied` weights are rounded in each step."""
        self.of, self.multiplied = of, multiplied

    def restore(self) -> None:
        """Write the weights back."""
        self.of.copy_(self.values)


class FlatWeights:
    """Collects weights, joins them to one parameter, and gives their gradients as one tensor."""

    parameter: nn.Parameter

    def __init__(self, dtype: torch.dtype) -> None:
        """Multiply in `dtype`."""
        self.dtype = dtype
        self.parts: list[Weights] = []

    def add(self, of: Tensor, multiplied: bool = False) -> Weights:
        """Add weights, a view of a parameter; they are there after `join`."""
        part = Weights(of.detach(), multiplied)
        self.parts.append(part)
        return part

    @torch.no_grad()
    def join(self) -> None:
        """Copy all weights into one parameter, those that are multiplied first."""
        parts = sorted(self.parts, key=lambda part: not part.multiplied)
        values = torch.cat([part.of.reshape(-1) for part in parts])
        self.parameter = nn.Parameter(values)
        self._gradient = torch.zeros_like(values)
        self._multiplied = sum(part.of.numel() for part in parts if part.multiplied)
        self._rounded = values[: self._multiplied].to(self.dtype)
        start = 0
        for part in parts:
            rows, shape = slice(start, start + part.of.numel()), part.of.shape
            part.values = values[rows].view(shape)
            part.gradient = self._gradient[rows].view(shape)
            part.array, part.gradient_array = part.values.numpy(), part.gradient.numpy()
            if part.multiplied:
                part.rounded = self._rounded[rows].view(shape)
            start = rows.stop

    def round(self) -> None:
        """Round what is multiplied to the type of products."""
        if self._rounded.data_ptr() != self.parameter.data_ptr():
            self._rounded.copy_(self.parameter[: self._multiplied])

    def give_gradient(self) -> None:
        """Give the parameter the gradients of all parts, in place of any that it has."""
        self.parameter.grad = self._gradient

    def clear_gradient(self) -> None:
        """Make all gradients 0."""
        self._gradient.zero_()

    @torch.no_grad()
    def restore(self) -> None:
        """Write all weights back."""
        for part in self.parts:
            part.restore()
