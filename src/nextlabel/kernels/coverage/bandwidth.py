"""Widths read from the images: the bandwidth of a kernel and the radius of a ball.

Distances are those of the embedding. Nothing is random: where not all images are measured, those
that are measured are evenly spaced.

n images, s of them in the sample, r of these at a time.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nextlabel.core.feature_space import Embedding
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.distance.exact import Floats, Metric
from nextlabel.kernels.distance.tiles import Distances

SHARE = 50
"""The neighbour that counts is number ⌈n / SHARE⌉: a ball then holds about 2% of the images."""


@dataclass(frozen=True)
class Sample:
    """The images measured: at most `images`, and `values` squared distances in memory at a time."""

    images: int = 1024
    values: int = 2**23


EVEN = Sample()


def neighbour_distance(features: object, ids: Ids, sample: Sample = EVEN) -> float:
    """Return the median over `ids` of the distance to their ⌈n/50⌉-th neighbour among them.

    Images for which it is 0, because of copies, are left out; the result is 0 when all are such.
    The median is over a sample when there are more images. Takes O(n) memory.
    """
    metric = Metric(Embedding.of(features))
    distances = Distances(metric, ids)
    if len(ids) < 2:
        return 0.0
    rank = min(math.ceil(len(ids) / SHARE), len(ids) - 1)
    squared = []
    for positions, values in _sampled_rows(distances, sample):
        values[np.arange(len(positions)), positions] = -1  # each is its own nearest
        near = np.argpartition(values, rank, axis=1)[:, rank]  # [r]
        squared.append(distances.pairs(positions, near))
    root = np.sqrt(np.concatenate(squared))  # [s]
    root = root[root > 0]
    return float(np.median(root)) / metric.distance_unit if root.size else 0.0


def closest_pair(features: object, ids: Ids) -> float:
    """Return the smallest distance above 0 between two of `ids`; 0 when there is none."""
    metric = Metric(Embedding.of(features))
    distances = Distances(metric, metric.without_copies(ids))
    best = np.inf
    for rows, columns, differ in distances.upper_triangle(len(distances)):
        values = distances.tile(rows, columns)  # [r, c]
        if not differ:
            np.fill_diagonal(values, np.inf)
        slack = float(distances.error(rows.squared_norms.max(), columns.squared_norms.max()))
        limit = min(float(values.min()) + 2 * slack, best + slack)
        if math.isinf(limit):
            continue
        i, j = np.nonzero(values <= limit)
        direct = distances.pairs(rows.positions[i], columns.positions[j])
        best = min(best, float(direct[direct > 0].min(initial=np.inf)))
    return math.sqrt(best) / metric.distance_unit if np.isfinite(best) else 0.0


def pure_radius(
    features: object, ids: Ids, clusters: Array, purity: float, sample: Sample = EVEN
) -> float:
    """Return the largest radius at which a share `purity` of the images have a pure ball.

    A ball is pure when all of `ids` in it are of the cluster of its centre: when the radius is
    below the distance to the nearest image of another cluster. The largest such radius is that
    distance's quantile, so no grid is searched; it is lowered by one part in 2^30, since balls are
    closed. With one cluster only it is the largest distance from the first image, doubled.
    `clusters` is (n).
    """
    metric = Metric(Embedding.of(features))
    distances = Distances(metric, ids)
    if bool((clusters == clusters[0]).all()):
        farthest = float(distances.from_one(0, np.arange(len(ids))).max())
        return 2 * math.sqrt(farthest) / metric.distance_unit
    squared = []
    for positions, values in _sampled_rows(distances, sample):
        values[clusters[positions][:, None] == clusters] = np.inf
        squared.append(distances.pairs(positions, values.argmin(axis=1)))
    root = np.sort(np.sqrt(np.concatenate(squared)))  # [s]
    impure = min(math.floor((1 - purity) * len(root) + 1e-9), len(root) - 1)
    return float(root[impure]) * (1 - 2.0**-30) / metric.distance_unit


def _sampled_rows(distances: Distances, sample: Sample) -> Iterator[tuple[Ids, Floats]]:
    """Yield positions of the sample (r) and their squared distances to all (r, n)."""
    n = len(distances)
    measured = np.unique(np.linspace(0, n - 1, min(sample.images, n)).astype(np.int64))  # [s]
    for rows in distances.each_rows_at(measured, min(max(1, sample.values // n), 256)):
        values = np.empty((len(rows.positions), n))  # [r, n]
        for columns in distances.each_rows_at():
            values[:, columns.positions] = distances.tile(rows, columns)
        yield rows.positions, values
