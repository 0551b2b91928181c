"""Worker threads: the cores that a process may use, and results made ahead of their use."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def usable_cores() -> int:
    """Return the number of processor cores that this process may use, at least 1."""
    affinity = getattr(os, "sched_getaffinity", None)  # only Linux restricts processes to cores
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def made_ahead(
    items: Iterable[A], make: Callable[[A], B], threads: int, waiting: int
) -> Generator[B, None, None]:
    """Yield `make(item)` for each item, in order, made by threads while the caller works.

    Memory is bounded: items are taken as they are needed. When the caller stops, what has not
    begun is not made.

    Parameters
    ----------
    items : iterable
        The items.
    make : callable
        Called in a thread; its error is raised when the result's turn comes.
    threads : int
        The number of threads.
    waiting : int
        The most results, made or being made, that wait for the caller.
    """
    with ThreadPoolExecutor(threads, thread_name_prefix="ahead") as pool:
        futures: deque[Future[B]] = deque()
        try:
            for item in items:
                futures.append(pool.submit(make, item))
                if len(futures) > waiting:
                    yield futures.popleft().result()
            while futures:
                yield futures.popleft().result()
        finally:
            for future in futures:
                future.cancel()
