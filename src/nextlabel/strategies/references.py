"""The images that a covering strategy covers: all of a pool, or a random sample of a large one."""

import warnings

import numpy as np

from nextlabel.core.carried import Carried, digest, once
from nextlabel.core.pool import Pool
from nextlabel.core.snapshot import Snapshot
from nextlabel.core.types import Array, Ids
from nextlabel.kernels.coverage.pair_seconds import pair_seconds
from nextlabel.strategies.options import whole

ALL_UP_TO = 20_000
"""The largest number of images of which all are covered by default."""

SAMPLED = 10_000
"""The number of images that are covered by default where there are more."""

LONG = 120.0
"""Seconds of a choice from which a warning says before what it will take."""

PASSES = 3
"""Kernel values of MaxHerding per pair of an image to pick and one to cover, about."""


def reference_count(value: object) -> str | int:
    """Return the option `references`: "auto", "all", or a number of at least 1.

    Raises UsageError for other values.
    """
    if isinstance(value, str) and value in ("auto", "all"):
        return value
    return whole("references", value, remedy='leave it out for "auto", or give "all"')


def number_of_references(pool: Pool, count: str | int) -> int:
    """Return the number of images to cover of those without a label.

    Parameters
    ----------
    pool : Pool
        The pool to choose from.
    count : str or int
        "all", "auto", or the number of images.
    """
    size = len(pool.unlabelled)
    if count == "all" or (count == "auto" and size <= ALL_UP_TO):
        return size
    return min(SAMPLED if count == "auto" else int(count), size)


def indicator(references: Ids | None, size: int) -> Array:
    """Return 1 for each of N images that is covered and 0 for others, float64 (N)."""
    if references is None:
        return np.ones(size)
    return np.isin(np.arange(size), references).astype(np.float64)


def warn_if_long(snapshot: Snapshot, count: str | int, passes: int = PASSES) -> None:
    """Warn when the choice will take minutes, and say what it would take with a sample.

    Parameters
    ----------
    snapshot : Snapshot
        The pool and the features.
    count : str or int
        "all", "auto", or the number of images to cover.
    passes : int
        Distances or kernel values per pair of an image to pick and one to cover, about.

    Warns
    -----
    UserWarning
        The choice will take more than two minutes on this machine.
    """
    size, dimensions = len(snapshot.pool.unlabelled), snapshot.require("features").dimensions
    number = number_of_references(snapshot.pool, count)
    if size * number < 1e8:
        return
    each = passes * size * pair_seconds(dimensions)  # per image that is covered
    if each * number < LONG:
        return
    remedy = "choose from fewer images"
    if number > SAMPLED:
        remedy = f"references={SAMPLED} takes about {_minutes(each * SAMPLED)}"
    warnings.warn(
        f"covering {number:,} images by {size:,} candidates takes about "
        f"{_minutes(each * number)}; {remedy}",
        stacklevel=3,
    )


def _minutes(seconds: float) -> str:
    """Return a time in the largest unit of which there is one at least."""
    for length, name in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        count = max(round(seconds / length), 1)
        if seconds >= 0.75 * length or length == 1:
            return f"{count} {name}" + "s" * (count > 1)
    raise AssertionError


def references(
    pool: Pool, count: str | int, rng: np.random.Generator, carried: Carried | None = None
) -> Ids | None:
    """Return the images to cover, ascending ids; None for all.

    Parameters
    ----------
    pool : Pool
        The pool to choose from.
    count : str or int
        "all", "auto", or the number of images.
    rng : numpy.random.Generator
        Draws the sample, from the images without a label. It is used only where one is drawn.
    carried : Carried, optional
        Keeps the sample for later rounds: those of it that have a label by then cover themselves.

    Warns
    -----
    UserWarning
        The number is above that of the images without a label.
    """
    size, number = len(pool.unlabelled), number_of_references(pool, count)
    if not isinstance(count, str) and count > size:
        warnings.warn(
            f"references {count} is above the {size} images without a label; all are covered",
            stacklevel=2,
        )
    if number == size:
        return None
    content = digest(pool.size, number, np.sort(pool.excluded))
    return once(
        carried,
        "references",
        content,
        lambda: np.sort(rng.choice(pool.unlabelled, number, replace=False)),
    )
