"""Progress of a selection or a training: each pick or epoch goes to the caller's callback.

What a selection computes before its first pick is reported as a share of it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

ProgressCallback: TypeAlias = Callable[[int, int], None]
"""Called with the number of picks or epochs so far, and of all; it may raise to stop."""

_callback: ContextVar[ProgressCallback | None] = ContextVar("callback", default=None)
_before: ContextVar[Callable[[float], None] | None] = ContextVar("before", default=None)


@contextmanager
def reporting_to(
    callback: ProgressCallback | None, before: Callable[[float], None] | None = None
) -> Iterator[None]:
    """Send what `picked` and `trained` report to a callback, within the block and its thread.

    `before` gets what `prepared` reports.
    """
    tokens = _callback.set(callback), _before.set(before)
    try:
        yield
    finally:
        _callback.reset(tokens[0])
        _before.reset(tokens[1])


def picked(count: int, budget: int) -> None:
    """Report that `count` of `budget` images are picked."""
    callback = _callback.get()
    if callback is not None:
        callback(count, budget)


def prepared(share: float) -> None:
    """Report the share that is done, from 0 to 1, of the work before the first pick."""
    callback = _before.get()
    if callback is not None:
        callback(share)


@contextmanager
def part_of_preparation(begin: float, end: float) -> Iterator[None]:
    """Report the work that `prepared` reports in the block as the shares `begin` to `end` of all.

    Parameters
    ----------
    begin, end : float
        Shares, from 0 to 1.
    """
    callback = _before.get()
    if callback is None:
        yield
        return
    token = _before.set(lambda share: callback(begin + (end - begin) * share))
    try:
        yield
    finally:
        _before.reset(token)


def trained(epochs: int, of: int) -> None:
    """Report that `epochs` of the epochs of a training are done."""
    picked(epochs, of)
