"""Read-only access: no file is written, and none is made next to the store."""

import os
import sqlite3
from pathlib import Path

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.pool import NullPool

from nextlabel.core.errors import StoreError
from nextlabel.store.database import check_file, connect, from_json, listen, place, sentences
from nextlabel.store.migrations.revisions import check_known, no_store, revision
from nextlabel.store.schema import SQLITE_REVISION


def read(url: URL, busy: float) -> Engine:
    """Return an engine that reads a database of the current schema, and never writes to a file.

    An older schema is upgraded first, where the file can be written. `busy` is the number of
    seconds to wait for a lock. Raises StoreError when there is no store, or it cannot be read.
    """
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return connect(url, create=False, busy=busy)
    path = Path(url.database or "").resolve()  # -wal is next to the file, not to a link
    check_file(path, create=False)
    engine = create_engine(
        "sqlite://",
        creator=lambda: _open(path, busy),  # again in each session: a run may have begun since
        poolclass=NullPool,
        json_deserializer=from_json,
    )
    listen(engine)
    with sentences(url, busy), engine.connect() as connection:
        stored = revision(connection)
    if stored is None:
        raise no_store(place(url))
    if stored != SQLITE_REVISION:
        check_known(stored, place(url))
        try:
            connect(url, create=False, busy=busy).dispose()
        except StoreError as error:
            if error.code not in ("store-not-writable", "store-not-opened"):
                raise
            raise StoreError(
                f"{place(url)} has the older schema {stored} (this nextlabel reads "
                f"{SQLITE_REVISION}) and cannot be upgraded where it lies; copy it to where it can "
                "be written",
                code="older-schema",
            ) from error
    return engine


def _open(path: Path, busy: float) -> sqlite3.Connection:
    """Open a file for reading, also while another process writes to it.

    SQLite would make -wal and -shm next to the file. They are needed only while a process writes,
    or when one left content in -wal; otherwise the file is read as one that does not change.
    """
    wal = path.with_name(f"{path.name}-wal")
    in_use = wal.exists() and (wal.stat().st_size > 0 or os.access(wal, os.W_OK))
    mode = "mode=ro" if in_use else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.as_uri()}?{mode}", uri=True, timeout=busy)
