"""Convolutions of small feature maps as matrix products: the matrices, and their gradients."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

QUICKER = frozenset({torch.bfloat16})
"""The types in which a product gives the gradient of 3×3 weights sooner than the library does."""
COPIED = 2_400_000
"""Bytes of pixels with their neighbours that are copied at a time, which the cache still holds."""

WIDEST_STRIDED = 4
"""The largest side of a feature map whose values with stride 2 are quicker as a product."""


def product_type(x: Tensor) -> torch.dtype:
    """Return the type in which x is multiplied here."""
    if torch.is_autocast_enabled(x.device.type):
        return torch.get_autocast_dtype(x.device.type)
    return x.dtype


def square_matrix(taps: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the matrix (4 × inputs, 4 × outputs) of a convolution on 2×2 feature maps.

    Row (k, l, c), column (i, j, o) holds tap (k - i + 1, l - j + 1) of (c, o), from nine taps
    (3, 3, inputs, outputs).
    """
    matrix: Tensor = _Square.apply(taps, dtype)  # type: ignore[no-untyped-call]
    return matrix


def square_product(pixels: Tensor, taps: Tensor, dtype: torch.dtype) -> Tensor:
    """Return pixels (B, 4 × inputs) times `square_matrix`, with nine products as its gradient."""
    product: Tensor = _SquareProduct.apply(pixels, taps, dtype)  # type: ignore[no-untyped-call]
    return product


def fast_convolution(x: Tensor, weight: Tensor, stride: int, dtype: torch.dtype) -> Tensor:
    """Return a convolution, 3×3 with padding 1 or 1×1 without, by products where these are fast.

    x (B, C, H, W) and weights (outputs, C, side, side) give (B, outputs, ⌈H/stride⌉, ⌈W/stride⌉).
    """
    if weight.shape[2] == 1:
        x = x[:, :, ::stride, ::stride]
        pixels = x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])
        return _as_images(pixels @ weight[:, :, 0, 0].T, x)
    if dtype not in QUICKER:
        return functional.conv2d(x, weight, stride=stride, padding=1)
    convolved: Tensor = _Columns.apply(x, weight, stride, dtype)  # type: ignore[no-untyped-call]
    return convolved


