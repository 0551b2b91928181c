"""The revision of a database's schema: read, and brought to the newest by migrations."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from nextlabel.core.errors import StoreError
from nextlabel.store.integrity import Damaged
from nextlabel.store.schema import REVISION, ExperimentRow

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).with_name("migrations")

LOCK = 7_320_110_551_986_401
"""A number of our own: the name of PostgreSQL's lock on making the tables of a store."""


def bring_up_to_date(engine: Engine, name: str, create: bool) -> None:
    """Create the tables of a store, or upgrade an older schema; do nothing for a current one.

    `name` is the name of the database in messages. Raises StoreError for another program's
    database, for a newer schema, and for an empty database unless it is to be created.
    """
    with engine.connect() as connection:
        if revision(connection) == REVISION:
            return
    try:
        _migrate(engine, name, create)
    except SQLAlchemyError:  # on a server another process may have been quicker
        with engine.connect() as connection:
            if revision(connection) != REVISION:
                raise


def _migrate(engine: Engine, name: str, create: bool) -> None:
    with engine.execution_options(writing=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            # One process at a time: two that make the same table at once would end in an error.
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        stored, tables = revision(connection), set(inspect(connection).get_table_names())
        if stored == REVISION:  # another process has done it
            return
        if stored is None and (tables - {"alembic_version"} or not create):
            raise no_store(name)
        upgrade(connection, stored, name)


def no_store(name: str) -> StoreError:
    """Return the error for a database of another program."""
    return StoreError(
        f"{name} is a database, but not a store of nextlabel; give another store",
        code="not-a-store",
    )


def revision(connection: Connection) -> str | None:
    """Return the schema's revision; None where there is none, as in another program's database.

    Raises Damaged for one that no version of this package has written.
    """
    if not inspect(connection).has_table("alembic_version"):
        return None
    stored = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if stored is None and inspect(connection).has_table(ExperimentRow.__tablename__):
        raise Damaged("the revision of the schema is lost")
    if stored is not None and not (isinstance(stored, str) and re.fullmatch(r"\d{4}", stored)):
        raise Damaged(f"the revision of the schema is {stored!r:.40}")
    return stored


def upgrade(connection: Connection, stored: str | None, name: str) -> None:
    """Run the migrations after revision `stored`; StoreError when there is no such revision."""
    from alembic import command

    check_known(stored, name)
    config = _migrations()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def check_known(stored: str | None, name: str) -> None:
    """Raise StoreError when no migration leads from revision `stored` to the newest one."""
    from alembic.script import ScriptDirectory

    config = _migrations()
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    if stored is not None and stored not in {script.revision for script in scripts}:
        raise StoreError(
            f"{name} was written by a newer nextlabel (schema {stored}, this one reads up to "
            f"{REVISION}); upgrade nextlabel, or give another store",
            code="newer-schema",
        )


def _migrations() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
