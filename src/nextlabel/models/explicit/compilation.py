"""Compilation of loops by numba, once for an installation where a folder takes the result.

numba compiles a loop again when the loop's own file has changed, not when this one has.
"""

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
    """Return a function for compiled loops, from one that gives its types and writes LLVM code.

    numba's decorator has types for its own use, which do not fit calls in loops.
    """
    return intrinsic(function)