class _Square(torch.autograd.Function):
    """The matrix of `square_matrix`. Taps are rounded before they are copied."""

    @staticmethod
    def forward(ctx: Any, taps: Tensor, dtype: torch.dtype) -> Tensor:
        inputs, outputs = taps.shape[2:]
        taps = taps.to(dtype)
        matrix = taps.new_empty(2, 2, inputs, 2, 2, outputs)
        for i in (0, 1):
            for j in (0, 1):
                matrix[:, :, :, i, j] = taps[1 - i : 3 - i, 1 - j : 3 - j]
        return matrix.view(4 * inputs, 4 * outputs)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        rows, columns = grads[0].shape
        matrix = grads[0].reshape(2, 2, rows // 4, 2, 2, columns // 4)
        wide = torch.promote_types(matrix.dtype, torch.float32)
        out = matrix.new_zeros(3, 3, rows // 4, columns // 4, dtype=wide)
        for i in (0, 1):
            for j in (0, 1):
                out[1 - i : 3 - i, 1 - j : 3 - j].add_(matrix[:, :, :, i, j])
        return out, None


class _SquareProduct(torch.autograd.Function):
    """Pixels times the matrix of `square_matrix`.

    A tap meets one, two or four pairs of a pixel and an output. Their rows give its gradient as one
    product; the gradient of the whole matrix would have to be added up from its blocks.
    """

    PAIRS = ((slice(0, 1), slice(1, 2)), (slice(0, 2), slice(0, 2)), (slice(1, 2), slice(0, 1)))
    """For each of three taps in a row or a column: the pixels, and the outputs, that it joins."""

    @staticmethod
    def forward(ctx: Any, pixels: Tensor, taps: Tensor, dtype: torch.dtype) -> Tensor:
        pixels, matrix = pixels.to(dtype), square_matrix(taps, dtype)
        ctx.save_for_backward(pixels, matrix)
        return pixels @ matrix

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        pixels, matrix = ctx.saved_tensors
        x = pixels.view(len(pixels), 2, 2, -1)
        of_rows = grads[0].reshape(len(pixels), 2, 2, -1)
        wide = torch.promote_types(matrix.dtype, torch.float32)
        of_taps = matrix.new_empty(3, 3, x.shape[3], of_rows.shape[3], dtype=wide)
        for row, (k, i) in enumerate(_SquareProduct.PAIRS):
            for column, (m, j) in enumerate(_SquareProduct.PAIRS):
                ins, outs = x[:, k, m].flatten(0, 2), of_rows[:, i, j].flatten(0, 2)
                of_taps[row, column] = ins.T @ outs
        return grads[0] @ matrix.T, of_taps, None


class _Columns(torch.autograd.Function):
    """A 3×3 convolution whose weights get their gradient as a product, some images at a time.

    With stride 2 the values on a small feature map are a product too. The gradient of x is the
    library's in each case.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int, dtype: torch.dtype) -> Tensor:
        x = x.to(dtype).contiguous(memory_format=torch.channels_last)
        weight = weight.to(dtype, memory_format=torch.channels_last)
        ctx.save_for_backward(x, weight)
        ctx.stride = stride
        if stride == 1 or max(x.shape[2:]) > WIDEST_STRIDED:
            return functional.conv2d(x, weight, stride=stride, padding=1)
        matrix = weight.permute(0, 2, 3, 1).reshape(len(weight), -1).T
        rows = [_nine_pixels(images, stride) @ matrix for images in _batches(x, stride)]
        return _as_images(torch.cat(rows), x[:, :, ::stride, ::stride])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x, weight = ctx.saved_tensors
        wanted = [True, False, False]
        stride, padding = [ctx.stride] * 2, [1, 1]
        of_x = torch.ops.aten.convolution_backward(
            grads[0], x, weight, None, stride, padding, [1, 1], False, [0, 0], 1, wanted
        )[0]
        outputs, inputs = weight.shape[:2]
        wide = torch.promote_types(x.dtype, torch.float32)
        of_weight = x.new_zeros(outputs, 9 * inputs, dtype=wide)
        batches = _batches(x, ctx.stride)
        for images, grad in zip(batches, torch.split(grads[0], len(batches[0])), strict=True):
            rows = grad.permute(0, 2, 3, 1).reshape(-1, outputs)
            of_weight += rows.T @ _nine_pixels(images, ctx.stride)
        return of_x, of_weight.view(outputs, 3, 3, inputs).permute(0, 3, 1, 2), None, None


def _batches(x: Tensor, stride: int) -> tuple[Tensor, ...]:
    """Return the images in batches whose `_nine_pixels` take `COPIED` bytes at most, or singly."""
    pixels = -(-x.shape[2] // stride) * -(-x.shape[3] // stride)
    return torch.split(x, max(1, COPIED // (9 * x.shape[1] * x.element_size() * pixels)))


def _nine_pixels(x: Tensor, stride: int) -> Tensor:
    """Return the pixels around each output, (B · ⌈H/stride⌉ · ⌈W/stride⌉, 9 × C), tap-major."""
    padded = functional.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
    windows = padded.unfold(1, 3, stride).unfold(2, 3, stride)  # (B, ⌈H⌉, ⌈W⌉, C, 3, 3)
    return windows.permute(0, 1, 2, 4, 5, 3).reshape(-1, 9 * x.shape[1])


def _as_images(rows: Tensor, like: Tensor) -> Tensor:
    """Return rows (B · H · W, outputs) as (B, outputs, H, W), of the shape that `like` has."""
    return rows.view(len(like), like.shape[2], like.shape[3], -1).permute(0, 3, 1, 2)
