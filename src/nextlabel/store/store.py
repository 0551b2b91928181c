"""What happened, in a database: rounds are only ever added, one transaction each.

One driver writes; any number of readers may read meanwhile. After a crash at any moment a round
is there in full, with its seconds and pictures, or not at all.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

from sqlalchemy import URL, Engine, delete, func, select
from sqlalchemy.orm import Session

from nextlabel.core.errors import StoreError
from nextlabel.core.round import Round
from nextlabel.core.types import Ids, as_ids
from nextlabel.files.digest import values_digest
from nextlabel.store.data_records import keep_data, read_data
from nextlabel.store.database import address, connect, place, quick_check, sentences, to_json
from nextlabel.store.integrity import damage, table
from nextlabel.store.maps import Map, keep_map, read_maps
from nextlabel.store.queries import (
    read_block_logs,
    read_environments,
    read_history,
    read_pictures,
    read_trials,
)
from nextlabel.store.read_only import read
from nextlabel.store.records import DataRecord, Picture, TrialRecord, TrialState
from nextlabel.store.rows import (
    add_once,
    check_finite,
    check_hypotheses,
    find_experiment,
    find_trial,
    initial_hash,
    keep_picture,
    pair,
    to_row,
    trial_name,
)
from nextlabel.store.schema import (
    BlockLogRow,
    BlockPictureRow,
    EnvironmentRow,
    ExperimentRow,
    MemberRow,
    MetricRow,
    NextPicksRow,
    RoundPictureRow,
    RoundRow,
    SecondsRow,
    TrialRow,
)

__all__ = ["DataRecord", "Picture", "Store", "TrialRecord", "TrialState", "initial_hash"]

NOTHING: Mapping[str, Any] = MappingProxyType({})


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

    @classmethod
    def read(cls, location: str | Path, *, busy: float = 30.0) -> "Store":
        """Open a store for reading alone, wherever it lies; no file is written or made.

        Only an older one is upgraded. Raises StoreError when it is missing, no store, damaged, of
        a newer nextlabel, or older and not to be written.
        """
        url = address(location)
        return cls(read(url, busy), url, busy)

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
        with (
            sentences(self._url, self._busy),
            damage(lambda: quick_check(self._engine)),
            Session(self._engine) as session,
            session.begin(),
        ):
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

        Trials known already keep their rounds. Raises StoreError when a key stands twice, or when
        hypotheses differ from those stated before the first round.
        """
        if len({trial.key for trial in trials}) < len(trials):
            raise StoreError(
                f"two trials of {experiment!r} have the same key; give each arm and seed once"
            )
        with self._writing() as session:
            row = session.scalar(select(ExperimentRow).where(ExperimentRow.name == experiment))
            if row is not None:
                check_hypotheses(session, row, spec)
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
        digest = values_digest(environment, compact=False)
        with self._writing() as session:
            trial = find_trial(session, key)
            if session.get(EnvironmentRow, digest) is None:
                add_once(session, EnvironmentRow(sha256=digest, content=json.loads(content)))
            trial.status, trial.error, trial.traceback = "running", None, ""
            trial.environment = digest
            if initial_hash is not None:
                pair(session, trial, initial_hash)

    def append(self, key: str, round: Round, pictures: Mapping[str, bytes] = NOTHING) -> None:
        """Add a round with its seconds and its pictures (PNG bytes by kind), all or nothing.

        Raises StoreError when the round is there already, is not the next one, or holds numbers
        that are not finite; of round 0, also when it breaks the pairing (see `begin`).
        """
        check_finite(key, round)
        with self._writing() as session:
            trial = find_trial(session, key)
            known = session.scalar(
                select(func.count()).select_from(RoundRow).where(RoundRow.trial_id == trial.id)
            )
            if round.number != known:
                raise StoreError(
                    f"round {round.number} of trial {trial_name(trial)} cannot be added, since "
                    f"{known} rounds are there; add round {known} next"
                )
            if round.number == 0:
                pair(session, trial, initial_hash(round.chosen))
            session.add(to_row(trial, round))
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
                RoundPictureRow(**at, kind=kind, sha256=keep_picture(session, png))
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
            trial = find_trial(session, key)
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
                    trial_id=trial.id, block=block, kind=kind, sha256=keep_picture(session, png)
                )
                for kind, png in pictures.items()
            )

    def finish(self, key: str) -> None:
        """Say that a trial reached its target."""
        with self._writing() as session:
            trial = find_trial(session, key)
            trial.status, trial.error, trial.traceback = "done", None, ""

    def fail(self, key: str, error: str, traceback: str = "") -> None:
        """Say that a trial failed, and why; its rounds stay."""
        with self._writing() as session:
            trial = find_trial(session, key)
            trial.status, trial.error, trial.traceback = "failed", error, traceback

    def keep_map(self, found: Map, environment: Mapping[str, Any]) -> None:
        """Keep a map, in the place of an earlier one of the same experiment, arm and seed.

        An experiment that the store does not know yet is added, without trials.
        """
        with self._writing() as session:
            keep_map(session, found, environment)

    def keep_data(self, record: DataRecord) -> None:
        """Store what a data set holds, once for each checksum."""
        with self._writing() as session:
            keep_data(session, record)

    def keep_next_picks(self, key: str, ids: Ids) -> None:
        """Store the ids that a trial's strategy picks next, in the place of earlier ones.

        They belong to the trial's last round; StoreError when it has none.
        """
        with self._writing() as session:
            trial = find_trial(session, key)
            last = session.scalar(
                select(func.max(RoundRow.number)).where(RoundRow.trial_id == trial.id)
            )
            if last is None:
                raise StoreError(
                    f"trial {trial_name(trial)} has no round yet; add its rounds before its next "
                    "picks",
                    code="no-round-yet",
                )
            session.execute(delete(NextPicksRow).where(NextPicksRow.trial_id == trial.id))
            session.add(NextPicksRow(trial_id=trial.id, number=last, ids=as_ids(ids).tolist()))

    # -- reading ---------------------------------------------------------------------------------

    def data_record(self, key: str) -> DataRecord | None:
        """Return the data set of a trial; None when an older nextlabel ran it."""
        with self._reading() as session:
            return read_data(session, find_trial(session, key))

    def next_picks(self, key: str) -> Ids | None:
        """Return the ids that a trial's strategy picks after its last stored round.

        None when they were not computed: the trial did not end, went on since, or was run by an
        older nextlabel.
        """
        with self._reading() as session:
            trial = find_trial(session, key)
            last = select(func.max(RoundRow.number)).where(RoundRow.trial_id == trial.id)
            ids = session.scalar(
                select(NextPicksRow.ids).where(
                    NextPicksRow.trial_id == trial.id,
                    NextPicksRow.number == last.scalar_subquery(),
                )
            )
            return None if ids is None else as_ids(ids)

    def history(self, key: str) -> list[Round]:
        """Return a trial's rounds in order, as they were appended."""
        with self._reading() as session:
            return read_history(session, key)

    def environments(self, key: str) -> list[Mapping[str, Any]]:
        """Return the environments that a trial's rounds were computed in, each once, in order."""
        with self._reading() as session:
            return read_environments(session, key)

    def experiments(self) -> list[str]:
        """Return the names of the experiments, in the order they came."""
        with self._reading() as session:
            rows = session.scalars(select(ExperimentRow).order_by(ExperimentRow.id))
            return [row.name for row in rows]

    def experiment(self, name: str) -> Mapping[str, Any]:
        """Return an experiment's resolved spec; StoreError when there is none of this name."""
        with self._reading() as session:
            return table("spec", find_experiment(session, name).spec)

    def trials(self, experiment: str) -> list[TrialState]:
        """Return an experiment's trials in the enrolled order."""
        with self._reading() as session:
            return read_trials(session, experiment)

    def pictures(self, key: str) -> list[Picture]:
        """Return a trial's pictures: those of its blocks, then those of its rounds in order."""
        with self._reading() as session:
            return read_pictures(session, key)

    def block_logs(self, key: str) -> Mapping[str, list[Mapping[str, float]]]:
        """Return what a trial's feature blocks reported by epoch."""
        with self._reading() as session:
            return read_block_logs(session, key)

    def maps(self, experiment: str) -> list[Map]:
        """Return an experiment's maps, in the order of its arms, then by seed."""
        with self._reading() as session:
            return read_maps(session, experiment)
