"""Loops of the explicit pass that numba compiles: sums of pixels, BatchNorm with ReLU, max-pooling.

Arrays are float32 or float64, or the bits of bfloat16 as uint16, for which sums are taken in
float32 and rounded once. Loops run in one thread and in a fixed order, so that results repeat.
They are one file, since numba compiles a loop again when its own file has changed.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload

IMAGES = 4
"""Images of a sum that are taken one after the other: their rows lie together on one side."""
ROWS = 64
"""Rows that are added in the type of sums before they are added in float64."""


def compiled(function: Any) -> Any:
    """Return the function compiled, from the cache where that has it.

    A product and a sum may become one instruction; the order of sums stays.
    """
    options: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # no folder of a cache can be written
        return njit(**options)(function)


@intrinsic
def _widened(context: Any, bits: Any) -> Any:
    """Return the float32 of the bits of a bfloat16."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = builder.zext(arguments[0], ir.IntType(32))
        return builder.bitcast(builder.shl(word, word.type(16)), ir.FloatType())

    return types.float32(types.uint16), code


@intrinsic
def _rounded(context: Any, value: Any) -> Any:
    """Return the bits of the nearest bfloat16, of two the even one; NaN stays NaN."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word, short = ir.IntType(32), ir.IntType(16)
        bits = builder.bitcast(arguments[0], word)
        odd = builder.and_(builder.lshr(bits, word(16)), word(1))
        nearest = builder.lshr(builder.add(bits, builder.add(odd, word(0x7FFF))), word(16))
        is_number = builder.fcmp_ordered("ord", arguments[0], arguments[0])
        return builder.trunc(builder.select(is_number, nearest, word(0x7FC0)), short)

    return types.uint16(types.float32), code


def wide(value: Any) -> Any:
    """Return a value of an array in the type of sums."""
    raise NotImplementedError("compiled code alone calls this")


def narrow(value: Any, array: Any) -> Any:
    """Return a sum rounded to the type of an array, to the nearest, ties to even."""
    raise NotImplementedError("compiled code alone calls this")


@overload(wide, inline="always")
def _wide(value: Any) -> Any:
    def of_bits(value: Any) -> Any:
        return _widened(value)  # type: ignore[call-arg]

    def itself(value: Any) -> Any:
        return value

    return of_bits if isinstance(value, types.Integer) else itself


@overload(narrow, inline="always")
def _narrow(value: Any, array: Any) -> Any:
    def rounded(value: Any, array: Any) -> Any:
        return _rounded(value)  # type: ignore[call-arg]

    def itself(value: Any, array: Any) -> Any:
        return value

    return rounded if isinstance(array.dtype, types.Integer) else itself


@compiled
def sums(
    x: Any, steps: Any, which: Any, images: int, out: Any, out_steps: Any, added: bool
) -> None:
    """Write sums of rows for each image, or add them to what is there.

    `which` are three arrays. Sum r is of the terms t from starts[r] to starts[r + 1]; each is a
    factor[t] times row terms[t]. Row i of image b is x[i · of_row + b · of_image] with the two
    `steps`, and sum r goes to out in the same way. x and out have C columns.
    """
    (of_row, of_image), (out_of_row, out_of_image) = steps, out_steps
    starts, terms, factors = which
    channels = x.shape[1]
    total = np.empty(channels, factors.dtype)
    for begin in range(0, images, IMAGES):
        for r in range(len(starts) - 1):
            for b in range(begin, min(begin + IMAGES, images)):
                t, count = starts[r], starts[r + 1] - starts[r]
                o = r * out_of_row + b * out_of_image
                if added or count == 0 or count > 4:
                    for c in range(channels):
                        total[c] = wide(out[o, c]) if added else 0
                    while count >= 4:
                        _, i, j, k, m, f, g, h, e = _four(
                            terms, factors, t, 4, of_row, b * of_image
                        )
                        for c in range(channels):
                            one, two = f * wide(x[i, c]) + g * wide(x[j, c]), h * wide(x[k, c])
                            total[c] += one + two + e * wide(x[m, c])
                        t, count = t + 4, count - 4
                    while count > 0:
                        i, f = terms[t] * of_row + b * of_image, factors[t]
                        for c in range(channels):
                            total[c] += f * wide(x[i, c])
                        t, count = t + 1, count - 1
                    for c in range(channels):
                        out[o, c] = narrow(total[c], out)
                    continue
                count, i, j, k, m, f, g, h, e = _four(
                    terms, factors, t, count, of_row, b * of_image
                )
                if count == 1:
                    for c in range(channels):
                        out[o, c] = narrow(f * wide(x[i, c]), out)
                elif count == 2:
                    for c in range(channels):
                        out[o, c] = narrow(f * wide(x[i, c]) + g * wide(x[j, c]), out)
                else:
                    for c in range(channels):
                        one, two = f * wide(x[i, c]) + g * wide(x[j, c]), h * wide(x[k, c])
                        out[o, c] = narrow(one + two + e * wide(x[m, c]), out)


@njit(inline="always")
def _four(terms: Any, factors: Any, t: int, count: int, of_row: int, first: int) -> Any:
    """Return `count`, the rows of four terms and their factors; 0 for those that are not there."""
    nothing = factors[t] - factors[t]
    i = terms[t] * of_row + first
    j = terms[t + 1] * of_row + first if count > 1 else i
    k = terms[t + 2] * of_row + first if count > 2 else i
    m = terms[t + 3] * of_row + first if count > 3 else i
    g = factors[t + 1] if count > 1 else nothing
    h = factors[t + 2] if count > 2 else nothing
    e = factors[t + 3] if count > 3 else nothing
    return count, i, j, k, m, factors[t], g, h, e


@compiled
def norm_forward(
    x: Any, shortcut: Any, relu: bool, affine: Any, eps: float, running: Any, own: Any, y: Any
) -> None:
    """Write y = x normalised by column, plus the shortcut, then ReLU; also its mean and 1/σ.

    x and y (N, C); shortcut (N, C) or (0, C) for none. `affine` are weight and bias (C), `running`
    the mean, the unbiased variance and their momentum, `own` takes the mean and 1/σ of x.
    """
    (weight, bias), (mean, inverse) = affine, own
    running_mean, running_variance, momentum = running
    count, channels = x.shape
    one, two = np.zeros(channels), np.zeros(channels)
    some, squares = np.empty(channels, weight.dtype), np.empty(channels, weight.dtype)
    pivot = np.empty(channels, weight.dtype)
    first = min(ROWS, count)
    for i in range(first):  # squares are taken of the distance from a mean of some
        for c in range(channels):
            one[c] += wide(x[i, c])
    for c in range(channels):
        pivot[c], one[c] = one[c] / first, 0
    for begin in range(0, count, ROWS):
        some[:] = 0
        squares[:] = 0
        for i in range(begin, min(begin + ROWS, count)):
            for c in range(channels):
                value = wide(x[i, c]) - pivot[c]
                some[c] += value
                squares[c] += value * value
        for c in range(channels):
            one[c] += some[c]
            two[c] += squares[c]
    slope, constant = np.empty(channels, weight.dtype), np.empty(channels, weight.dtype)
    for c in range(channels):
        apart = one[c] / count
        mean[c] = pivot[c] + apart
        variance = max(two[c] / count - apart * apart, 0.0)
        inverse[c] = 1 / np.sqrt(variance + eps)
        running_mean[c] += momentum * (mean[c] - running_mean[c])
        unbiased = variance * count / (count - 1)
        running_variance[c] += momentum * (unbiased - running_variance[c])
        slope[c] = weight[c] * inverse[c]
        constant[c] = bias[c] - mean[c] * slope[c]
    least = np.full(1, 0 if relu else -np.inf, weight.dtype)[0]
    if len(shortcut):
        for i in range(count):
            for c in range(channels):
                value = wide(x[i, c]) * slope[c] + constant[c] + wide(shortcut[i, c])
                y[i, c] = narrow(least if value < least else value, y)
    else:
        for i in range(count):
            for c in range(channels):
                value = wide(x[i, c]) * slope[c] + constant[c]
                y[i, c] = narrow(least if value < least else value, y)


@compiled
def norm_backward(
    gradient: Any, y: Any, x: Any, weight: Any, own: Any, of_affine: Any, of_x: Any
) -> None:
    """Write the gradients of `norm_forward` from that of y.

    Named as there; y (0, C) where there was no ReLU. `gradient` becomes 0 where ReLU gave 0.
    """
    (mean, inverse), (of_weight, of_bias) = own, of_affine
    count, channels = x.shape
    one, two = np.zeros(channels), np.zeros(channels)
    some, products = np.empty(channels, weight.dtype), np.empty(channels, weight.dtype)
    for begin in range(0, count, ROWS):
        end = min(begin + ROWS, count)
        some[:] = 0
        products[:] = 0
        if len(y):
            for i in range(begin, end):
                for c in range(channels):
                    gradient[i, c] = 0 if wide(y[i, c]) <= 0 else gradient[i, c]
        for i in range(begin, end):
            for c in range(channels):
                value = wide(gradient[i, c])
                some[c] += value
                products[c] += value * (wide(x[i, c]) - mean[c])
        for c in range(channels):
            one[c] += some[c]
            two[c] += products[c]
    factor, level = np.empty(channels, weight.dtype), np.empty(channels, weight.dtype)
    slope = np.empty(channels, weight.dtype)
    for c in range(channels):
        of_bias[c] = one[c]
        of_weight[c] = two[c] * inverse[c]
        factor[c] = weight[c] * inverse[c]
        level[c] = one[c] / count
        slope[c] = two[c] * inverse[c] * inverse[c] / count
    for i in range(count):
        for c in range(channels):
            value = wide(gradient[i, c]) - level[c] - (wide(x[i, c]) - mean[c]) * slope[c]
            of_x[i, c] = narrow(factor[c] * value, of_x)


@compiled
def max_pool(x: Any, size: Any, window: Any, best: Any, y: Any, places: Any) -> None:
    """Write the maxima of windows of feature maps, and which pixel each is of; the first of equals.

    x (B · pixels, C), y and places (B · outputs, C); `size` has the height and width of x and of y,
    `window` a side, stride and padding; best (C) is scratch.
    """
    height, width, high, across = size
    side, stride, padding = window
    channels = x.shape[1]
    for o in range(len(y)):
        b, row, column = o // (high * across), o // across % high, o % across
        seen = False
        for i in range(row * stride - padding, row * stride - padding + side):
            for j in range(column * stride - padding, column * stride - padding + side):
                if i < 0 or i >= height or j < 0 or j >= width:
                    continue
                pixel, p = np.int32(i * width + j), (b * height + i) * width + j
                if seen:
                    for c in range(channels):
                        value = wide(x[p, c])
                        larger = value > best[c] or value != value
                        places[o, c] = pixel if larger else places[o, c]
                        best[c] = value if larger else best[c]
                else:
                    seen = True
                    for c in range(channels):
                        best[c] = wide(x[p, c])
                        places[o, c] = pixel
        for c in range(channels):
            y[o, c] = narrow(best[c], y)


@compiled
def max_pool_backward(gradient: Any, places: Any, images: int, total: Any, of_x: Any) -> None:
    """Write the gradient of x from that of y, as in `max_pool`; total (pixels, C) is scratch."""
    outputs, pixels, channels = len(gradient) // images, len(total), gradient.shape[1]
    for b in range(images):
        total[:] = 0
        for o in range(b * outputs, (b + 1) * outputs):
            for c in range(channels):
                total[places[o, c], c] += wide(gradient[o, c])
        for i in range(pixels):
            for c in range(channels):
                of_x[b * pixels + i, c] = narrow(total[i, c], of_x)
