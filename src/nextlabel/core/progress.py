"""Progress of a selection or a training: each pick or epoch goes to the caller's callback."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

ProgressCallback: TypeAlias = Callable[[int, int], None]
"""Called with the number of picks or epochs so far, and of all; it may raise to stop."""

_callback: ContextVar[ProgressCallback | None] = ContextVar("callback", default=None)


@contextmanager
def reporting_to(callback: ProgressCallback | None) -> Iterator[None]:
    """Send what `picked` and `trained` report to a callback, within the block and its thread."""
    token = _callback.set(callback)
    try:
        yield
    finally:
        _callback.reset(token)


def picked(count: int, budget: int) -> None:
    """Report that `count` of `budget` images are picked."""
    callback = _callback.get()
    if callback is not None:
        callback(count, budget)


def trained(epochs: int, of: int) -> None:
    """Report that `epochs` of the epochs of a training are done."""
    picked(epochs, of)
