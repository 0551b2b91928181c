"""What happened, in a database: rounds are only ever added, one transaction each.

One driver writes; any number of readers may read meanwhile. After a crash at any moment a round
is there in full, with its seconds and pictures, or not at all.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
from sqlalchemy import URL, Engine, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from nextlabel.core.errors import StoreError, nearest
from nextlabel.core.learner import Training
from nextlabel.core.round import Round
from nextlabel.core.types import Ids, as_ids
from nextlabel.lab.database import address, connect, place, sentences, to_json
from nextlabel.lab.schema import (
    BlockLogRow,
    BlockPictureRow,
    EnvironmentRow,
    ExperimentRow,
    MemberRow,
    MetricRow,
    PictureRow,
    RoundPictureRow,
    RoundRow,
    SecondsRow,
    TrialRow,
)

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class TrialRecord:
    """What identifies a trial: `key` is the sha256 of what decides its outcome."""

    key: str
    arm: str
    seed: int
    spec: Mapping[str, Any]


@dataclass(frozen=True)
class TrialState:
    """What is known of a trial; `status` is pending, running, done or failed.

    `labelled_count` is that of the last round, 0 when there is none. A trial whose process was
    killed still says `running`.
    """

    record: TrialRecord
    status: str
    labelled_count: int
    rounds: int
    error: str | None
    environment: Mapping[str, Any]
    initial_hash: str | None
    traceback: str = ""


class Picture(NamedTuple):
    """A PNG of a round (`number`) or of a feature block (`block`)."""

    number: int | None
    block: str | None
    kind: str
    png: bytes


def initial_hash(ids: Ids) -> str:
    """Return the sha256 of the initial ids, whatever their order."""
    return hashlib.sha256(np.sort(as_ids(ids)).astype("<i8").tobytes()).hexdigest()


class Store:
    """Experiments, trials, rounds and pictures in SQLite or another SQL database."""

    def __init__(self, engine: Engine, url: URL, busy: float) -> None:
        self._engine, self._writer = engine, engine.execution_options(writing=True)
        self._url, self._busy = url, busy

    @classmethod
    def open(cls, location: str | Path, *, create: bool = True, busy: float = 30.0) -> "Store":
        """Open the store at a path or database URL; a new one is made, an older one upgraded.

        `busy` is how many seconds to wait for another writer. Raises StoreError when it is
        missing and not to be created, unwritable, locked, no store, or of a newer nextlabel.
        """
        url = address(location)
        return cls(connect(url, create=create, busy=busy), url, busy)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self.location!r})"

    @property
    def location(self) -> str:
        """The file, or the URL without its password."""
        return place(self._url)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with sentences(self._url, self._busy), Session(self._engine) as session, session.begin():
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with sentences(self._url, self._busy), Session(self._writer) as session, session.begin():
            yield session

    # -- writing ---------------------------------------------------------------------------------

    def enrol(
        self, experiment: str, spec: Mapping[str, Any], trials: Sequence[TrialRecord]
    ) -> None:
        """Remember an experiment's resolved spec, and that exactly `trials` are its members now.

        Trials known already keep their rounds. Raises StoreError when a key stands twice.
        """
        if len({trial.key for trial in trials}) < len(trials):
            raise StoreError(
                f"two trials of {experiment!r} have the same key; give each arm and seed once"
            )
        with self._writing() as session:
            row = session.scalar(select(ExperimentRow).where(ExperimentRow.name == experiment))
            if row is None:
                row = ExperimentRow(name=experiment, spec=dict(spec))
                session.add(row)
            row.spec = dict(spec)
            session.flush()
            session.execute(delete(MemberRow).where(MemberRow.experiment_id == row.id))
            for position, record in enumerate(trials):
                trial = session.scalar(select(TrialRow).where(TrialRow.key == record.key))
                if trial is None:
                    trial = TrialRow(
                        key=record.key, arm=record.arm, seed=record.seed, spec=dict(record.spec)
                    )
                    session.add(trial)
                trial.arm, trial.spec = record.arm, dict(record.spec)
                session.flush()
                session.add(MemberRow(experiment_id=row.id, position=position, trial_id=trial.id))

    def begin(
        self, key: str, environment: Mapping[str, Any], initial_hash: str | None = None
    ) -> None:
        """Say that a trial runs now, and where; rounds appended from here on belong there.

        Raises StoreError when the initial labels differ from those of a trial that is to be
        paired with it: same experiment, seed, `start` and `data_checksum`.
        """
        content = to_json(environment)
        digest = hashlib.sha256(json.dumps(environment, sort_keys=True).encode()).hexdigest()
        with self._writing() as session:
            trial = _trial(session, key)
            if session.get(EnvironmentRow, digest) is None:
                _add_once(session, EnvironmentRow(sha256=digest, content=json.loads(content)))
            trial.status, trial.error, trial.traceback = "running", None, ""
            trial.environment = digest
            if initial_hash is not None:
                _pair(session, trial, initial_hash)

    def append(self, key: str, round: Round, pictures: Mapping[str, bytes] = NOTHING) -> None:
        """Add a round with its seconds and its pictures (PNG bytes by kind), all or nothing.

        Raises StoreError when the round is there already, is not the next one, or holds numbers
        that are not finite; of round 0, also when it breaks the pairing (see `begin`).
        """
        _check_finite(key, round)
        with self._writing() as session:
            trial = _trial(session, key)
            known = session.scalar(
                select(func.count()).select_from(RoundRow).where(RoundRow.trial_id == trial.id)
            )
            if round.number != known:
                raise StoreError(
                    f"round {round.number} of trial {_name(trial)} cannot be added, since "
                    f"{known} rounds are there; add round {known} next"
                )
            if round.number == 0:
                _pair(session, trial, initial_hash(round.chosen))
            session.add(_row(trial, round))
            session.flush()
            at = {"trial_id": trial.id, "number": round.number}
            session.add_all(
                MetricRow(**at, name=name, value=float(value))
                for name, value in round.metrics.items()
            )
            for scope, seconds in (("round", round.seconds), ("training", round.training.seconds)):
                session.add_all(
                    SecondsRow(**at, scope=scope, phase=phase, seconds=float(value))
                    for phase, value in seconds.items()
                )
            session.add_all(
                RoundPictureRow(**at, kind=kind, sha256=_keep(session, png))
                for kind, png in pictures.items()
            )

    def log_block(
        self,
        key: str,
        block: str,
        log: Sequence[Mapping[str, float]],
        pictures: Mapping[str, bytes] = NOTHING,
    ) -> None:
        """Remember a feature block's numbers by epoch and its PNGs; the last word counts."""
        with self._writing() as session:
            trial = _trial(session, key)
            session.execute(
                delete(BlockPictureRow).where(
                    BlockPictureRow.trial_id == trial.id, BlockPictureRow.block == block
                )
            )
            session.merge(
                BlockLogRow(trial_id=trial.id, block=block, log=[dict(epoch) for epoch in log])
            )
            session.flush()
            session.add_all(
                BlockPictureRow(
                    trial_id=trial.id, block=block, kind=kind, sha256=_keep(session, png)
                )
                for kind, png in pictures.items()
            )

    def finish(self, key: str) -> None:
        """Say that a trial reached its target."""
        with self._writing() as session:
            trial = _trial(session, key)
            trial.status, trial.error, trial.traceback = "done", None, ""

    def fail(self, key: str, error: str, traceback: str = "") -> None:
        """Say that a trial failed, and why; its rounds stay."""
        with self._writing() as session:
            trial = _trial(session, key)
            trial.status, trial.error, trial.traceback = "failed", error, traceback

    # -- reading ---------------------------------------------------------------------------------

    def history(self, key: str) -> list[Round]:
        """Return a trial's rounds in order, as they were appended."""
        with self._reading() as session:
            trial = _trial(session, key)
            metrics: dict[int, dict[str, float]] = {}
            for m in session.scalars(
                select(MetricRow).where(MetricRow.trial_id == trial.id).order_by(MetricRow.name)
            ):
                metrics.setdefault(m.number, {})[m.name] = m.value
            seconds: dict[tuple[int, str], dict[str, float]] = {}
            for s in session.scalars(
                select(SecondsRow).where(SecondsRow.trial_id == trial.id).order_by(SecondsRow.phase)
            ):
                seconds.setdefault((s.number, s.scope), {})[s.phase] = s.seconds
            rows = session.scalars(
                select(RoundRow).where(RoundRow.trial_id == trial.id).order_by(RoundRow.number)
            )
            return [
                _round(
                    row,
                    metrics.get(row.number, {}),
                    seconds.get((row.number, "round"), {}),
                    seconds.get((row.number, "training"), {}),
                )
                for row in rows
            ]

    def environments(self, key: str) -> list[Mapping[str, Any]]:
        """Return the environments that a trial's rounds were computed in, each once, in order."""
        with self._reading() as session:
            rows = session.execute(
                select(EnvironmentRow.sha256, EnvironmentRow.content)
                .join(RoundRow, RoundRow.environment == EnvironmentRow.sha256)
                .where(RoundRow.trial_id == _trial(session, key).id)
                .order_by(RoundRow.number)
            )
            return list({digest: content for digest, content in rows}.values())

    def experiments(self) -> list[str]:
        """Return the names of the experiments, in the order they came."""
        with self._reading() as session:
            return list(session.scalars(select(ExperimentRow.name).order_by(ExperimentRow.id)))

    def experiment(self, name: str) -> Mapping[str, Any]:
        """Return an experiment's resolved spec; StoreError when there is none of this name."""
        with self._reading() as session:
            return _experiment(session, name).spec

    def trials(self, experiment: str) -> list[TrialState]:
        """Return an experiment's trials in the enrolled order."""
        counts = (
            select(
                RoundRow.trial_id,
                func.count().label("rounds"),
                func.max(RoundRow.labelled_count).label("labelled"),
            )
            .group_by(RoundRow.trial_id)
            .subquery()
        )
        with self._reading() as session:
            rows = session.execute(
                select(TrialRow, EnvironmentRow.content, counts.c.rounds, counts.c.labelled)
                .join(MemberRow, MemberRow.trial_id == TrialRow.id)
                .outerjoin(EnvironmentRow, EnvironmentRow.sha256 == TrialRow.environment)
                .outerjoin(counts, counts.c.trial_id == TrialRow.id)
                .where(MemberRow.experiment_id == _experiment(session, experiment).id)
                .order_by(MemberRow.position)
            )
            return [
                TrialState(
                    TrialRecord(t.key, t.arm, t.seed, t.spec),
                    t.status,
                    labelled or 0,
                    rounds or 0,
                    t.error,
                    environment or {},
                    t.initial_hash,
                    t.traceback,
                )
                for t, environment, rounds, labelled in rows
            ]

    def pictures(self, key: str) -> list[Picture]:
        """Return a trial's pictures: those of its blocks, then those of its rounds in order."""
        with self._reading() as session:
            trial = _trial(session, key)
            blocks = session.execute(
                select(BlockPictureRow.block, BlockPictureRow.kind, PictureRow.png)
                .join(PictureRow, PictureRow.sha256 == BlockPictureRow.sha256)
                .where(BlockPictureRow.trial_id == trial.id)
                .order_by(BlockPictureRow.block, BlockPictureRow.kind)
            )
            rounds = session.execute(
                select(RoundPictureRow.number, RoundPictureRow.kind, PictureRow.png)
                .join(PictureRow, PictureRow.sha256 == RoundPictureRow.sha256)
                .where(RoundPictureRow.trial_id == trial.id)
                .order_by(RoundPictureRow.number, RoundPictureRow.kind)
            )
            return [Picture(None, block, kind, png) for block, kind, png in blocks] + [
                Picture(number, None, kind, png) for number, kind, png in rounds
            ]

    def block_logs(self, key: str) -> Mapping[str, list[Mapping[str, float]]]:
        """Return what a trial's feature blocks reported by epoch."""
        with self._reading() as session:
            rows = session.scalars(
                select(BlockLogRow)
                .where(BlockLogRow.trial_id == _trial(session, key).id)
                .order_by(BlockLogRow.block)
            )
            return {row.block: list(row.log) for row in rows}


