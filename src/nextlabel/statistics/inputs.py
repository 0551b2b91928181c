"""Checked numerical input of the statistics."""

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import UsageError

Floats = NDArray[np.float64]

ROUNDING = 1e-12
"""Numbers that differ by less than this, relative to the largest of the input, are equal."""


def finite(values: object, name: str) -> Floats:
    """Return `values` as float64; `name` is for the message of the UsageError."""
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{name} holds what is not a number ({error}); give numbers", code="not-a-number"
        ) from error
    if not np.isfinite(array).all():
        raise UsageError(
            f"{name} holds NaN or infinity; give finite numbers", code="numbers-not-finite"
        )
    return array


def increasing_counts(counts: object) -> Floats:
    """Return label counts (T) as float64; UsageError unless they increase, from 1 or more."""
    x = finite(counts, "label counts")
    if x.ndim != 1 or not len(x) or x[0] < 1 or (np.diff(x) <= 0).any():
        raise UsageError(
            f"label counts {x.tolist()} must increase, from 1 or more; sort them",
            code="counts-not-increasing",
        )
    return x


def rounding_noise(a: Floats, b: Floats) -> float:
    """Return the size below which a difference of `a` and `b`, or a mean of them, is rounding."""
    return ROUNDING * float(max(np.abs(a).max(), np.abs(b).max()))


def paired(a: object, b: object) -> tuple[Floats, Floats]:
    """Return two arrays (n) of one length, at least 1; UsageError for others."""
    first, second = finite(a, "a"), finite(b, "b")
    if first.ndim != 1 or first.shape != second.shape or not len(first):
        raise UsageError(
            f"paired numbers of shapes {first.shape} and {second.shape}; give two of one length, "
            "at least 1",
            code="unequal-shapes",
        )
    return first, second


def differences(a: object, b: object) -> Floats:
    """Return a − b (n), where differences equal but for rounding are made equal."""
    first, second = paired(a, b)
    difference: Floats = first - second
    noise = rounding_noise(first, second)
    difference[np.abs(difference) <= noise] = 0.0
    if np.ptp(difference) <= noise:
        difference[:] = difference[0]
    return difference
