"""Subsets of pairs: those whose sign is flipped, or whose mean is taken.

A test by sign flips and the interval that inverts it use the same subsets. n pairs, R subsets.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import UsageError
from nextlabel.statistics.inputs import Floats

EXACT_PAIRS = 16
"""The largest number of pairs of which all 2^n sign flips are taken."""
RESAMPLES: int = 2**EXACT_PAIRS
"""The number of random sign flips of more pairs."""

Masks = NDArray[np.bool_]
CHUNK = 8192


def subsets(pairs: int, rng: np.random.Generator | None = None) -> Masks:
    """Return every subset of the pairs except the empty one, or RESAMPLES random ones, (R, n).

    Beyond EXACT_PAIRS pairs the subsets are random; UsageError then unless there is a generator.
    """
    if pairs <= EXACT_PAIRS:
        numbers = np.arange(1, 2**pairs)
        every: Masks = (numbers[:, None] >> np.arange(pairs)) & 1 == 1
        return every
    if rng is None:
        raise UsageError(
            f"{pairs} pairs are too many for an exact test (up to {EXACT_PAIRS}); give a generator",
            code="generator-missing",
        )
    return random_subsets(pairs, RESAMPLES, rng)


def random_subsets(pairs: int, number: int, rng: np.random.Generator) -> Masks:
    """Return a number of random subsets (R, n), none of them empty."""
    drawn: Masks = rng.integers(0, 2, (number, pairs), dtype=np.uint8) == 1
    while (empty := ~drawn.any(axis=1)).any():
        drawn[empty] = rng.integers(0, 2, (int(empty.sum()), pairs), dtype=np.uint8) == 1
    return drawn


def sums(masks: Masks, values: Floats) -> Floats:
    """Return the sum of each subset of the rows of `values` (n, ...), shape (R, ...)."""
    return np.concatenate([chunk @ values for chunk in _chunks(masks)])


def means(masks: Masks, values: Floats) -> Floats:
    """Return the mean of each subset of the rows of `values` (n, ...), shape (R, ...)."""
    sizes = masks.sum(axis=1).reshape(-1, *[1] * (values.ndim - 1))
    mean: Floats = sums(masks, values) / sizes
    return mean


def central(ascending: Floats, confidence: float) -> tuple[float, float]:
    """Return the ends of the central part of R sorted subset means.

    The true centre is equally likely in each of the R + 1 gaps between them [Hartigan 1969,
    https://doi.org/10.1080/01621459.1969.10501057]. Where all of them do not suffice for
    `confidence`, the ends are the smallest and the largest.
    """
    beyond = max(1, int((1 - confidence) / 2 * (len(ascending) + 1) + 1e-9))
    return float(ascending[beyond - 1]), float(ascending[-beyond])


def _chunks(masks: Masks) -> Iterator[Floats]:
    """Yield the masks as numbers, a part at a time: they take eight times the memory."""
    for start in range(0, len(masks), CHUNK):
        yield masks[start : start + CHUNK].astype(np.float64)
