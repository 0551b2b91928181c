"""Databases of stores: address, connection, schema, and the messages of their errors."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError, StatementError

from nextlabel.core.errors import StoreError, hide_passwords
from nextlabel.files.output_mark import make_output
from nextlabel.store.file_system import check_local
from nextlabel.store.integrity import Damaged, damaged
from nextlabel.store.migrations.revisions import STORE, Schema, bring_up_to_date

DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
"""The driver that this package installs for a kind of database, where a URL names none."""

WRITE_AHEAD = "PRAGMA journal_mode = WAL"

LONGEST = 200
"""Characters of a database's message that are shown: it may quote a whole row."""

DAMAGE = ("UTF-8", "malformed", "no such ")
"""Parts of what SQLite says of a damaged file."""

FAILURES = (
    ("full", "disk-full",
     "the disk is full: {place} could not be written; free some space and run the same command "
     "again, nothing already stored is lost"),
    ("locked", "store-locked",
     "{place} has been locked by another process for {busy:g} s; wait for that run to end or stop "
     "it, then try again"),
    ("not a database", "not-a-database",
     "{place} is not a database; give another store, or move this file away"),
    ("disk I/O", "store-unreadable",
     "{place} cannot be read to its end; check the disk, or restore it from a copy"),
    ("readonly", "store-not-writable",
     "{place} is not writable; allow writing to it and its folder, or give a copy"),
    ("permission denied", "store-not-permitted",
     "the role of {place} lacks a right ({said}); grant it to the role, or give another store"),
    ("unable to open", "store-not-opened",
     "{place} cannot be opened; check that it may be read and its folder written to, or copy it "
     "and the -wal file next to it to a place where you may write"),
)  # fmt: skip
"""Part of what SQLite says, code of the error, and its message with the remedy."""


def address(location: str | Path) -> URL:
    """Return the database URL for a path or URL; StoreError when it cannot be one.

    PostgreSQL without a named driver has psycopg.
    """
    if "://" not in str(location):
        return URL.create("sqlite", database=str(Path(location).expanduser().absolute()))
    try:
        url = make_url(str(location))
        return url.set(drivername=DRIVERS.get(url.drivername, url.drivername))
    except (ArgumentError, ValueError) as error:
        raise StoreError(
            f"{hide_passwords(str(location))} is not a database URL; give a path, or for example postgresql://host/name",
            code="not-a-url",
        ) from error


def place(url: URL) -> str:
    """Return the file, or the URL without its password, for messages."""
    if url.get_backend_name() == "sqlite" and url.database:
        return url.database
    return hide_passwords(url.render_as_string(hide_password=True))


def connect(url: URL, *, create: bool, busy: float, schema: Schema = STORE) -> Engine:
    """Return an engine on a database whose schema is current, created or upgraded if need be.

    `busy` is how many seconds to wait for another writer. Raises StoreError.
    """
    is_file = url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
    if is_file:
        check_local(Path(url.database or ""))
        check_file(Path(url.database or ""), create)
    with sentences(url, busy):
        engine = _engine(url, busy)
    try:
        with sentences(url, busy):
            bring_up_to_date(engine, place(url), create, schema)
            if is_file:
                _write_ahead(engine, place(url))
    except StoreError:
        engine.dispose()
        raise
    return engine


def check_file(path: Path, create: bool) -> None:
    """Raise StoreError unless a store is at `path`, or can be made there with `create`."""
    if path.is_dir():
        raise StoreError(
            f"{path} is a folder; give a file, for example {path / 'store.db'}",
            code="store-is-a-folder",
        )
    try:
        if path.exists():
            return
        if create:
            make_output(path.parent)
    except OSError as error:
        raise StoreError(
            f"the folder {path.parent} cannot be used ({error.strerror}); "
            "give a store in a folder that is writable",
            code="folder-unusable",
        ) from error
    if not create:
        raise StoreError(
            f"there is no store at {path}; run an experiment first, or give its path",
            code="store-missing",
        )