def _trial(session: Session, key: str) -> TrialRow:
    trial = session.scalar(select(TrialRow).where(TrialRow.key == key))
    if trial is None:
        raise StoreError(f"trial {key[:12]} is not in the store; enrol it first")
    return trial


def _experiment(session: Session, name: str) -> ExperimentRow:
    row = session.scalar(select(ExperimentRow).where(ExperimentRow.name == name))
    if row is None:
        known = list(session.scalars(select(ExperimentRow.name)))
        hint = nearest(name, known) if known else "it holds none yet; run one first"
        raise StoreError(f"experiment {name!r} is not in the store; {hint}")
    return row


def _name(trial: TrialRow) -> str:
    return f"{trial.arm!r}, seed {trial.seed}"


def _check_finite(key: str, round: Round) -> None:
    numbers = {
        **round.metrics,
        "train accuracy": round.training.accuracy,
        **{f"seconds of {phase}": value for phase, value in round.seconds.items()},
        **{f"seconds of {phase}": value for phase, value in round.training.seconds.items()},
    }
    for name, value in numbers.items():
        if not math.isfinite(value):
            raise StoreError(
                f"{name} of round {round.number} of trial {key[:12]} is {value}; only finite "
                "numbers are stored, lower the learning rate if the training diverged"
            )


