"""Squared distances between many images at once, a tile at a time, and how wrong they can be."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.feature_space import Embedding
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.distance.products import Precision, Screen

SIDE = 512
"""Rows and columns of a tile: 2 MB in float64, which stays near the processor."""

Floats = NDArray[np.float64]


class Side(NamedTuple):
    """One side of a tile: places among the distances' ids, their rows by block, their ‖z‖²."""

    places: Ids
    rows: list[Array]
    weighted: list[Array]
    """Rows times -2 and the weight of their block."""
    norms: Floats


class Scratch:
    """Memory for one tile, used again for the next: fresh pages cost more than the arithmetic."""

    def __init__(self) -> None:
        self._held = np.empty(0, np.uint8)

    def __call__(self, shape: tuple[int, ...], precision: Precision = np.float64) -> Array:
        """Return an array of `shape` with anything in it, valid until the next call."""
        size = int(np.prod(shape)) * np.dtype(precision).itemsize
        if size > self._held.nbytes:
            self._held = np.empty(size, np.uint8)
        return self._held[:size].view(precision).reshape(shape)


class Distances:
    """Measures the images `ids` of a metric against each other; places count within `ids`.

    A tile's value differs from the direct difference by at most `error` of its two norms, and is
    valid until the next tile is asked for.
    """

    def __init__(self, metric: Metric, ids: Ids, precision: Precision = np.float64) -> None:
        self.metric, self.ids, self.precision = metric, ids, precision
        self.screen = Screen(metric)
        self.norms = self.screen.norms[ids]
        self._tile = Scratch()
        self.kappa, self.eta = self.screen.error(precision)
        if self.kappa:  # what is added and multiplied after the products
            self.kappa += 8 * float(np.finfo(precision).eps)

    def __len__(self) -> int:
        return len(self.ids)

    def side(self, places: Ids) -> Side:
        """Return a side of a tile, its rows converted once."""
        own = self.precision
        rows = self.screen.rows(self.ids[places], own)
        other = [r * own(-2 * part.weight) for part, r in zip(self.metric.parts, rows, strict=True)]
        return Side(places, rows, other, self.norms[places])

    def sides(self, places: Ids | None = None, size: int | None = None) -> Iterator[Side]:
        """Yield sides that together hold `places`, by default all, `size` (SIDE) at a time."""
        places = np.arange(len(self)) if places is None else places
        step = size or SIDE
        for start in range(0, len(places), step):
            yield self.side(places[start : start + step])

    def halves(self, size: int) -> Iterator[tuple[Side, Side, bool]]:
        """Yield two sides for each pair of the first `size` places once, and whether they differ.

        Tiles are symmetric, so that those below the diagonal need not be computed.
        """
        for start in range(0, size, SIDE):
            first = self.side(np.arange(start, min(start + SIDE, size)))
            for second in self.sides(np.arange(start, size)):
                yield first, second, bool(second.places[0] != start)

    def tile(self, first: Side, second: Side) -> Array:
        """Return ‖x_i - x_j‖² approximately and never below 0, shape (first, second)."""
        own = self.precision
        values = self._tile((len(first.places), len(second.places)), own)
        for part, (rows, others) in enumerate(zip(first.rows, second.weighted, strict=True)):
            if part == 0:
                np.matmul(rows, others.T, out=values)
            else:
                values += rows @ others.T
        values += first.norms.astype(own)[:, None]
        values += second.norms.astype(own)
        return np.maximum(values, own(0), out=values)

    def error(self, first: Floats | float, second: Floats | float) -> Floats:
        """Return how far tiles of rows with these norms may be off."""
        return np.asarray(self.kappa * (np.asarray(first) + np.asarray(second)) + self.eta)

    def worst(self) -> float:
        """Return how far any tile may be off."""
        top = float(self.norms.max(initial=0.0))
        return float(self.error(top, top)) if self.kappa else 0.0

    def between(self, first: Ids, second: Ids) -> Floats:
        """Return the direct differences of as many pairs of places, shape (pairs)."""
        return self.metric.pair_distances(self.ids[first], self.ids[second])

    def to(self, place: int, others: Ids) -> Floats:
        """Return the direct differences of one place to others, shape (others)."""
        centre = self.metric.centre(int(self.ids[place]))
        return self.metric.squared_distances(self.ids[others], centre)


def nearest(distances: Distances, places: Ids, others: Ids) -> Floats:
    """Return ‖x - o‖², direct, to the nearest of `others` for each of `places`; inf without any.

    Only pairs that rounding does not rule out are measured directly.
    """
    found = np.full(len(places), np.inf)
    for start in range(0, len(places), SIDE):
        span = slice(start, start + SIDE)
        first = distances.side(places[span])
        for second in distances.sides(others):
            values = distances.tile(first, second)
            slack = distances.error(first.norms, float(second.norms.max()))
            limit = np.minimum(values.min(axis=1) + 2 * slack, found[span] + slack)
            rows, columns = np.nonzero(values <= limit[:, None])
            direct = distances.between(first.places[rows], second.places[columns])
            own = found[span]
            np.minimum.at(own, rows, direct)
    return found


def unit(metric: Metric, embedding: Embedding) -> float:
    """Return what a distance of the embedding is multiplied by to be one of the metric's."""
    heaviest = max(range(len(metric.parts)), key=lambda b: metric.parts[b].weight)
    part, factor = metric.parts[heaviest], abs(embedding.blocks[heaviest][1])
    return float(np.sqrt(part.weight)) * part.unit / factor if factor else 1.0