def _engine(url: URL, busy: float) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    try:
        engine = create_engine(
            url,
            connect_args={"timeout": busy} if sqlite else {},
            pool_pre_ping=not sqlite,  # a server may close a connection that is idle for long
            json_serializer=to_json,
            json_deserializer=from_json,
        )
    except (ModuleNotFoundError, SQLAlchemyError) as error:
        raise StoreError(
            f"{place(url)} cannot be used ({error}); install the database's Python driver (that of "
            "PostgreSQL by pip install 'nextlabel[postgres]'), or give a path",
            code="database-driver-missing",
        ) from error
    if sqlite:
        listen(engine)
    return engine


def listen(engine: Engine) -> None:
    """Set up each connection of a SQLite engine, and the beginning of its transactions."""
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)


def _configure(connection: Any, _record: object) -> None:
    """Set SQLite up so that a stored round survives a power cut."""
    connection.isolation_level = None  # transactions begin where we say: see _begin
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _write_ahead(engine: Engine, name: str) -> None:
    """Let readers continue while one process writes; SQLite keeps the mode in the file.

    `name` is the name of the file in the message. Raises StoreError when SQLite keeps another
    mode, as it does where processes cannot share memory by a file.
    """
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(WRITE_AHEAD)
        (mode,) = cursor.fetchone() or ("unknown",)
    finally:
        connection.close()
    if mode != "wal":
        raise StoreError(
            f"{name} keeps the journal mode {mode!r}, so its file system cannot be shared by "
            "processes; give a --store on a disk of this machine",
            code="no-write-ahead",
        )


def _begin(connection: Connection) -> None:
    """Begin a writing transaction as one: SQLite cannot turn a reader into a writer later.

    With the option `brief` it does not wait for the disk at its end.
    """
    options = connection.get_execution_options()
    writing = options.get("writing", False)
    if writing:
        level = "NORMAL" if options.get("brief", False) else "FULL"
        connection.exec_driver_sql(f"PRAGMA synchronous = {level}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def sentences(url: URL, busy: float) -> Iterator[None]:
    """Turn a database's errors into a StoreError with a remedy."""
    try:
        yield
    except (Damaged, UnicodeDecodeError) as error:
        raise damaged(place(url), error) from error
    except sqlite3.Error as error:
        raise _failure(str(error), url, busy) from error
    except IntegrityError as error:
        said = " ".join(str(error.orig).split())
        raise StoreError(
            f"{place(url)} refused a row that is there already ({said}); "
            "let one run at a time write to a store",
            code="row-exists",
        ) from error
    except StatementError as error:
        if isinstance(error.orig, StoreError):
            raise error.orig from error
        raise _failure(str(error.orig), url, busy) from error


def _failure(said: str, url: URL, busy: float) -> StoreError:
    short = " ".join(said.split())[:LONGEST]
    if any(sign in said for sign in DAMAGE):
        return damaged(place(url), short)
    for sign, code, sentence in FAILURES:
        if sign in said:
            return StoreError(sentence.format(place=place(url), busy=busy, said=short), code=code)
    return StoreError(
        f"{place(url)} cannot be used ({short}); check the database and try again",
        code="store-unusable",
    )


def quick_check(engine: Engine) -> str | None:
    """Return the first fault that SQLite finds in its file; None when it finds none."""
    if engine.dialect.name != "sqlite":
        return None
    with suppress(SQLAlchemyError, sqlite3.Error), engine.connect() as connection:
        fault = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
        return None if fault == "ok" else " ".join(fault.split())[:LONGEST]
    return None


def to_json(value: object) -> str:
    """Return `value` as JSON; StoreError for a value that JSON does not have."""
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise StoreError(
            f"a value cannot be stored ({error}); give finite numbers, text, lists and mappings",
            code="value-not-json",
        ) from error


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is not a finite number")


def from_json(text: str) -> Any:
    """Return the value of JSON; Damaged when `to_json` cannot have written it."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except (TypeError, ValueError, RecursionError) as error:
        raise Damaged(f"JSON that does not parse: {error}") from error
