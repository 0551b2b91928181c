"""Tables of the store; a change here needs a migration, and a test fails without one."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

REVISION = "0004"
"""The newest migration, spelled out so that opening a current store needs no alembic."""

SQLITE_REVISION = "0003"
"""The newest migration that changes a SQLite file; the later ones are for several writers."""

Json = dict[str, Any]


class Base(DeclarativeBase):
    """Base of all tables: constraints have the same names on every database, for migrations."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - sqlalchemy declares it so
        float: Double,
        bytes: LargeBinary,
        str: Text,
        Json: JSON,
        list[dict[str, float]]: JSON,
        list[int]: JSON,
    }


class ExperimentRow(Base):
    """An experiment and its resolved spec."""

    __tablename__ = "experiments"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    spec: Mapped[Json]


class EnvironmentRow(Base):
    """Hardware, versions, git commit, checksums: stored once for all rounds that ran there."""

    __tablename__ = "environments"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[Json]


class TrialRow(Base):
    """An arm with a seed; its key is the hash of what decides its outcome."""

    __tablename__ = "trials"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    arm: Mapped[str]
    seed: Mapped[int] = mapped_column(BigInteger)
    spec: Mapped[Json]
    status: Mapped[str] = mapped_column(String(16), default="pending")
    error: Mapped[str | None]
    traceback: Mapped[str] = mapped_column(default="")
    initial_hash: Mapped[str | None] = mapped_column(String(64))
    environment: Mapped[str | None] = mapped_column(ForeignKey("environments.sha256"))


class MemberRow(Base):
    """A trial's place in an experiment; a trial may be in several."""

    __tablename__ = "members"
    __table_args__ = (UniqueConstraint("experiment_id", "trial_id"),)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    trial_id: Mapped[int] = mapped_column(ForeignKey("trials.id"), index=True)


class RoundRow(Base):
    """A round as it was appended; rows are never changed. `chosen` is in the order of choice."""

    __tablename__ = "rounds"
    trial_id: Mapped[int] = mapped_column(ForeignKey("trials.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    labelled_count: Mapped[int]
    chosen: Mapped[list[int]]
    train_accuracy: Mapped[float]
    epochs: Mapped[int]
    steps: Mapped[int] = mapped_column(BigInteger)
    weights: Mapped[str]
    reached: Mapped[bool]
    shared: Mapped[bool]
    peak_memory: Mapped[int] = mapped_column(BigInteger)
    environment: Mapped[str | None] = mapped_column(ForeignKey("environments.sha256"))


def _of_a_round() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["trial_id", "number"], ["rounds.trial_id", "rounds.number"])


class MetricRow(Base):
    """A number measured at the end of a round."""

    __tablename__ = "metrics"
    __table_args__ = (_of_a_round(),)
    trial_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[float]


class SecondsRow(Base):
    """Time by phase; not part of the round, since comparisons of rounds leave it out.

    `scope` is `round`, or `training` for the times that the training reports.
    """

    __tablename__ = "seconds"
    __table_args__ = (_of_a_round(),)
    trial_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(String(16), primary_key=True)
    phase: Mapped[str] = mapped_column(primary_key=True)
    seconds: Mapped[float]


class PictureRow(Base):
    """A PNG by the hash of its bytes, so that equal pictures are kept once."""

    __tablename__ = "pictures"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    png: Mapped[bytes]


class RoundPictureRow(Base):
    """A picture that belongs to a round, for example of what was picked."""

    __tablename__ = "round_pictures"
    __table_args__ = (_of_a_round(),)
    trial_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("pictures.sha256"))


class BlockLogRow(Base):
    """The log of a fitted feature block: one mapping of numbers per epoch."""

    __tablename__ = "block_logs"
    trial_id: Mapped[int] = mapped_column(ForeignKey("trials.id"), primary_key=True)
    block: Mapped[str] = mapped_column(primary_key=True)
    log: Mapped[list[dict[str, float]]]


class BlockPictureRow(Base):
    """A picture of a fitted feature block, for example its reconstructions."""

    __tablename__ = "block_pictures"
    __table_args__ = (
        ForeignKeyConstraint(["trial_id", "block"], ["block_logs.trial_id", "block_logs.block"]),
    )
    trial_id: Mapped[int] = mapped_column(primary_key=True)
    block: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("pictures.sha256"))


class MapRow(Base):
    """A map of an arm and a seed: the newest one, since a minute or two draws it again.

    `spec` is the experiment as it was mapped, which its enrolled trials need not share.
    """

    __tablename__ = "maps"
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id"), primary_key=True)
    arm: Mapped[str] = mapped_column(primary_key=True)
    seed: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    spec: Mapped[Json]
    settings: Mapped[Json]
    content: Mapped[Json]
    environment: Mapped[str | None] = mapped_column(ForeignKey("environments.sha256"))


class MapPictureRow(Base):
    """A picture of the images that were picked in one space of a map."""

    __tablename__ = "map_pictures"
    __table_args__ = (
        ForeignKeyConstraint(
            ["experiment_id", "arm", "seed"], ["maps.experiment_id", "maps.arm", "maps.seed"]
        ),
    )
    experiment_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    arm: Mapped[str] = mapped_column(primary_key=True)
    seed: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    space: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("pictures.sha256"))


class DataRow(Base):
    """A data set under its checksum: counts of images and classes, and the pool's names.

    `pool` is JSON, compressed by zlib: {"names": list or null, "labels": list}.
    """

    __tablename__ = "data"
    checksum: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    task: Mapped[str] = mapped_column(String(16))
    content: Mapped[Json]
    pool: Mapped[bytes]


class NextPicksRow(Base):
    """The ids that a trial's strategy picks next, after its last round (`number`)."""

    __tablename__ = "next_picks"
    __table_args__ = (_of_a_round(),)
    trial_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ids: Mapped[list[int]]


class ClaimRow(Base):
    """A driver's claim on a trial until a time of the database's clock; not in SQLite."""

    __tablename__ = "claims"
    trial_id: Mapped[int] = mapped_column(
        ForeignKey("trials.id"), primary_key=True, autoincrement=False
    )
    driver: Mapped[str]
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
