"""Loops of the explicit pass that numba compiles: sums of pixels, BatchNorm with ReLU, max-pooling.

Arrays are float32 or float64, or the bits of bfloat16 as uint16, whose sums are taken in float32
and rounded once. Loops run in one thread and in a fixed order, so that results repeat. They are
one file, since numba compiles a loop again when its own file has changed.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import models, register_model

from nextlabel.models.explicit.compilation import compiled, instruction

IMAGES = 4
"""Images of a sum that are taken one after the other: their rows lie together on one side."""
LANES = 64
"""Columns whose sums stay in registers; all channels of ResNet-18 are multiples of it."""
ROWS = 64
"""Rows that are added in the type of sums before they are added in float64."""


@instruction
def wide(context: Any, value: Any) -> Any:
    """Return a value of an array in the type of sums."""
    return _sum_type(value)(value), lambda _, builder, __, given: _widened(builder, given[0])


@instruction
def narrow(context: Any, value: Any, array: Any) -> Any:
    """Return a sum as an array takes it: bits of the nearest bfloat16, of two the even one."""
    dtype = array.dtype
    taken, made = (types.float32, dtype) if isinstance(dtype, types.Integer) else (value, value)
    return made(taken, array), lambda _, builder, __, given: _narrowed(builder, given[0], dtype)


class Lanes(types.Type):
    """LANES columns of a row in the type of sums, which instructions take together."""

    def __init__(self, of: Any) -> None:
        super().__init__(f"Lanes({of})")
        self.of = of


@register_model(Lanes)
class _Vector(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Lanes) -> None:
        vector = ir.VectorType(manager[kind.of].get_value_type(), LANES)
        super().__init__(manager, kind, vector)  # type: ignore[no-untyped-call]


@instruction
def lanes(context: Any, array: Any, place: Any) -> Any:
    """Return LANES values of a contiguous array, from a place on, in the type of sums."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return _widened(builder, builder.load(_vector_at(context, builder, array, *given), align=1))

    return Lanes(_sum_type(array.dtype))(array, types.int64), code


@instruction
def store(context: Any, array: Any, place: Any, total: Any) -> Any:
    """Write LANES sums to a contiguous array, from a place on, as `narrow` rounds them."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        values = _narrowed(builder, given[2], array.dtype)
        builder.store(values, _vector_at(context, builder, array, *given[:2]), align=1)
        return context.get_dummy_value()

    return types.void(array, types.int64, total), code


@instruction
def plus_product(context: Any, total: Any, factor: Any, values: Any) -> Any:
    """Return total + factor · values of lanes; the two may become one instruction."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        sums, one, many = given
        first = builder.insert_element(many, one, ir.IntType(32)(0))
        factors = builder.shuffle_vector(first, first, ir.VectorType(ir.IntType(32), LANES)(None))
        product = builder.fmul(factors, many, flags=("contract",))
        return builder.fadd(sums, product, flags=("contract",))

    return total(total, total.of, values), code


def _sum_type(kind: Any) -> Any:
    """Return the type in which values of this type are added."""
    return types.float32 if isinstance(kind, types.Integer) else kind


def _vector_at(context: Any, builder: Any, array: Any, given: Any, place: Any) -> Any:
    """Build the address of LANES values of an array."""
    first = builder.gep(context.make_array(array)(context, builder, given).data, [place])
    vector = ir.VectorType(context.get_data_type(array.dtype), LANES)
    return builder.bitcast(first, vector.as_pointer())


def _widened(builder: Any, value: Any) -> Any:
    """Build the float32 of the bits of a bfloat16, one or many; others stay."""
    if value.type in (ir.IntType(16), ir.VectorType(ir.IntType(16), LANES)):
        word = _like(value, ir.IntType(32))
        shifted = builder.shl(builder.zext(value, word), _constant(word, 16))
        return builder.bitcast(shifted, _like(value, ir.FloatType()))
    return value


def _narrowed(builder: Any, value: Any, kind: Any) -> Any:
    """Build the bits of the nearest bfloat16, one or many; NaN stays NaN. Others stay."""
    if not isinstance(kind, types.Integer):
        return value
    word = _like(value, ir.IntType(32))
    bits, half = builder.bitcast(value, word), _constant(word, 16)
    odd = builder.and_(builder.lshr(bits, half), _constant(word, 1))
    nearest = builder.add(bits, builder.add(odd, _constant(word, 0x7FFF)))
    is_number = builder.fcmp_ordered("ord", value, value)
    chosen = builder.select(is_number, builder.lshr(nearest, half), _constant(word, 0x7FC0))
    return builder.trunc(chosen, _like(value, ir.IntType(16)))


def _like(value: Any, one: Any) -> Any:
    """Return the type of one value, or of a vector where `value` is one."""
    return ir.VectorType(one, LANES) if isinstance(value.type, ir.VectorType) else one


def _constant(kind: Any, number: int) -> Any:
    """Return a number as a constant of this type, one or many."""
    return kind([number] * LANES if isinstance(kind, ir.VectorType) else number)


@compiled
def sums(x: Any, steps: Any, of: Any, images: int, out: Any, out_steps: Any, added: bool) -> None:
    """Write sums of rows for each image, or add them to what is there.

    `of` are three arrays. Sum r is of the terms t from starts[r] to starts[r + 1]; each is a
    factor[t] times row terms[t]. Row i of image b is x[i · of_row + b · of_image] with the two
    `steps`, and sum r goes to out in the same way. x and out have C columns, a multiple of LANES.
    """
    (of_row, of_image), (out_of_row, out_of_image) = steps, out_steps
    starts, terms, factors = of
    channels = x.shape[1]
    flat, flat_out = x.reshape(-1), out.reshape(-1)
    nothing = np.full(LANES, -0.0, factors.dtype)  # then a sum of -0 alone is -0
    for begin in range(0, images, IMAGES):
        for r in range(len(starts) - 1):
            for b in range(begin, min(begin + IMAGES, images)):
                begins = (r * out_of_row + b * out_of_image) * channels
                for c in range(0, channels, LANES):
                    total = lanes(flat_out, begins + c) if added else lanes(nothing, 0)
                    for t in range(starts[r], starts[r + 1]):
                        first = (terms[t] * of_row + b * of_image) * channels
                        total = plus_product(total, factors[t], lanes(flat, first + c))
                    store(flat_out, begins + c, total)


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
        of_bias[c], of_weight[c] = one[c], two[c] * inverse[c]
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
