"""Compilation of loops by numba, whose results are kept in a folder for the next process.

numba compiles a loop again when the loop's own file has changed, not when this one has. So after a
change here the files of the loops need one too, and `TrainingSettings.make` another number.
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
    """Return what a compiled loop calls, from a function that gives its types and its LLVM code.

    The result has no type here: numba's own is that of the given function, not that of the call.
    """
    return intrinsic(function)
