"""How far is near: a kernel's bandwidth and a ball's radius, read from the images themselves.

Distances are those of the embedding. Nothing is random: where not all images are looked at, they
are evenly spaced.
"""

import math
from collections.abc import Iterator

import numpy as np

from nextlabel.core.feature_space import Embedding
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.distance.exact import Metric
from nextlabel.kernels.distance.tiles import Distances, Floats, unit

SAMPLE = 1024
"""Images whose neighbours are measured; all neighbours are looked at."""

SHARE = 50
"""The neighbour that counts is number ⌈N / SHARE⌉: a ball then holds about 2% of the images."""

VALUES = 2**23
"""Values of a table of some images' distances to all, 64 MB."""


def neighbour_distance(features: object, ids: Ids) -> float:
    """Return the median over `ids` of the distance to their ⌈n/50⌉-th neighbour among them.

    Images with so many copies that this is 0 are left out; 0 when all are such. From 1,024 images
    on it is the median over an even sample. In O(n) memory.
    """
    embedding = Embedding.of(features)
    metric = Metric(embedding)
    distances = Distances(metric, ids)
    if len(ids) < 2:
        return 0.0
    rank = min(math.ceil(len(ids) / SHARE), len(ids) - 1)
    found = []
    for places, values in _rows(distances):
        values[np.arange(len(places)), places] = -1  # each is its own nearest
        near = np.argpartition(values, rank, axis=1)[:, rank]
        found.append(distances.between(places, near))
    root = np.sqrt(np.concatenate(found))
    root = root[root > 0]
    return float(np.median(root)) / unit(metric, embedding) if root.size else 0.0


def closest_pair(features: object, ids: Ids) -> float:
    """Return the smallest distance above 0 between two of `ids`; 0 when there is none."""
    embedding = Embedding.of(features)
    metric = Metric(embedding)
    distances = Distances(metric, metric.without_copies(ids))
    best = np.inf
    for first, second, differ in distances.halves(len(distances)):
        values = distances.tile(first, second)
        if not differ:
            np.fill_diagonal(values, np.inf)
        slack = float(distances.error(first.norms.max(), second.norms.max()))
        limit = min(float(values.min()) + 2 * slack, best + slack)
        if math.isinf(limit):
            continue
        rows, columns = np.nonzero(values <= limit)
        direct = distances.between(first.places[rows], second.places[columns])
        best = min(best, float(direct[direct > 0].min(initial=np.inf)))
    return math.sqrt(best) / unit(metric, embedding) if np.isfinite(best) else 0.0


def pure_radius(features: object, ids: Ids, clusters: Array, purity: float) -> float:
    """Return the largest radius at which a share `purity` of the images have a pure ball.

    A ball is pure when all of `ids` in it are of the cluster of its centre: when the radius is
    below the distance to the nearest image of another cluster. The largest such radius is that
    distance's quantile, so no grid is searched; it is lowered by one part in 2^30, since balls are
    closed. With one cluster only it is the largest distance from the first image, doubled.
    """
    embedding = Embedding.of(features)
    metric = Metric(embedding)
    distances = Distances(metric, ids)
    one = bool((clusters == clusters[0]).all())
    found = []
    for places, values in _rows(distances):
        if one:
            found.append(4 * distances.to(0, np.arange(len(ids))))
            break
        values[clusters[places][:, None] == clusters] = np.inf
        found.append(distances.between(places, values.argmin(axis=1)))
    root = np.sort(np.sqrt(np.concatenate(found)))
    if one:
        return float(root[-1]) / unit(metric, embedding)
    impure = min(math.floor((1 - purity) * len(root) + 1e-9), len(root) - 1)
    return float(root[impure]) * (1 - 2.0**-30) / unit(metric, embedding)


def _rows(distances: Distances) -> Iterator[tuple[Ids, Floats]]:
    """Yield an even sample of places and their squared distances to all, some at a time."""
    size = len(distances)
    sample = np.unique(np.linspace(0, size - 1, min(SAMPLE, size)).astype(np.int64))
    for first in distances.sides(sample, min(max(1, VALUES // size), 256)):
        values = np.empty((len(first.places), size))
        for second in distances.sides():
            values[:, second.places] = distances.tile(first, second)
        yield first.places, values
