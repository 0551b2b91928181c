"""Reading a store where it lies: nothing is written to it, and nothing beside it."""

import os
import sqlite3
from pathlib import Path

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.pool import NullPool

from nextlabel.core.errors import StoreError
from nextlabel.store.database import (
    check_file,
    check_known,
    connect,
    from_json,
    listen,
    no_store,
    place,
    revision,
    sentences,
)
from nextlabel.store.schema import REVISION

WAL = 2
"""What the 19th byte of an SQLite file says of one that is written ahead."""
UNWRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)


def read(url: URL, busy: float) -> Engine:
    """Return an engine that reads a database of the current schema, and never writes to a file.

    An older schema is upgraded first, where the file can be written. `busy` is how many seconds to
    wait for a lock. Raises StoreError when there is no store, or when it cannot be read.
    """
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return connect(url, create=False, busy=busy)
    path = Path(url.database or "").absolute()
    check_file(path, create=False)
    engine = create_engine(
        "sqlite://",
        creator=lambda: _open(path, busy),
        poolclass=NullPool,
        json_deserializer=from_json,
    )
    listen(engine)
    with sentences(url, busy), engine.connect() as connection:
        found = revision(connection)
    if found is None:
        raise no_store(place(url))
    if found != REVISION:
        _upgrade(url, found, busy)
    return engine


def _open(path: Path, busy: float) -> sqlite3.Connection:
    """Open a file for reading alone, also while another process writes to it.

    SQLite would make -wal and -shm beside a file that is written ahead. They are needed only for
    what stands in the one and not yet in the file; where there is no -wal, or an empty one that
    nobody can write to, the file is read as one that nobody changes. Each session opens anew, so it
    sees a run that has begun since.
    """
    path = path.resolve()  # SQLite keeps -wal beside the file, not beside a link to it
    alone = _is_written_ahead(path) and not _is_written(path.with_name(f"{path.name}-wal"))
    how = "mode=ro&immutable=1" if alone else "mode=ro"
    return sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, timeout=busy)


def _is_written_ahead(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(20)[18:] == bytes([WAL, WAL])
    except OSError:  # SQLite says it better
        return False


def _is_written(wal: Path) -> bool:
    """Say whether a process may be writing there, or has left something behind."""
    return wal.exists() and (wal.stat().st_size > 0 or os.access(wal, os.W_OK))


def _upgrade(url: URL, found: str, busy: float) -> None:
    """Bring the schema up to date; StoreError when that cannot be done where the file lies."""
    check_known(found, place(url))
    try:
        connect(url, create=False, busy=busy).dispose()
    except StoreError as error:
        cause = getattr(error.__cause__, "orig", error.__cause__)
        if getattr(cause, "sqlite_errorcode", 0) & 0xFF not in UNWRITABLE:
            raise
        raise StoreError(
            f"{place(url)} has the older schema {found} (this nextlabel reads {REVISION}) and "
            "cannot be upgraded where it lies; copy it to where it can be written"
        ) from error
