"""Convolutions of small feature maps as matrix products."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

QUICKER = frozenset({torch.bfloat16})
"""The types in which a product gives the values of 3×3 weights sooner than the library does."""
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


def fast_convolution(x: Tensor, weight: Tensor, stride: int, dtype: torch.dtype) -> Tensor:
    """Return the values of a convolution by a product where that is fast.

    It is 3×3 with padding 1 and a stride of 2, or 1×1 without padding. x (B, C, H, W) and weights
    (outputs, C, side, side) give (B, outputs, ⌈H/stride⌉, ⌈W/stride⌉).
    """
    met = x[:, :, ::stride, ::stride]
    if weight.shape[2] == 1:
        pixels = met.permute(0, 2, 3, 1).reshape(-1, x.shape[1])
        return _as_images(pixels @ weight[:, :, 0, 0].T, met)
    if dtype not in QUICKER or max(x.shape[2:]) > WIDEST_STRIDED:
        return functional.conv2d(x, weight, stride=stride, padding=1)
    x = x.to(dtype).contiguous(memory_format=torch.channels_last)
    matrix = weight.to(dtype).permute(0, 2, 3, 1).reshape(len(weight), -1).T
    rows = [_nine_pixels(images, stride) @ matrix for images in _batches(x, stride)]
    return _as_images(torch.cat(rows), met)


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
