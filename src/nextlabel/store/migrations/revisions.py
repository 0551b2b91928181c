"""The revision of a database's schema: read, and brought to the newest by migrations."""

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, MetaData, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from nextlabel.core.errors import StoreError
from nextlabel.store.integrity import Damaged
from nextlabel.store.schema import REVISION, SQLITE_REVISION, Base, ExperimentRow

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent

LOCK = 7_320_110_551_986_401
"""A number of our own: the name of PostgreSQL's lock on making the tables of a database."""


@dataclass(frozen=True)
class Schema:
    """The tables of one sort of database, and the migrations that make them.

    Parameters
    ----------
    title : str
        The sort of database, in messages: "store".
    metadata : MetaData
        The tables of the newest revision.
    revision : str
        The newest migration.
    versions : Path
        The folder of the migrations.
    table : str
        A table that every revision has.
    sqlite_revision : str, optional
        The newest migration that changes a SQLite file; by default `revision`.
    copied : bool
        Copy a SQLite file of an older revision before it is upgraded.
    remedy : str, optional
        What fills an empty database of a server, in messages; by default it is one of another
        program.
    """

    title: str
    metadata: MetaData
    revision: str
    versions: Path
    table: str
    sqlite_revision: str | None = None
    copied: bool = False
    remedy: str | None = None

    def newest(self, dialect: str) -> str:
        """Return the newest migration of a database; `dialect` is SQLAlchemy's name for it."""
        return (dialect == "sqlite" and self.sqlite_revision) or self.revision


STORE = Schema(
    "store",
    Base.metadata,
    REVISION,
    MIGRATIONS / "versions",
    ExperimentRow.__tablename__,
    SQLITE_REVISION,
    remedy="run an experiment first",
)


def bring_up_to_date(engine: Engine, name: str, create: bool, schema: Schema = STORE) -> None:
    """Create the tables of a database, or upgrade older ones; do nothing for current ones.

    `name` is the name of the database in messages. Raises StoreError for another program's
    database, for a newer schema, and for an empty database unless it is to be created.
    """
    newest = schema.newest(engine.dialect.name)
    with engine.connect() as connection:
        if revision(connection, schema) == newest:
            return
    try:
        _migrate(engine, name, create, schema)
    except SQLAlchemyError:  # on a server another process may have been quicker
        with engine.connect() as connection:
            if revision(connection, schema) != newest:
                raise


def _migrate(engine: Engine, name: str, create: bool, schema: Schema) -> None:
    with engine.execution_options(writing=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            # One process at a time: two that make the same table at once would end in an error.
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        stored, tables = revision(connection, schema), set(inspect(connection).get_table_names())
        if stored == schema.newest(engine.dialect.name):  # another process has done it
            return
        if not (tables or create or schema.remedy is None or engine.dialect.name == "sqlite"):
            raise StoreError(
                f"{name} is an empty database; {schema.remedy}, or give another {schema.title}",
                code="store-missing",
            )
        if stored is None and (tables - {"alembic_version"} or not create):
            raise no_store(name, schema)
        check_known(stored, name, schema)
        if schema.copied and stored is not None:
            _copy(engine, stored)
        upgrade(connection, stored, name, schema)


def _copy(engine: Engine, stored: str) -> None:
    """Copy the file of a SQLite database, with what is in its log, next to it: `NAME.REVISION`."""
    file = engine.url.database
    if engine.dialect.name != "sqlite" or not file or file == ":memory:":
        return
    copy = Path(f"{file}.{stored}")
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def no_store(name: str, schema: Schema = STORE) -> StoreError:
    """Return the error for a database of another program."""
    return StoreError(
        f"{name} is a database, but not a {schema.title} of nextlabel; give another {schema.title}",
        code="not-a-store",
    )


def revision(connection: Connection, schema: Schema = STORE) -> str | None:
    """Return the schema's revision; None where there is none, as in another program's database.

    Raises Damaged for one that no version of this package has written.
    """
    if not inspect(connection).has_table("alembic_version"):
        return None
    stored = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if stored is None and inspect(connection).has_table(schema.table):
        raise Damaged("the revision of the schema is lost")
    if stored is not None and not (isinstance(stored, str) and re.fullmatch(r"\d{4}", stored)):
        raise Damaged(f"the revision of the schema is {stored!r:.40}")
    return stored


def upgrade(connection: Connection, stored: str | None, name: str, schema: Schema = STORE) -> None:
    """Run the migrations after revision `stored`; StoreError when there is no such revision."""
    from alembic import command

    check_known(stored, name, schema)
    config = migrations(schema)
    config.attributes["connection"] = connection
    command.upgrade(config, schema.newest(connection.dialect.name))


def check_known(stored: str | None, name: str, schema: Schema = STORE) -> None:
    """Raise StoreError when no migration leads from revision `stored` to the newest one."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(migrations(schema)).walk_revisions()
    if stored is not None and stored not in {script.revision for script in scripts}:
        raise StoreError(
            f"{name} was written by a newer nextlabel (schema {stored}, this one reads up to "
            f"{schema.revision}); upgrade nextlabel, or give another {schema.title}",
            code="newer-schema",
        )


def migrations(schema: Schema = STORE) -> "Config":
    """Return the configuration by which alembic finds the migrations of a schema."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    for option in ("path_separator", "version_path_separator"):  # the name since 1.16, and before
        config.set_main_option(option, "os")
    config.set_main_option("version_locations", str(schema.versions).replace("%", "%%"))
    config.attributes["metadata"] = schema.metadata
    return config