def _pair(session: Session, trial: TrialRow, digest: str) -> None:
    """Store the hash of a trial's initial labels, once it is that of its paired trials too."""
    if trial.initial_hash is not None and trial.initial_hash != digest:
        raise StoreError(
            f"trial {_name(trial)} began with other initial labels before "
            f"({trial.initial_hash[:12]}, now {digest[:12]}); give it a store of its own"
        )
    mine = select(MemberRow.experiment_id).where(MemberRow.trial_id == trial.id)
    others = session.scalars(
        select(TrialRow)
        .join(MemberRow, MemberRow.trial_id == TrialRow.id)
        .where(MemberRow.experiment_id.in_(mine), TrialRow.seed == trial.seed)
        .where(TrialRow.id != trial.id, TrialRow.initial_hash.is_not(None))
        .order_by(TrialRow.id)
    )
    for other in others:
        alike = all(other.spec.get(k) == trial.spec.get(k) for k in ("start", "data_checksum"))
        if alike and other.initial_hash != digest:
            raise StoreError(
                f"the initial labels of {_name(trial)} ({digest[:12]}) differ from those of "
                f"{_name(other)} ({str(other.initial_hash)[:12]}), so that the two are no pair; "
                "use one data set, initial size and start for all arms"
            )
    trial.initial_hash = digest


