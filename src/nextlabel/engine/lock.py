"""The lock of a store: at most one run writes to a SQLite file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nextlabel.core.errors import StoreError
from nextlabel.store.store import Store

PATIENCE = 0.5
"""Seconds to wait for the lock; `is_held` holds it for a moment."""


@contextmanager
def hold(store: Store) -> Iterator[None]:
    """Hold the lock of a store; a database server has none.

    Raises
    ------
    StoreError
        When another run holds it.
    """
    from filelock import FileLock, Timeout

    path = _lock_file(store)
    if path is None:
        yield
        return
    lock = FileLock(path, timeout=PATIENCE)
    try:
        lock.acquire()
    except Timeout as error:
        raise StoreError(
            f"another run is writing to {store.location}; wait for it or give another --store",
            code="store-in-use",
        ) from error
    try:
        yield
    finally:
        lock.release()


def is_held(store: Store) -> bool | None:
    """Return whether a run holds the lock; None when that cannot be found out."""
    path = _lock_file(store)
    if path is None:
        return None
    if not path.exists():
        return False
    from filelock import FileLock, Timeout

    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # the folder belongs to another person
        return None


def _lock_file(store: Store) -> Path | None:
    location = store.location
    return None if "://" in location else Path(f"{location}.lock")
