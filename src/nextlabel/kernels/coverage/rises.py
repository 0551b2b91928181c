"""The rise in coverage that candidates bring, from one tile of kernel values.

A tile has c candidates and i images; p pairs.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.coverage.gaussian_kernel import GaussianKernel, KernelTile
from nextlabel.kernels.distance.exact import Floats
from nextlabel.kernels.distance.tile_marks import dense, marked


class Rises(NamedTuple):
    """Of each candidate of a tile its sum (c), and at least the kernel values behind it (c).

    The sum is off by at most `doubt` times those and `rounding` times itself.
    """

    sum: Floats
    mass: Floats

    def error(self, kernel: GaussianKernel) -> Floats:
        """Return the largest error of each sum (c)."""
        return kernel.doubt * self.mass + kernel.rounding * self.sum


def rises(
    kernel: GaussianKernel,
    tile: KernelTile,
    least: Array,
    low: Floats,
    weight: Floats,
    high: Floats | None = None,
    near: Callable[[Ids, Ids, Array], None] | None = None,
) -> Rises:
    """Return Σ_x w_x (k(x, candidate) - low of x) over the images that would gain.

    Parameters
    ----------
    kernel : GaussianKernel
        The similarity.
    tile : KernelTile
        The tile; its rows are candidates and its columns are images.
    least : array (i)
        The exponent of each image below which it surely does not gain.
    low : float64 array (i)
        The coverage of each image.
    weight : float64 array (i)
        The weight of each image.
    high : float64 array (i)
        A larger coverage: what exceeds it does not count. None for no limit.
    near : callable
        Gets the candidates and images of the pairs that may gain, as indices into the tile, and
        their exponents (p).
    """
    exponents, least = tile.exponents, least[None]  # [c, i], [1, i]
    precision, behind = kernel.distances.precision, float(weight @ low)
    low, factor = low.astype(precision), weight.astype(precision)  # [i]
    high = None if high is None else high.astype(precision)
    if dense(exponents, least):
        if near is not None:
            near(*marked(exponents, least))
        values, room = tile.values, tile.room()  # the values stay for the other way
        if high is not None:
            values = np.minimum(values, high, out=room)
        if behind:
            values = np.maximum(values, low, out=room)
            values -= low
        with np.errstate(invalid="ignore"):  # as in `inner`
            total = np.asarray(values @ factor, np.float64)  # [c]
        return Rises(total, total + behind)
    candidate, image, of_pairs = marked(exponents, least)  # [p]
    if near is not None:
        near(candidate, image, of_pairs)
    values = kernel.values(of_pairs)
    if high is not None:
        np.minimum(values, high[image], out=values)
    count = len(exponents)
    np.maximum(values, low[image], out=values)
    mass = np.asarray(np.bincount(candidate, values * factor[image], count), np.float64)
    values -= low[image]
    values *= factor[image]
    return Rises(np.asarray(np.bincount(candidate, values, count), np.float64), mass)
