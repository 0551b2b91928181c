"""The Gaussian kernel k(x, y) = exp(-‖x - y‖² / σ²), the similarity of two images.

The form of Bae et al., 2024, https://arxiv.org/abs/2407.12212, without a 2 in the divisor.

A tile has r rows and c columns.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.distance.exact import Floats, Metric
from nextlabel.kernels.distance.products import ShiftedRows
from nextlabel.kernels.distance.tiles import Distances, TileBuffer, TileRows

FARTHEST = 700.0
"""The kernel is 0 where ‖x - y‖² / σ² exceeds this: e^-700 is about 1e-304."""

SMALLEST = 2.0**-900
"""A squared bandwidth below this is 0, and only copies are similar: a quotient could overflow."""

ROUGH = 2.0**-27
"""Pairs whose exponent may be off by more are measured directly, where values are float64."""

COARSE = 2.0**-8
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
    """Kernel values of tiles, from their exponents -‖x - y‖² / σ².

    Parameters
    ----------
    distances
        The images. In float32 their factor is -1 / σ², so that a product is an exponent.
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
        self.single = distances.precision is np.float32
        self.rough = largest > ROUGH * self.squared_bandwidth and not self.single
        self.slack = min(largest, ROUGH * self.squared_bandwidth) if self.rough else largest
        self.doubt = 2.0**-20 if self.single else 2.0**-40
        if self.squared_bandwidth:
            self.doubt += 1.01 * self.slack / self.squared_bandwidth
        self._values, self._room = TileBuffer(), TileBuffer()

    @property
    def usable(self) -> bool:
        """False when distances in float32 are too coarse for this bandwidth."""
        return 0 < self.squared_bandwidth and self.slack <= COARSE * self.squared_bandwidth

    @property
    def vanishing(self) -> float:
        """A value is off by at most this beyond its relative error."""
        return VANISHING if self.single else 0.0

    @property
    def rounding(self) -> float:
        """The largest relative error of a sum over one tile."""
        return self.distances.tile_rows * (2.0**-24 if self.single else 2.0**-53)

    def exponents(self, rows: TileRows, columns: TileRows) -> Array:
        """Return -‖x - y‖² / σ² (r, c), off by `slack` / σ² where the kernel is not surely 0.

        It is valid until the next call.
        """
        if self.single:
            return self.distances.product(rows, columns)
        squared = self.distances.tile(rows, columns)  # [r, c]
        if self.rough:
            error = self.distances.error(
                rows.squared_norms[:, None], columns.squared_norms
            )  # [r, c]
            rough = error > ROUGH * self.squared_bandwidth  # [r, c]
            rough &= squared <= FARTHEST * self.squared_bandwidth + error
            i, j = np.nonzero(rough)
            squared[i, j] = self.distances.pairs(rows.positions[i], columns.positions[j])
        if not self.squared_bandwidth:
            return np.where(squared == 0, 0.0, -np.inf)
        return np.multiply(squared, -1 / self.squared_bandwidth, out=squared)

    def least(self, squared: Array) -> Array:
        """Return the exponents of a tile below which k is not larger than at `squared`."""
        limit = np.minimum(squared, FARTHEST * self.squared_bandwidth) + self.slack
        if self.squared_bandwidth:
            limit = limit / -self.squared_bandwidth
        else:
            limit = np.zeros_like(limit)
        precision = self.distances.precision
        return np.asarray(np.nextafter(limit.astype(precision), precision(-np.inf)))  # never up

    def values(self, exponents: Array) -> Array:
        """Return k of exponents, in their memory."""
        return np.exp(exponents, out=exponents)

    def tile(self, rows: TileRows, columns: TileRows) -> "KernelTile":
        """Return the tile of some rows and columns, valid until the next one."""
        exponents = self.exponents(rows, columns)
        shape, precision = exponents.shape, self.distances.precision
        return KernelTile(
            exponents,
            lambda: np.exp(exponents, out=self._values(shape, precision)),
            lambda: self._room(shape, precision),
        )


class KernelTile:
    """Exponents of pairs of images and, once they are asked for, kernel values.

    Parameters
    ----------
    exponents
        -‖x - y‖² / σ² (r, c).
    values
        Returns k of them, in their shape and order.
    room
        Returns an array of their shape and order with any content: the same memory each time, for
        this tile and the transposed one.

    """

    def __init__(
        self, exponents: Array, values: Callable[[], Array], room: Callable[[], Array]
    ) -> None:
        self.exponents, self._values, self.room = exponents, values, room

    @cached_property
    def values(self) -> Array:
        """Kernel values (r, c)."""
        return self._values()

    def transposed(self) -> "KernelTile":
        """Return the same tile with rows and columns exchanged, which computes nothing again."""
        return KernelTile(self.exponents.T, lambda: self.values.T, lambda: self.room().T)


def kernels(
    metric: Metric, ids: Ids, squared_bandwidth: float, tile_rows: int, shifted: ShiftedRows
) -> tuple[GaussianKernel, GaussianKernel]:
    """Return the kernel in float64, and in float32 where that is fine enough for the bandwidth."""
    fine = GaussianKernel(Distances(metric, ids, np.float64, tile_rows, shifted), squared_bandwidth)
    if not fine.squared_bandwidth:
        return fine, fine
    factor = -1 / squared_bandwidth
    quick = GaussianKernel(
        Distances(metric, ids, np.float32, tile_rows, shifted, factor), squared_bandwidth
    )
    return fine, quick if quick.usable else fine
