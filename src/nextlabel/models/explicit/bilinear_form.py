"""Convolutions of small feature maps with fewer products, as sums before and after them.

Along one axis, a convolution of two pixels with three taps w and padding is y0 = w1 x0 + w2 x1 and
y1 = w0 x0 + w1 x1. It takes three products in place of four:

    p = w1 (x0 + x1),   q = (w2 - w1) x1,   r = (w0 - w1) x0,   y0 = p + q,   y1 = p + r.

More pixels take tiles of F(2, 3) [Winograd 1980, Lavin and Gray 2016], which need four products for
two outputs in place of six. Over both axes that is 9 products for 16 on 2×2 pixels, 64 for 100 on
4×4, and 256 for 361 on 7×7. Each form is exact but for rounding.

References
----------
S. Winograd. Arithmetic Complexity of Computations. SIAM, 1980.
A. Lavin and S. Gray. Fast algorithms for convolutional neural networks. CVPR 2016.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

LARGEST = 8
"""The largest side of a feature map for which forms were measured to be quicker."""


@dataclass(frozen=True, eq=False)
class BilinearForm:
    """A convolution of one size as three matrices: y = outputs ((taps w) · (pixels x)).

    Products are numbered by the group g, whose weights they share, and by their place p in it.
    """

    pixels: Matrix
    """(groups, places, input pixels): the sums of pixels that are multiplied."""
    taps: Matrix
    """(groups, taps): the sums of weights by which they are multiplied."""
    outputs: Matrix
    """(output pixels, groups, places): the sums of products."""
    live: tuple[slice, ...]
    """For each axis, the taps that meet the feature map; the others meet only padding."""
    shape: tuple[int, ...]
    """For each axis, the number of output pixels."""

    def __matmul__(self, other: "BilinearForm") -> "BilinearForm":
        """Return the form over two axes, of which this is the first."""
        return BilinearForm(
            _product("gpi,hqj->ghpqij", self.pixels, other.pixels),
            _product("gk,hl->ghkl", self.taps, other.taps),
            _product("ogp,rhq->orghpq", self.outputs, other.outputs),
            self.live + other.live,
            self.shape + other.shape,
        )


@cache
def bilinear_form(height: int, width: int, side: int, stride: int) -> BilinearForm:
    """Return the form of a convolution of (height, width) pixels.

    It is 3×3 with padding 1 or 1×1 without. Pixels, taps and output pixels count row by row.
    """
    return _along_axis(height, side, stride) @ _along_axis(width, side, stride)


def _along_axis(count: int, side: int, stride: int) -> BilinearForm:
    """Return the form of three taps with padding 1, or of one tap, for `count` pixels."""
    if side == 1:
        return _one_tap(count, stride)
    if count == 1 or stride > 1:
        return _pairs(count, stride)
    return _two_pixels() if count == 2 else _tiles(count)


def _one_tap(count: int, stride: int) -> BilinearForm:
    """Return the form that multiplies each pixel of which an output is made."""
    chosen = _chosen(np.arange(0, count, stride), count)
    outputs = np.eye(len(chosen), dtype=np.float32)[:, None]
    return BilinearForm(
        chosen[None], np.ones((1, 1), np.float32), outputs, (slice(0, 1),), (len(chosen),)
    )


def _pairs(count: int, stride: int) -> BilinearForm:
    """Return the form with one product for each pair of an output and a pixel that meet."""
    shape = -(-count // stride)
    met = [
        (output, tap, stride * output + tap - 1)
        for output in range(shape)
        for tap in range(3)
        if 0 <= stride * output + tap - 1 < count
    ]
    outputs, taps, pixels = np.array(met).T
    live = slice(int(taps.min()), int(taps.max()) + 1)
    return BilinearForm(
        _chosen(pixels, count)[:, None],
        _chosen(taps - live.start, live.stop - live.start),
        _chosen(outputs, shape).T[:, :, None],
        (live,),
        (shape,),
    )


def _two_pixels() -> BilinearForm:
    """Return the three products of the module's docstring, p, q and r."""
    return BilinearForm(
        np.array([[[1, 1]], [[0, 1]], [[1, 0]]], np.float32),
        np.array([[0, 1, 0], [0, -1, 1], [1, -1, 0]], np.float32),
        np.array([[[1], [1], [0]], [[1], [0], [1]]], np.float32),
        (slice(0, 3),),
        (2,),
    )


def _tiles(count: int) -> BilinearForm:
    """Return F(2, 3) on tiles of two outputs, which read a pixel more before and after them."""
    tiles = -(-count // 2)
    pixels = np.zeros((4, tiles, 2 * tiles + 2), np.float32)
    outputs = np.zeros((2 * tiles, 4, tiles), np.float32)
    for tile in range(tiles):
        reads, writes = slice(2 * tile, 2 * tile + 4), slice(2 * tile, 2 * tile + 2)
        pixels[:, tile, reads] = [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]]
        outputs[writes, :, tile] = [[1, 1, 1, 0], [0, 1, -1, -1]]
    taps = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], np.float32)
    live = (slice(0, 3),)
    return BilinearForm(pixels[:, :, 1 : count + 1], taps, outputs[:count], live, (count,))


def _chosen(places: NDArray[np.int64], count: int) -> Matrix:
    """Return rows that have a 1 at these places out of `count`."""
    return np.eye(count, dtype=np.float32)[places]


def _product(which: str, first: Matrix, second: Matrix) -> Matrix:
    """Return the product over two axes, with each pair of axes as one."""
    values: Matrix = np.einsum(which, first, second)
    pairs = zip(values.shape[::2], values.shape[1::2], strict=True)
    return values.reshape([one * other for one, other in pairs])
