"""Tables of a project; a change here needs a migration, and a test fails without one.

Times are seconds since 1970. `answers` and `class_changes` are logs: rows are added and never
changed.
"""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

from nextlabel.store.migrations.revisions import Schema
from nextlabel.store.schema import Base

REVISION = "0001"
"""The newest migration."""


class PathText(TypeDecorator[str]):
    """The name of a file as its bytes, since names need not be valid text."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Return the bytes of a name."""
        return None if value is None else os.fsencode(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Return the name of some bytes."""
        return None if value is None else os.fsdecode(bytes(value))


METADATA = MetaData(naming_convention=Base.metadata.naming_convention)

IMAGES = Table(
    "images",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("width", Integer),
    Column("height", Integer),
    Column("bits", Integer),
    Column("channels", Integer),
    Column("problem", Text),
    Column("added_at", Double, nullable=False),
)
"""A row per content; ids are whole numbers from 0 without gaps, and are never used again."""

FILES = Table(
    "files",
    METADATA,
    Column("path", PathText, primary_key=True),
    Column("image", ForeignKey("images.id"), index=True),
    Column("size", BigInteger, nullable=False),
    Column("modified", BigInteger, nullable=False),
    Column("gone", Boolean, nullable=False),
    Column("problem", Text),
)
"""A row per file: its image, and its size and time in nanoseconds when it was read.

`image` is empty for a file that cannot be read; `problem` says why.
"""

ANSWERS = Table(
    "answers",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("image", ForeignKey("images.id"), nullable=False),
    Column("person", Text, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("classes", JSON, nullable=False),
    Column("note", Text, nullable=False),
    Column("undoes", Text),
    Column("shown_at", Double),
    Column("answered_at", Double),
    Column("received_at", Double, nullable=False),
    Column("model", Integer),
    Column("position", Integer),
    Column("view", String(16), nullable=False),
    Column("audit", Boolean, nullable=False),
)

CLASS_CHANGES = Table(
    "class_changes",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("at", Double, nullable=False),
    Column("person", Text, nullable=False),
    Column("action", String(8), nullable=False),
    Column("class", Integer),
    Column("value", Text),
)

MODELS = Table(
    "models",
    METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("created_at", Double, nullable=False),
    Column("after_answer", Integer, nullable=False),
    Column("space", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("estimate", JSON(none_as_null=True)),
    Column("file", Text, nullable=False),
)

QUEUE = Table(
    "queue",
    METADATA,
    Column("model", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("image", ForeignKey("images.id"), nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("score", Double),
    Column("audit", Boolean, nullable=False),
)
"""The images to ask, by the model that chose them; the newest few models keep theirs."""

LEASES = Table(
    "leases",
    METADATA,
    Column("image", Integer, primary_key=True, autoincrement=False),
    Column("person", Text, nullable=False),
    Column("tab", Text, nullable=False),
    Column("until", Double, nullable=False),
)

PEOPLE = Table(
    "people",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("password", Text, nullable=False),
    Column("role", String(8), nullable=False),
    Column("active", Boolean, nullable=False),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("person", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
)

ACTIVITY = Table(
    "activity",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("done", Integer),
    Column("total", Integer),
    Column("message", Text, nullable=False),
    Column("at", Double, nullable=False),
)

VERSIONS = Table(
    "versions",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("number", Integer, nullable=False),
)
"""Counts of changes: another number than before means that a copy is out of date."""

PROJECT = Schema(
    "project",
    METADATA,
    REVISION,
    Path(__file__).with_name("migrations") / "versions",
    "answers",
    copied=True,
)
