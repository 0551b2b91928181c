"""Convolutions by the library, BatchNorm and max-pooling; each keeps what its backward pass reads.

Feature maps (B, H, W, C) lie in memory in this order.
"""

import numpy as np
import torch
from torch import Tensor, nn

from nextlabel.models.explicit.flat_weights import FlatWeights
from nextlabel.models.explicit.kernels import (
    max_pool,
    max_pool_backward,
    norm_backward,
    norm_forward,
)
from nextlabel.models.explicit.memory import Memory, Workspace, wide_type
from nextlabel.models.normalise import colours_of_grey


class LibraryConvolution:
    """A convolution without bias."""

    def __init__(self, conv: nn.Conv2d, weights: FlatWeights) -> None:
        self.stride, self.padding = list(conv.stride), list(map(int, conv.padding))
        self.weights = weights.add(conv.weight.permute(0, 2, 3, 1), multiplied=True)

    def forward(self, x: Memory) -> Memory:
        """Return the values for x."""
        self.x, self.taps = _channels_second(x.tensor), self.rounded()
        return _memory(torch.conv2d(self.x, self.taps, None, self.stride, self.padding))

    def backward(self, gradient: Memory, of_x: Memory | None = None) -> Memory:
        """Return the gradient of x, added to `of_x` if there is one; leave that of the weights."""
        of_input, of_taps = self.gradients(gradient, True)
        self.weights.gradient.copy_(of_taps)
        if of_x is None:
            return _memory(of_input)
        of_x.tensor += of_input.permute(0, 2, 3, 1)
        return of_x

    def rounded(self) -> Tensor:
        """Return the taps (outputs, inputs, H, W) in the type of products."""
        return _channels_second(self.weights.rounded)

    def gradients(self, gradient: Memory, of_x: bool) -> tuple[Tensor, Tensor]:
        """Return the gradients of x, if it is wanted, and of the taps (outputs, H, W, inputs)."""
        of_input, taps, _ = torch.ops.aten.convolution_backward.default(
            _channels_second(gradient.tensor),
            self.x,
            self.taps,
            None,
            self.stride,
            self.padding,
            [1, 1],
            False,
            [0, 0],
            1,
            [of_x, True, False],
        )
        return of_input, taps.permute(0, 2, 3, 1)


class FirstConvolution(LibraryConvolution):
    """The convolution of images, which have no gradient; grey ones come as `grey_and_ones`."""

    def __init__(self, conv: nn.Conv2d, weights: FlatWeights) -> None:
        super().__init__(conv, weights)
        slopes, constants = colours_of_grey(conv.weight.device)
        self.colours = torch.stack([slopes.view(-1), constants.view(-1)], 1).to(conv.weight.dtype)
        self.grey = False

    def forward(self, x: Memory) -> Memory:
        """Return the values for colours (B, H, W, 3), or for values and ones (B, H, W, 2)."""
        self.grey = x.shape[3] == 2
        return super().forward(x)

    def rounded(self) -> Tensor:
        """Return the taps of three colours, or of values and ones, in the type of products."""
        if not self.grey:
            return super().rounded()
        both = self.weights.values @ self.colours
        return _channels_second(both.to(self.weights.rounded.dtype))

    def finish(self, gradient: Memory) -> None:
        """Leave the gradient of the weights."""
        of_taps = self.gradients(gradient, False)[1].to(self.weights.values.dtype)
        self.weights.gradient.copy_(of_taps @ self.colours.T if self.grey else of_taps)


class MaxPool:
    """Max-pooling; the gradient goes to the first of equal values."""

    def __init__(self, pool: nn.MaxPool2d, space: Workspace) -> None:
        self.window = _side(pool.kernel_size), _side(pool.stride), _side(pool.padding)
        self.space = space
        self.y = space.new(0, 1)

    def forward(self, x: Memory) -> Memory:
        """Return the maxima of x."""
        images, height, width, channels = self.shape = x.shape
        side, stride, padding = self.window
        high, across = ((each + 2 * padding - side) // stride + 1 for each in (height, width))
        if self.y.shape != (images, high, across, channels):
            self.y = self.space.new(images, high, across, channels)
            self.places = np.empty(self.y.rows.shape, np.int32)
            self.total = np.empty((height * width, channels), wide_type(self.space.dtype))
        size = height, width, high, across
        max_pool(x.rows, size, self.window, self.total[0], self.y.rows, self.places)
        return self.y

    def backward(self, gradient: Memory) -> Memory:
        """Return the gradient of x from that of the maxima."""
        of_x = self.space.shared("pool", *self.shape)
        max_pool_backward(gradient.rows, self.places, self.shape[0], self.total, of_x.rows)
        return of_x


class Norm:
    """BatchNorm in training, with what follows it: the sum with a shortcut, and ReLU."""

    def __init__(
        self, norm: nn.BatchNorm2d, weights: FlatWeights, space: Workspace, relu: bool = True
    ) -> None:
        assert norm.running_mean is not None and norm.running_var is not None
        assert norm.momentum is not None
        self.eps, self.relu, self.space = norm.eps, relu, space
        self.weights, self.bias = weights.add(norm.weight), weights.add(norm.bias)
        mean, variance = norm.running_mean.numpy(), norm.running_var.numpy()
        self.running = mean, variance, norm.momentum
        self.statistics = np.empty_like(mean), np.empty_like(variance)
        self.y = space.new(0, norm.num_features)

    def forward(self, x: Memory, shortcut: Memory | None = None) -> Memory:
        """Return x normalised by its own statistics; the running ones follow."""
        if len(x.rows) == 1:
            raise ValueError("BatchNorm has no statistics of one value; take two images or more")
        if self.y.shape != x.shape:
            self.y = self.space.new(*x.shape)
        self.x = x
        norm_forward(
            x.rows,
            x.rows[:0] if shortcut is None else shortcut.rows,
            self.relu,
            (self.weights.array, self.bias.array),
            self.eps,
            self.running,
            self.statistics,
            self.y.rows,
        )
        return self.y

    def backward(self, gradient: Memory) -> Memory:
        """Return the gradient of x, and leave that of the weights.

        `gradient`, that of the values, becomes the gradient of the shortcut.
        """
        of_x = self.space.shared("norm", *self.x.shape)
        norm_backward(
            gradient.rows,
            self.y.rows if self.relu else self.y.rows[:0],
            self.x.rows,
            self.weights.array,
            self.statistics,
            (self.weights.gradient_array, self.bias.gradient_array),
            of_x.rows,
        )
        return of_x


def _side(size: int | tuple[int, ...]) -> int:
    """Return the side of a square."""
    return size if isinstance(size, int) else size[0]


def _channels_second(x: Tensor) -> Tensor:
    """Return x (B, H, W, C) in the shape (B, C, H, W), which the library takes."""
    return x.permute(0, 3, 1, 2)


def _memory(x: Tensor) -> Memory:
    """Return x (B, C, H, W) as the memory of feature maps (B, H, W, C)."""
    return Memory(x.permute(0, 2, 3, 1).contiguous())
