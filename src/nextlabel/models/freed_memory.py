"""Memory that training frees and takes again in every step, kept in the process meanwhile.

glibc gives large blocks back to the system at once. The next step then gets them as fresh pages,
which the system fills with zeros first: about a tenth of the time of a small step.
"""

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""The parameters of glibc's `mallopt`."""
KEPT = 2**31 - 1
"""Bytes that may stay free within the context, the most that `mallopt` takes."""
LARGEST = 32 * 2**20
"""Bytes of a block that glibc asks of the system by itself, at most: its own largest threshold."""


@contextmanager
def kept_memory() -> Iterator[None]:
    """Keep freed memory in the process; give it back at the end. Without glibc nothing changes."""
    library = _glibc()
    if library is None:
        yield
        return
    library.mallopt(MMAP_THRESHOLD, LARGEST)
    library.mallopt(TRIM_THRESHOLD, KEPT)
    try:
        yield
    finally:
        library.mallopt(TRIM_THRESHOLD, 2 * LARGEST)
        library.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    """Return the C library of this process where it is glibc."""
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