def _keep(session: Session, png: bytes) -> str:
    digest = hashlib.sha256(png).hexdigest()
    if session.get(PictureRow, digest) is None:
        _add_once(session, PictureRow(sha256=digest, png=png))
    return digest


def _add_once(session: Session, row: EnvironmentRow | PictureRow) -> None:
    """Add a row named by its content, unless another writer was quicker with the very same."""
    if session.get_bind().dialect.name == "sqlite":  # one writer at a time: none can be quicker
        session.add(row)
        session.flush()
        return
    with suppress(IntegrityError), session.begin_nested():
        session.add(row)


def _row(trial: TrialRow, round: Round) -> RoundRow:
    return RoundRow(
        trial_id=trial.id,
        number=round.number,
        labelled_count=round.labelled_count,
        chosen=as_ids(round.chosen).tolist(),
        train_accuracy=float(round.training.accuracy),
        epochs=round.training.epochs,
        steps=round.training.steps,
        weights=round.training.weights,
        reached=round.training.reached,
        shared=round.training.shared,
        peak_memory=round.peak_memory,
        environment=trial.environment,
    )


def _round(
    row: RoundRow,
    metrics: Mapping[str, float],
    seconds: Mapping[str, float],
    training_seconds: Mapping[str, float],
) -> Round:
    training = Training(
        row.train_accuracy,
        row.epochs,
        row.steps,
        row.weights,
        row.reached,
        row.shared,
        training_seconds,
    )
    return Round(
        row.number,
        row.labelled_count,
        as_ids(row.chosen),
        metrics,
        training,
        seconds,
        row.peak_memory,
    )
