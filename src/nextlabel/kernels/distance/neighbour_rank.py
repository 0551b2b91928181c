"""The distance of some images to their neighbour of one rank, such as the hundredth nearest.

n images, s of them measured, r of these at a time; c images of a sample, p pairs.
"""

from dataclasses import dataclass

import numpy as np

from nextlabel.core.types import Array, Ids
from nextlabel.kernels.distance.exact import Floats, Metric
from nextlabel.kernels.distance.tile_marks import pairs
from nextlabel.kernels.distance.tiles import Distances

UNSURE = 256
"""Images that are measured directly; float64 is used when float32 leaves more of them."""

UNSURE_FINE = 2**16
"""The same in float64, beyond which one of nearly equal distances is taken."""

DEVIATIONS = 5.0
"""Standard deviations by which the rank in a sample may be off."""

ROWS = 512
"""The largest number of rows that are measured at a time."""


@dataclass(frozen=True)
class RankTuning:
    """Sizes that decide speed and memory.

    Parameters
    ----------
    values
        Squared distances in memory at a time. At most half as many are kept between limits, with
        some 40 bytes each while they are sorted.
    columns
        Images of a sample which says between what limits the distance of a rank lies. Up to that
        number of images, none is taken.

    """

    values: int = 2**23
    columns: int = 2**13


STANDARD = RankTuning()


def squared_distances_at_rank(
    metric: Metric, ids: Ids, measured: Ids, rank: int, tuning: RankTuning = STANDARD
) -> Floats:
    """Return the direct squared distance of images to their neighbour of a rank, float64 (s).

    An image is its own neighbour of rank 0. Takes O(n) memory.

    Parameters
    ----------
    metric
        The distances.
    ids
        The images among which neighbours are, int64 (n).
    measured
        Positions within `ids` of the images to measure, int64 (s).
    rank
        The rank, below n.
    tuning
        Sizes for speed and memory.

    """
    quick = Distances(metric, ids, np.float32)
    fine = Distances(metric, ids, shifted=quick.shifted)
    squared = np.full(len(measured), np.nan)
    if len(ids) > tuning.columns:
        squared = _between_limits(quick, measured, rank, tuning)
    step = max(1, min(tuning.values // len(ids), ROWS))
    for distances in (quick, fine):
        left = np.flatnonzero(np.isnan(squared))
        for start in range(0, len(left), step):
            some = left[start : start + step]
            squared[some] = _in_whole_rows(distances, measured[some], rank)
    return squared


def _in_whole_rows(distances: Distances, positions: Ids, rank: int) -> Floats:
    """Return the squared distances (r) from all of each row, NaN where float32 leaves too many.

    Where even float64 leaves more than `UNSURE_FINE`, one of them is measured. They are equal but
    for rounding relative to the squared norms of the rows; among whole numbers they are equal.
    """
    everything = np.arange(len(distances))
    values = distances.table(positions, everything)  # [r, n]
    values[np.arange(len(positions)), positions] = -1  # each is its own nearest
    squared = np.array(
        [
            _measured(distances, int(position), row, everything, rank, off)
            for position, row, off in zip(
                positions, values, _slack(distances, positions), strict=True
            )
        ]
    )
    if distances.precision is np.float64:
        left = np.flatnonzero(np.isnan(squared))
        neighbours = np.argpartition(values[left], rank, axis=1)[:, rank]
        squared[left] = distances.pairs(positions[left], neighbours)
    return squared


def _between_limits(distances: Distances, measured: Ids, rank: int, tuning: RankTuning) -> Floats:
    """Return the squared distances (s) that a sample brings between two limits.

    Only values between these are kept. It is NaN for a row whose distance may lie elsewhere, and
    for one of which too many values would be kept.
    """
    n, squared = len(distances), np.full(len(measured), np.nan)
    sample = np.linspace(0, n - 1, tuning.columns).astype(np.int64)  # [c]
    middle = rank * len(sample) / n
    off = DEVIATIONS * np.sqrt(middle) + 1
    first, last = max(0, int(middle - off)), min(int(middle + off) + 1, len(sample) - 1)
    most = 2 * n * (last - first + 1) // len(sample)  # values of a row
    step = max(1, min(tuning.values // max(len(sample), 2 * most), ROWS))
    for start in range(0, len(measured), step):
        positions = measured[start : start + step]
        values = distances.table(positions, sample)  # [r, c]
        values.partition((first, last), axis=1)
        low = values[:, first] if first else np.full(len(positions), -np.inf, np.float32)
        high = values[:, last] if last < len(sample) - 1 else np.full_like(low, np.inf)
        below, row, other, value = _between(distances, positions, low, high.copy(), most)
        slack, ends = _slack(distances, positions), np.searchsorted(row, np.arange(len(low) + 1))
        for i, position in enumerate(positions):
            span, nth = slice(ends[i], ends[i + 1]), rank - int(below[i])
            if 0 <= nth < len(value[span]):
                limits = float(low[i]), float(high[i])
                squared[start + i] = _measured(
                    distances, int(position), value[span], other[span], nth, slack[i], limits
                )
    return squared


def _between(
    distances: Distances, positions: Ids, low: Array, high: Array, most: int
) -> tuple[Ids, Ids, Ids, Array]:
    """Return how many values of each row are below a limit (r), and those up to another one.

    The latter are rows, ascending, other images, and values (p). Of a row with more than `most`,
    all values are below.
    """
    rows, below = distances.rows_at(positions), np.zeros(len(positions), np.int64)
    count = np.zeros(len(positions), np.int64)
    kept: list[tuple[Array, ...]] = []
    for columns in distances.each_rows_at():
        first = int(columns.positions[0])
        values = distances.tile(rows, columns)
        itself = np.flatnonzero((positions >= first) & (positions < first + values.shape[1]))
        values[itself, positions[itself] - first] = -1  # each is its own nearest
        under = values < low[:, None]
        below += np.count_nonzero(under, axis=1)
        flat, (i, j) = pairs((values <= high[:, None]) & ~under)
        kept.append((i.astype(np.int32), (j + first).astype(np.int32), values.reshape(-1)[flat]))
        count += np.bincount(i, minlength=len(count))
        high[count > most] = -np.inf
    below[count > most] = len(distances)
    row, other, value = (np.concatenate(column) for column in zip(*kept, strict=True))
    order = np.argsort(row, kind="stable")
    return below, row[order], other[order], value[order]


def _measured(
    distances: Distances,
    position: int,
    values: Array,
    others: Ids,
    nth: int,
    slack: float,
    limits: tuple[float, float] = (-np.inf, np.inf),
) -> float:
    """Return the direct squared distance of the nth of some values in order.

    They are those of all images between the limits. The result is NaN where too many of them may
    be the nth, or one beyond the limits may.
    """
    middle, precise = float(np.partition(values, nth)[nth]), values.dtype == np.float64
    off = slack + (2.0**-50 if precise else 2.0**-20) * abs(middle)  # the limits are rounded
    if middle - off < limits[0] or middle + off > limits[1]:
        return np.nan
    unsure = np.flatnonzero((values >= middle - off) & (values <= middle + off))
    if len(unsure) > (UNSURE_FINE if precise and slack else UNSURE):
        return np.nan
    direct = distances.pairs(np.full(len(unsure), position), others[unsure])
    return float(np.sort(direct)[nth - int(np.count_nonzero(values < middle - off))])


def _slack(distances: Distances, positions: Ids) -> Floats:
    """Return twice the largest error of a row (r)."""
    largest = float(distances.squared_norms.max())
    return np.asarray(2 * distances.error(distances.squared_norms[positions], largest))
