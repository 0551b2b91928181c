"""A table in an SQLite file of the cache, which may be damaged, or not fit on the disk."""

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

PATIENCE = 60.0
"""Seconds to wait for another process that writes."""


class CachedTable:
    """A table that threads and processes share; each `write` is one short transaction.

    A damaged file is replaced by an empty one. Rows that cannot be written, to a full disk for
    example, stay in memory.

    Parameters
    ----------
    file : Path, optional
        The SQLite file, in a folder that exists. None is a temporary file of this object.
    schema : str
        The statement that makes the table where it is missing.
    """

    def __init__(self, file: Path | None, schema: str) -> None:
        self._file, self._schema, self._lock = file, schema, threading.Lock()
        self._memory: sqlite3.Connection | None = None
        self._disk = self._open()
        if file is not None:
            with suppress(OSError):
                file.touch()  # in use, for those who remove what is not

    def write(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Execute a statement with each of the rows, all of them or none."""
        with self._lock:
            try:
                _write(self._disk, statement, rows)
            except sqlite3.Error:
                if self._memory is None:
                    self._memory = _connected(":memory:", self._schema)
                _write(self._memory, statement, rows)

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a query; none of those in a file that turns out to be damaged."""
        with self._lock:
            try:
                rows = self._disk.execute(query, values).fetchall()
            except sqlite3.DatabaseError:
                self._disk.close()
                self._disk = self._open(again=True)
                rows = []
            if self._memory is not None:
                rows += self._memory.execute(query, values).fetchall()
        return rows

    def _open(self, again: bool = False) -> sqlite3.Connection:
        location = "" if self._file is None else str(self._file)
        try:
            if not again:
                return _connected(location, self._schema)
        except sqlite3.DatabaseError:
            pass
        try:
            if self._file is not None:
                self._file.unlink(missing_ok=True)
            return _connected(location, self._schema)
        except (sqlite3.Error, OSError):
            return _connected(":memory:", self._schema)


def _connected(location: str, schema: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        location, timeout=PATIENCE, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(schema)
    except BaseException:
        connection.close()
        raise
    return connection


def _write(connection: sqlite3.Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany(statement, rows)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
