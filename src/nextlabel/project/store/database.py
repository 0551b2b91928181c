"""The database of a project: connections and transactions."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, PoolProxiedConnection, text

from nextlabel.project.store.newest import QUERY, Newest
from nextlabel.project.store.schema import PROJECT
from nextlabel.store.database import address, connect, place, quick_check, sentences
from nextlabel.store.integrity import damage

LOCK = 7_320_110_551_986_402
"""A number of our own: the name of PostgreSQL's lock on writing to a project."""
BUSY = 30.0
"""Seconds to wait for another process that writes."""


class Database:
    """Transactions on the database of one project; safe for threads and processes.

    One transaction writes at a time, also on a server, so that the numbers of a log are in the
    order in which readers see them.

    Parameters
    ----------
    location : str or Path
        A path, or a URL such as ``postgresql://host/name``.
    create : bool
        Whether to make the tables of an empty database.

    Raises
    ------
    StoreError
        The database cannot be used, or a newer nextlabel has written it.
    """

    def __init__(self, location: str | Path, *, create: bool) -> None:
        self._url = address(location)
        self._engine = connect(self._url, create=create, busy=BUSY, schema=PROJECT)
        self._writer = self._engine.execution_options(writing=True)
        self._brief = self._engine.execution_options(writing=True, brief=True)
        self._single = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._kept: PoolProxiedConnection | None = None
        self._looking = threading.Lock()

    @property
    def location(self) -> str:
        """The file, or the URL without its password."""
        return place(self._url)

    @property
    def is_file(self) -> bool:
        """True for SQLite."""
        return self._url.get_backend_name() == "sqlite"

    def close(self) -> None:
        """Close all connections."""
        with self._looking:
            if self._kept is not None:
                self._kept.close()
                self._kept = None
        self._engine.dispose()

    def newest(self) -> Newest:
        """Return the newest numbers; it is much cheaper than a transaction."""
        with sentences(self._url, BUSY):
            if self.is_file:
                row = self._newest_of_file()
            else:
                with self._single.connect() as connection:
                    row = tuple(connection.exec_driver_sql(QUERY).one())
        return Newest(*(number or 0 for number in row))

    def _newest_of_file(self) -> tuple[int | None, ...]:
        with self._looking:  # a connection of its own, since to take one takes most of the time
            if self._kept is None:
                self._kept = self._engine.raw_connection()
            cursor = self._kept.cursor()
            try:
                cursor.execute(QUERY)
                (row,) = cursor.fetchall()
            finally:
                cursor.close()
        return tuple(row)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection in a transaction that reads."""
        with (
            sentences(self._url, BUSY),
            damage(lambda: quick_check(self._engine)),
            self._engine.begin() as connection,
        ):
            yield connection

    @contextmanager
    def writing(self, *, brief: bool = False) -> Iterator[Connection]:
        """Yield a connection in a transaction that writes; it is on the disk when the block ends.

        `brief` is for rows that may be lost in a power cut, such as leases: it does not wait for
        the disk.
        """
        engine = self._brief if brief else self._writer
        with sentences(self._url, BUSY), engine.begin() as connection:
            _one_at_a_time(connection, self._engine)
            if brief and not self.is_file:
                connection.execute(text("SET LOCAL synchronous_commit = off"))
            yield connection


def _one_at_a_time(connection: Connection, engine: Engine) -> None:
    """Let a server run one writing transaction after another, as SQLite does of itself."""
    if engine.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
