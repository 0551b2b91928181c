"""The shape of a cloud of points, and the place of some of them in it.

n points, d dimensions.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.types import Array, Ids

TILE = 1024
NEIGHBOUR = 10
"""The distance to this neighbour measures the density around a point."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """Numbers that describe a cloud of points; None where a number has no value.

    For points picked at random, `nearest` and `spread` are about 1, `sparse` 0.1 and `offset` 0.

    Parameters
    ----------
    kurtosis
        The function `kurtosis` of all points; 0 for a Gaussian.
    nearest
        Mean distance of the picked to their nearest neighbour, divided by that of the candidates.
    spread
        Mean distance between two of the picked, divided by that between any two points.
    sparse
        Share of the picked that are among the sparsest tenth of the candidates.
    offset
        Distance of the mean of the picked from the mean of all, divided by the root-mean-square
        distance of a point from the latter; near 1 when the picked lie at one edge.
    """

    kurtosis: float | None
    nearest: float | None
    spread: float | None
    sparse: float | None
    offset: float | None


def shape(points: Array, candidates: Ids, picked: Ids) -> Shape:
    """Return the shape of a cloud and the place of the picked points in it.

    Neighbours are sought among all points.

    Parameters
    ----------
    points
        Coordinates, shape (n, d).
    candidates
        Rows that could be picked, int64.
    picked
        Some of the candidates, int64.

    Returns
    -------
    Shape
        Ratios without a unit.
    """
    cloud = _centred(points)
    nearest, tenth, total = _distances(cloud)
    between = _distances(cloud[picked])[2]
    radius = float(np.sqrt((cloud**2).sum(axis=1).mean()))
    away = float(np.sqrt((cloud[picked].mean(axis=0) ** 2).sum())) if len(picked) else None
    sparse = sparsest(tenth, candidates)
    return Shape(
        kurtosis(points),
        _ratio(_mean(nearest[picked]), _mean(nearest[candidates])),
        _ratio(_over_pairs(between, len(picked)), _over_pairs(total, len(cloud))),
        float(np.isin(picked, sparse).mean()) if len(picked) else None,
        _ratio(away, radius),
    )


def kurtosis(points: Array) -> float | None:
    """Return E‖x − μ‖⁴ over its value for a Gaussian of the same covariance, minus 1.

    For a Gaussian E‖x − μ‖⁴ = (tr Σ)² + 2 tr Σ² for every Σ, so it has 0; a crowded middle with
    far tails has more, an even disc −1/3. In one dimension it is the usual kurtosis / 3 − 1, on an
    isotropic cloud Mardia's b / (d (d + 2)) − 1, but no covariance is inverted, and rotation and
    scale change nothing. `points` (n, d); None when they are all the same.

    Mardia, Measures of multivariate skewness and kurtosis with applications, Biometrika 57, 1970,
    https://doi.org/10.1093/biomet/57.3.519
    """
    cloud = _centred(points)
    squares = (cloud**2).sum(axis=1)
    n, d = cloud.shape
    gram = cloud.T @ cloud if d <= n else cloud @ cloud.T  # tr Σ² is that of either
    gaussian = squares.mean() ** 2 + 2 * (gram**2).sum() / n**2
    return float((squares**2).mean() / gaussian - 1) if gaussian > 0 else None


def sparsest(distances: Floats, candidates: Ids) -> Ids:
    """Return the tenth of `candidates`, rounded up, with the largest of the `distances` (n).

    Ties go to the smallest row.
    """
    count = -(-len(candidates) // 10)
    ascending = np.sort(candidates)
    return ascending[np.argsort(-distances[ascending], kind="stable")[:count]]


def _centred(points: Array) -> Floats:
    """Return points around their mean in units of their largest coordinate, so no power is lost."""
    rows = np.asarray(points, np.float64)
    largest = float(np.abs(rows).max(initial=0.0))
    rows = rows / (largest or 1.0)
    cloud: Floats = rows - rows.mean(axis=0) if len(rows) else rows
    return cloud if (rows != rows[:1]).any() else np.zeros_like(cloud)


def _distances(cloud: Floats) -> tuple[Floats, Floats, float]:
    """Return each row's distance to the nearest and the 10th neighbour (n), and the sum over pairs.

    With fewer neighbours the last one replaces the 10th; a row without any has distance 0.
    """
    n = len(cloud)
    nearest, tenth, total = np.zeros(n), np.zeros(n), 0.0
    if n < 2:
        return nearest, tenth, total
    last = min(NEIGHBOUR, n - 1)
    for start, tile in _tiles(cloud):
        total += float(tile.sum()) / 2
        tile[np.arange(len(tile)), start + np.arange(len(tile))] = np.inf
        tile.partition([0, last - 1], axis=1)
        span = slice(start, start + len(tile))
        nearest[span], tenth[span] = tile[:, 0], tile[:, last - 1]
    return nearest, tenth, total


def _tiles(cloud: Floats) -> Iterator[tuple[int, Floats]]:
    """Yield (first row, distances (rows, n)), by direct differences: equal rows are at 0."""
    from scipy.spatial.distance import cdist

    for start in range(0, len(cloud), TILE):
        yield start, cdist(cloud[start : start + TILE], cloud)


def _over_pairs(total: float, n: int) -> float | None:
    return total / (n * (n - 1) / 2) if n > 1 else None


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None


def _ratio(number: float | None, of: float | None) -> float | None:
    return None if number is None or not of else number / of
