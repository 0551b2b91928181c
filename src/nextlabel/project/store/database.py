"""The database of a project: connections and transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text

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
        self._engine.dispose()

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
