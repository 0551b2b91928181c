"""Numbers as they may be compared: finite, of equal shapes, and pairs taken apart."""

import numpy as np
from numpy.typing import NDArray

from nextlabel.core.errors import UsageError

Floats = NDArray[np.float64]

ROUNDING = 1e-12
"""Differences that vary by less than this, relative to the numbers, are equal."""


def finite(values: object, name: str) -> Floats:
    """Return `values` as float64; UsageError, with `name`, for what is no finite number."""
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} holds what is no number ({error}); give numbers") from error
    if not np.isfinite(array).all():
        raise UsageError(f"{name} holds NaN or infinity; give finite numbers")
    return array


def label_counts(counts: object) -> Floats:
    """Return label counts (T) as float64; UsageError unless they increase, from 1 or more."""
    x = finite(counts, "label counts")
    if x.ndim != 1 or not len(x) or x[0] < 1 or (np.diff(x) <= 0).any():
        raise UsageError(f"label counts {x.tolist()} must increase, from 1 or more")
    return x


def differences(a: object, b: object) -> Floats:
    """Return a − b (n), where differences equal but for rounding are made equal."""
    a, b = finite(a, "a"), finite(b, "b")
    if a.ndim != 1 or a.shape != b.shape or not len(a):
        raise UsageError(
            f"paired numbers of shapes {a.shape} and {b.shape}; give two of one length, at least 1"
        )
    difference: Floats = a - b
    noise = ROUNDING * max(np.abs(a).max(), np.abs(b).max())
    difference[np.abs(difference) <= noise] = 0.0
    if np.ptp(difference) <= noise:
        difference[:] = difference[0]
    return difference
