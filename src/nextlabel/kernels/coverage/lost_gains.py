"""The loss in gain of candidates when images become covered better than before.

A tile has c candidates and i images; p pairs.
"""

import numpy as np

from nextlabel.kernels.coverage.gaussian_kernel import GaussianKernel, gaussian
from nextlabel.kernels.coverage.tile_marks import dense, pairs
from nextlabel.kernels.distance.exact import Floats
from nextlabel.kernels.distance.tiles import TileRows


def lost_gains(
    kernel: GaussianKernel,
    candidates: TileRows,
    images: TileRows,
    seen: Floats,
    covered: Floats,
    weight: Floats,
) -> Floats:
    """Return by how much the gain of each candidate has fallen, float64 (c).

    Parameters
    ----------
    kernel : GaussianKernel
        The similarity.
    candidates, images : TileRows
        The rows and the columns of the tile.
    seen : float64 array (i)
        The squared distance of each image to its nearest centre before.
    covered : float64 array (i)
        The similarity of each image to its nearest centre now.
    weight : float64 array (i)
        The weight of each image.
    """
    squared = kernel.squared_distances(candidates, images)  # [c, i]
    limits = kernel.limits(seen)[None]  # [1, i]
    precision = kernel.distances.precision
    low = gaussian(seen, kernel.squared_bandwidth).astype(precision)  # [i]
    high = covered.astype(precision)  # [i]
    factor = weight.astype(precision)  # [i]
    if dense(squared, limits):
        values = kernel.values(squared)  # [c, i]
        np.maximum(values, low, out=values)  # twice as fast as np.clip
        np.minimum(values, high, out=values)
        values -= low
        return np.asarray(values @ factor)
    flat, (candidate, image) = pairs(squared <= limits)
    values = kernel.values(squared.reshape(-1)[flat])  # [p]
    less = np.clip(values, low[image], high[image]) - low[image]
    less *= factor[image]
    return np.asarray(np.bincount(candidate, less, len(candidates.positions)), np.float64)
