"""Widths read from the images: the bandwidth of a kernel and the radius of a ball.

Distances are those of the embedding. Nothing is random: where not all images are measured, those
that are measured are evenly spaced.

n images, s of them in the sample, r of these at a time.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nextlabel.core.progress import prepared
from nextlabel.core.space.embedding import Embedding
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.distance.exact import Floats, Metric
from nextlabel.kernels.distance.tiles import Distances

EXACT = 20_000
"""The largest number of images for which the radius is exact by default."""

SPREAD = 4096
"""Images of which the balls are measured where there are more."""

UNSURE = 256
"""Images that are measured directly; float64 is used when float32 leaves more of them."""

COLUMNS = 2048
"""Columns of a tile of distances to other clusters."""

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
    if len(ids) < 2:
        return 0.0
    rank = min(math.ceil(len(ids) / SHARE), len(ids) - 1)
    quick = Distances(metric, ids, np.float32)
    fine = Distances(metric, ids, shifted=quick.shifted)
    squared = []
    for positions, values in _sampled_rows(quick, sample):
        near, many = _at_rank(quick, positions, values, rank)
        if many.size:
            near[many] = _at_rank(fine, positions[many], _rows(fine, positions[many]), rank)[0]
        squared.append(near)
    root = np.sqrt(np.concatenate(squared))  # [s]
    root = root[root > 0]
    return float(np.median(root)) / metric.distance_unit if root.size else 0.0


def _at_rank(distances: Distances, positions: Ids, values: Array, rank: int) -> tuple[Floats, Ids]:
    """Return the direct squared distance of images to their neighbour of a rank (r).

    `values` (r, n) are those of tiles, and are changed. Those that may be of the rank are measured;
    rows with more than `UNSURE` of them come second, by position, when tiles are float32.
    """
    values[np.arange(len(positions)), positions] = -1  # each is its own nearest
    of_rank = np.partition(values, rank, axis=1)[:, rank].astype(np.float64)  # [r]
    largest = float(distances.squared_norms.max())
    slack = 2 * distances.error(distances.squared_norms[positions], largest)  # [r]
    slack += 2.0**-20 * of_rank  # the limits are rounded
    precise = distances.precision is np.float64
    near, many = np.zeros(len(positions)), []
    for i, (row, middle, off) in enumerate(zip(values, of_rank, slack, strict=True)):
        unsure = np.flatnonzero((row >= middle - off) & (row <= middle + off))
        if precise:
            unsure = np.argpartition(row, rank)[rank : rank + 1]
        elif len(unsure) > UNSURE:
            many.append(i)
            continue
        below = 0 if precise else rank - int(np.count_nonzero(row < middle - off))
        direct = distances.pairs(np.full(len(unsure), positions[i]), unsure)
        near[i] = np.sort(direct)[below]
    return near, np.array(many, np.int64)


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
    features: object, ids: Ids, clusters: Array, purity: float, most: int = EXACT
) -> float:
    """Return the largest radius at which a share `purity` of the images have a pure ball.

    A ball is pure when all of `ids` in it are of the cluster of its centre: when the radius is
    below the distance to the nearest image of another cluster. The largest such radius is that
    distance's quantile, so no grid is searched; it is lowered by one part in 2^30, since balls are
    closed. With one cluster only it is the largest distance from the first image, doubled.

    Up to `most` images it is exact. Beyond, the balls of 4,096 evenly spaced images are measured,
    against all images: the share of pure balls is then within 0.7 points of a `purity` of 0.95, for
    95 of 100 samples.

    Parameters
    ----------
    features
        An Embedding or one array (N, d) of real numbers.
    ids
        The images, int64 (n).
    clusters
        The cluster of each of `ids`, (n).
    purity
        The share, above 0 and up to 1.
    most
        The largest number of images for the exact radius.
    """
    metric = Metric(Embedding.of(features))
    if bool((clusters == clusters[0]).all()):
        distances = Distances(metric, ids)
        farthest = float(distances.from_one(0, np.arange(len(ids))).max())
        return 2 * math.sqrt(farthest) / metric.distance_unit
    order = np.argsort(clusters, kind="stable")  # images of a cluster lie side by side
    groups = np.asarray(clusters)[order]
    n = len(ids)
    measured = np.arange(0, n, 1 if n <= most else n / SPREAD).astype(np.int64)  # [s]
    rank = min(math.floor((1 - purity) * len(measured) + 1e-9), len(measured) - 1)
    for precision in (np.float32, np.float64):
        distances = Distances(metric, ids[order], precision)
        nearest, error = _nearest_of_others(distances, groups, measured)  # [s], [s]
        below, unsure = _near_rank(nearest, error, rank)
        if len(unsure) <= UNSURE:
            break
    direct = [_direct_nearest(distances, groups, int(measured[row])) for row in unsure]
    squared = float(np.sort(direct)[rank - below])
    return math.sqrt(squared) * (1 - 2.0**-30) / metric.distance_unit


def _nearest_of_others(distances: Distances, groups: Array, measured: Ids) -> tuple[Floats, Floats]:
    """Return squared distances (s) to the nearest image of another group, and their error (s).

    `groups` (n) is sorted. Products in float32 find them; the nearest is off by no more than any
    pair of the row.
    """
    bounds = np.flatnonzero(np.diff(groups)) + 1
    starts, ends = np.append(0, bounds), np.append(bounds, len(groups))  # [groups]
    nearest = np.full(len(measured), np.inf)
    cuts = np.searchsorted(measured, np.append(starts, len(groups)))
    for columns in distances.each_rows_at(count=COLUMNS):
        first, last = int(columns.positions[0]), int(columns.positions[-1]) + 1
        prepared(first / len(distances))
        for g, (start, end) in enumerate(zip(starts, ends, strict=True)):
            span = slice(cuts[g], cuts[g + 1])
            inside = max(start, first) - first, min(end, last) - first
            if inside == (0, last - first):
                continue  # all are of the same group
            for rows in distances.each_rows_at(measured[span]):
                values = distances.tile(rows, columns)  # [r, c]
                if inside[0] < inside[1]:
                    values[:, inside[0] : inside[1]] = np.inf
                begin = int(np.searchsorted(measured, rows.positions[0]))
                at = slice(begin, begin + len(rows.positions))
                np.minimum(nearest[at], values.min(axis=1), out=nearest[at])
    largest = float(distances.squared_norms.max())
    return nearest, distances.error(distances.squared_norms[measured], largest)


def _direct_nearest(distances: Distances, groups: Array, position: int) -> float:
    """Return the squared distance to the nearest image of another group, by direct differences."""
    others = np.flatnonzero(groups != groups[position])
    return float(distances.from_one(position, others).min())


def _near_rank(values: Floats, errors: Floats, rank: int) -> tuple[int, Ids]:
    """Return which of the values (s), known up to an error, may have a rank, counted from 0.

    The number of those that are surely below comes first.
    """
    low = np.partition(values - errors, rank)[rank]
    high = np.partition(values + errors, rank)[rank]
    unsure = np.flatnonzero((values + errors >= low) & (values - errors <= high))
    return int((values + errors < low).sum()), unsure


def _sampled_rows(distances: Distances, sample: Sample) -> Iterator[tuple[Ids, Array]]:
    """Yield positions of the sample (r) and their squared distances to all (r, n)."""
    n = len(distances)
    measured = np.unique(np.linspace(0, n - 1, min(sample.images, n)).astype(np.int64))  # [s]
    step = min(max(1, sample.values // n), 256)
    for start in range(0, len(measured), step):
        positions = measured[start : start + step]
        yield positions, _rows(distances, positions)


def _rows(distances: Distances, positions: Ids) -> Array:
    """Return squared distances of some images to all (r, n), by tiles."""
    rows = distances.rows_at(positions)
    values = np.empty((len(positions), len(distances)), distances.precision)
    for columns in distances.each_rows_at():
        first, last = int(columns.positions[0]), int(columns.positions[-1]) + 1
        values[:, first:last] = distances.tile(rows, columns)
    return values
