"""Convolutions of small feature maps by a bilinear form."""

import numpy as np
import torch
from torch import nn

from nextlabel.core.types import Array
from nextlabel.models.explicit.bilinear_form import BilinearForm
from nextlabel.models.explicit.flat_weights import FlatWeights
from nextlabel.models.explicit.kernels import LANES, sums
from nextlabel.models.explicit.memory import Memory, Workspace, wide_type

CACHED = 2**22
"""Bytes of factors that are taken at a time, which the cache of a core still holds."""


class Sums:
    """Sums of rows by a small matrix (R, P); rows have a multiple of LANES columns."""

    def __init__(self, matrix: Array, dtype: torch.dtype) -> None:
        rows, terms = (each.astype(np.int64) for each in np.nonzero(matrix))
        factors = matrix[rows, terms].astype(wide_type(dtype))
        starts = np.searchsorted(rows, np.arange(len(matrix) + 1))
        (self.count, self.pixels), self.of = matrix.shape, (starts, terms, factors)

    def to_products(self, x: Array, images: int, out: Array) -> None:
        """Write sums (R, images) of the rows x (images, P)."""
        sums(x, (1, self.pixels), self.of, images, out, (images, 1), False)

    def from_products(self, x: Array, images: int, out: Array, added: bool = False) -> None:
        """Write sums (images, R) of the rows x (P, images), or add them."""
        sums(x, (images, 1), self.of, images, out, (1, self.count), added)


class SmallConvolution:
    """A convolution without bias of small feature maps (B, H, W, C).

    `use` names the shared memory that its backward pass writes to. Raises ValueError unless
    channels are multiples of LANES.
    """

    def __init__(
        self, conv: nn.Conv2d, weights: FlatWeights, form: BilinearForm, space: Workspace, use: str
    ) -> None:
        self.inputs, self.outputs = conv.in_channels, conv.out_channels
        if self.inputs % LANES or self.outputs % LANES:  # sums would reach beyond rows
            raise ValueError(
                f"a convolution of {self.inputs} to {self.outputs} channels cannot be summed; "
                f"take multiples of {LANES}"
            )
        self.form, self.space, self.use = form, space, use
        self.groups, self.places, pixels = form.pixels.shape
        live = conv.weight[:, :, form.live[0], form.live[1]]
        self.weights = weights.add(live.permute(2, 3, 1, 0))
        dtype, master = space.dtype, conv.weight.dtype
        rows, back = form.pixels.reshape(-1, pixels), form.outputs.reshape(len(form.outputs), -1)
        self.of_pixels, self.to_pixels = Sums(rows, dtype), Sums(rows.T, dtype)
        self.to_outputs, self.of_outputs = Sums(back, dtype), Sums(back.T, dtype)
        self.of_taps, self.to_taps = Sums(form.taps, master), Sums(form.taps.T, master)
        self.matrices = space.new(self.groups, self.inputs, self.outputs)
        of_image = self.groups * self.places * max(self.inputs, self.outputs)
        self.most = max(1, CACHED // (of_image * self.matrices.tensor.element_size()))
        """Images whose factors the cache holds."""
        self.y = space.new(0, self.outputs)

    def forward(self, x: Memory) -> Memory:
        """Return the values for x."""
        self.x, images = x, len(x.tensor)
        if len(self.y.tensor) != images:
            self.y = self.space.new(images, *self.form.shape, self.outputs)
        both = self.inputs * self.outputs
        taps, matrices = self.weights.array.reshape(-1, both), self.matrices.rows
        self.of_taps.to_products(taps, 1, matrices.reshape(-1, both))
        for begin in range(0, images, self.most):
            count = min(self.most, images - begin)
            factors, products = self._factors(begin, count), self._products(count)
            torch.bmm(factors.tensor, self.matrices.tensor, out=products.tensor)
            rows = self.y.rows[begin * self.to_outputs.count :]
            self.to_outputs.from_products(products.rows, count, rows)
        return self.y

    def _factors(self, begin: int, count: int) -> Memory:
        """Return the sums of pixels of `count` images."""
        factors = self.space.shared("factors", self.groups, self.places * count, self.inputs)
        rows = self.x.rows[begin * self.of_pixels.pixels :]
        self.of_pixels.to_products(rows, count, factors.rows)
        return factors

    def _products(self, count: int) -> Memory:
        """Return memory for the products of `count` images."""
        return self.space.shared("products", self.groups, self.places * count, self.outputs)

    def backward(self, gradient: Memory, of_x: Memory | None = None) -> Memory:
        """Return the gradient of x, added to `of_x` if there is one; leave that of the weights."""
        images, both = len(self.x.tensor), self.inputs * self.outputs
        taps = self.weights.gradient_array.reshape(-1, both)
        of_matrices = self.space.shared("matrices", self.groups, self.inputs, self.outputs)
        added = of_x is not None
        if of_x is None:
            of_x = self.space.shared(self.use, *self.x.shape)
        for begin in range(0, images, self.most):
            count = min(self.most, images - begin)
            factors, products = self._factors(begin, count), self._products(count)
            rows = gradient.rows[begin * self.of_outputs.pixels :]
            self.of_outputs.to_products(rows, count, products.rows)
            torch.bmm(factors.tensor.transpose(1, 2), products.tensor, out=of_matrices.tensor)
            self.to_taps.from_products(of_matrices.rows.reshape(-1, both), 1, taps, begin > 0)
            torch.bmm(products.tensor, self.matrices.tensor.transpose(1, 2), out=factors.tensor)
            rows = of_x.rows[begin * self.to_pixels.count :]
            self.to_pixels.from_products(factors.rows, count, rows, added)
        return of_x
