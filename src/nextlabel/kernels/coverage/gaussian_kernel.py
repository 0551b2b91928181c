"""The Gaussian kernel k(x, y) = exp(-‖x - y‖² / σ²), the similarity of two images.

The form of Bae et al., 2024, https://arxiv.org/abs/2407.12212, without a 2 in the divisor.

A tile has r rows and c columns.
"""

import numpy as np

from nextlabel.core.types import Array
from nextlabel.kernels.distance.exact import Floats
from nextlabel.kernels.distance.tiles import Distances, TileBuffer, TileRows

FARTHEST = 700.0
"""The kernel is 0 where ‖x - y‖² / σ² exceeds this: e^-700 is about 1e-304."""

SMALLEST = 2.0**-900
"""A squared bandwidth below this is 0, and only copies are similar: a quotient could overflow."""

ROUGH = 2.0**-27
"""Pairs whose exponent may be off by more are measured directly."""

COARSE = 2.0**-12
"""Largest error of an exponent at which values in float32 are used."""

VANISHING = 2.0**-120
"""Below this, values in float32 are not exact or 0."""


def gaussian(squared: Array, squared_bandwidth: float) -> Floats:
    """Return k for squared distances, in their shape; at σ = 0 it is 1 for copies and else 0."""
    squared = np.asarray(squared, np.float64)
    if squared_bandwidth < SMALLEST:
        return np.asarray(squared == 0, np.float64)
    with np.errstate(over="ignore"):
        exponent = squared / squared_bandwidth
    return np.where(exponent > FARTHEST, 0.0, np.exp(-np.minimum(exponent, FARTHEST)))


class GaussianKernel:
    """Kernel values of tiles.

    Parameters
    ----------
    distances
        The images.
    squared_bandwidth
        σ², in the metric's unit.

    Attributes
    ----------
    slack
        The largest error of a squared distance of a tile, where the kernel is not surely 0.
    doubt
        The largest relative error of a kernel value.

    """

    def __init__(self, distances: Distances, squared_bandwidth: float) -> None:
        self.distances = distances
        self.squared_bandwidth = squared_bandwidth if squared_bandwidth >= SMALLEST else 0.0
        largest = distances.largest_error()
        self.rough = largest > ROUGH * self.squared_bandwidth and not self.single
        self.slack = min(largest, ROUGH * self.squared_bandwidth) if self.rough else largest
        self.doubt = 2.0**-20 if self.single else 2.0**-40
        if self.squared_bandwidth:
            self.doubt += self.slack / self.squared_bandwidth
        self._buffer = TileBuffer()

    @property
    def single(self) -> bool:
        """True when values are float32."""
        return self.distances.precision is np.float32

    @property
    def usable(self) -> bool:
        """False when distances in float32 are too coarse for this bandwidth."""
        return 0 < self.squared_bandwidth and self.slack <= COARSE * self.squared_bandwidth

    def squared_distances(self, rows: TileRows, columns: TileRows) -> Array:
        """Return squared distances (r, c), off by `slack` where the kernel is not surely 0."""
        values = self.distances.tile(rows, columns)  # [r, c]
        if self.rough:
            error = self.distances.error(rows.squared_norms[:, None], columns.squared_norms)
            rough = error > ROUGH * self.squared_bandwidth
            rough &= values <= FARTHEST * self.squared_bandwidth + error
            i, j = np.nonzero(rough)
            values[i, j] = self.distances.pairs(rows.positions[i], columns.positions[j])
        return values

    def limits(self, squared: Array) -> Floats:
        """Return the squared distances of a tile above which k is not larger than at `squared`."""
        limits = np.minimum(squared, FARTHEST * self.squared_bandwidth) + self.slack
        if self.single:  # rounded, but never down
            limits = np.nextafter(limits.astype(np.float32), np.float32(np.inf))
        return np.asarray(limits)

    def values(self, squared: Array) -> Array:
        """Return k of squared distances, in their shape; valid until the next call."""
        out = self._buffer(squared.shape, self.distances.precision)
        if not self.squared_bandwidth:
            return np.equal(squared, 0, out=out)
        np.multiply(squared, -1 / self.squared_bandwidth, out=out)
        return np.exp(out, out=out)
