"""How alike two images are: the Gaussian kernel k(x, y) = exp(-‖x - y‖² / σ²).

The form of Bae et al., 2024, https://arxiv.org/abs/2407.12212, without a 2 in the divisor.
"""

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array
from nextlabel.kernels.distance.tiles import Distances, Scratch, Side

FARTHEST = 700.0
"""Where ‖x - y‖² / σ² exceeds this the kernel is 0: e^-700 is about 1e-304."""

SMALLEST = 2.0**-900
"""A squared bandwidth below this is 0, and only copies are alike."""

ROUGH = 2.0**-27
"""Pairs whose exponent may be off by more are measured directly."""


def gaussian(squared: Array, width: float) -> NDArray[np.float64]:
    """Return k for squared distances and a squared bandwidth; with 0 it is 1 for copies alone."""
    squared = np.asarray(squared, np.float64)
    if width < SMALLEST:
        return np.asarray(squared == 0, np.float64)
    with np.errstate(over="ignore"):
        exponent = squared / width
    return np.where(exponent > FARTHEST, 0.0, np.exp(-np.minimum(exponent, FARTHEST)))


class Gaussian:
    """Kernel values of tiles; `doubt` bounds their relative error."""

    def __init__(self, distances: Distances, width: float) -> None:
        self.distances, self.width = distances, width if width >= SMALLEST else 0.0
        worst = distances.worst()
        self.rough = worst > ROUGH * self.width
        self.slack = min(worst, ROUGH * self.width)
        self.doubt = (self.slack / self.width if self.width else 0.0) + 2.0**-40
        self._tile = Scratch()

    def squares(self, first: Side, second: Side) -> Array:
        """Return squared distances off by at most `slack` where the kernel is not surely 0."""
        values = self.distances.tile(first, second)
        if self.rough:
            error = self.distances.error(first.norms[:, None], second.norms)
            wrong = (error > ROUGH * self.width) & (values <= FARTHEST * self.width + error)
            rows, columns = np.nonzero(wrong)
            values[rows, columns] = self.distances.between(
                first.places[rows], second.places[columns]
            )
        return values

    def limits(self, squared: Array) -> NDArray[np.float64]:
        """Return above which of `squares` k is surely 0 or no larger than that of `squared`."""
        return np.asarray(np.minimum(squared, FARTHEST * self.width) + self.slack)

    def values(self, squares: Array) -> Array:
        """Return k of `squares`; valid until the next call."""
        out = self._tile(squares.shape)
        if not self.width:
            return np.equal(squares, 0, out=out)
        np.multiply(squares, -1 / self.width, out=out)
        return np.exp(out, out=out)
