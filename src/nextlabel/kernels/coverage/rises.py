"""The rise in coverage that candidates bring, from one tile of kernel values.

A tile has c candidates and i images; p pairs.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.coverage.gaussian_kernel import GaussianKernel, gaussian
from nextlabel.kernels.coverage.tile_marks import dense, pairs
from nextlabel.kernels.distance.exact import Floats
from nextlabel.kernels.distance.tiles import TileRows


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
    candidates: TileRows,
    images: TileRows,
    seen: Floats,
    weight: Floats,
    covered: Floats | None = None,
    near: Callable[[Ids, Ids, Array], None] | None = None,
) -> Rises:
    """Return Σ_x w_x (k(x, candidate) - coverage of x) over the images that would gain.

    Parameters
    ----------
    kernel : GaussianKernel
        The similarity.
    candidates, images : TileRows
        The rows and the columns of the tile.
    seen : float64 array (i)
        The squared distance of each image to its nearest centre.
    weight : float64 array (i)
        The weight of each image.
    covered : float64 array (i)
        A coverage above that by `seen`: what exceeds it does not count. None for no limit.
    near : callable
        Gets the candidates and images of the pairs that may gain, as indices into the tile, and
        their exponents (p).
    """
    exponents = kernel.exponents(candidates, images)  # [c, i]
    least = kernel.least(seen)[None]  # [1, i]
    precision = kernel.distances.precision
    low64 = gaussian(seen, kernel.squared_bandwidth)
    low, factor = low64.astype(precision), weight.astype(precision)  # [i]
    high = None if covered is None else covered.astype(precision)
    if dense(exponents, least):
        if near is not None:
            flat, (candidate, image) = pairs(exponents >= least)
            near(candidate, image, exponents.reshape(-1)[flat])
        values = kernel.values(exponents)
        behind = float(weight @ low64)
        if behind:
            np.maximum(values, low, out=values)
        if high is not None:
            np.minimum(values, high, out=values)
        if behind:
            values -= low
        total = np.asarray(values @ factor, np.float64)  # [c]
        return Rises(total, total + behind)
    flat, (candidate, image) = pairs(exponents >= least)
    of_pairs = exponents.reshape(-1)[flat]  # [p]
    if near is not None:
        near(candidate, image, of_pairs)
    values = kernel.values(of_pairs)
    if high is not None:
        np.minimum(values, high[image], out=values)
    count = len(candidates.positions)
    np.maximum(values, low[image], out=values)
    mass = np.asarray(np.bincount(candidate, values * factor[image], count), np.float64)
    values -= low[image]
    values *= factor[image]
    return Rises(np.asarray(np.bincount(candidate, values, count), np.float64), mass)
