"""Compilation of loops by numba, once for an installation where a folder takes the result."""

from typing import Any

from numba import njit
from numba.extending import intrinsic


def compiled(function: Any) -> Any:
    """Return the function compiled, from the cache where that has it.

    A product and a sum may become one instruction; the order of sums stays.
    """
    options: dict[str, Any] = {"nogil": True, "fastmath": {"contract"}}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # no folder of a cache can be written
        return njit(**options)(function)


def instruction(function: Any) -> Any:
    """Return what compiled loops call, from a function that gives its types and builds its code."""
    return intrinsic(function)
