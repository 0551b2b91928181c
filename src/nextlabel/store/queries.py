"""Reading from the store, within a session."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeAlias

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from nextlabel.core.round import Round
from nextlabel.core.types import Ids, as_ids
from nextlabel.store.integrity import Damaged, check_indexes, finite, numbers, table, text, whole
from nextlabel.store.records import Picture, TrialRecord, TrialState
from nextlabel.store.rows import find_experiment, find_trial, status_of, to_round
from nextlabel.store.schema import (
    BlockLogRow,
    BlockPictureRow,
    EnvironmentRow,
    ExperimentRow,
    MemberRow,
    MetricRow,
    NextPicksRow,
    PictureRow,
    RoundPictureRow,
    RoundRow,
    SecondsRow,
    TrialRow,
)

CHUNK = 500
"""Trials that one statement reads; SQLite has a limit on the values in a statement."""

Trials: TypeAlias = Select[Any]
"""A choice of trials: a statement of their ids."""


def read_history(session: Session, key: str) -> list[Round]:
    """Return a trial's rounds in order, as they were appended."""
    trial = find_trial(session, key)
    return _histories(session, {trial.id: key})[key]


def read_histories(session: Session, experiment: str) -> dict[str, list[Round]]:
    """Return the rounds of all trials of an experiment by key, in few statements."""
    members = (
        select(TrialRow.id, TrialRow.key)
        .join(MemberRow, MemberRow.trial_id == TrialRow.id)
        .where(MemberRow.experiment_id == find_experiment(session, experiment).id)
    )
    keys = {trial: text("key", key) for trial, key in session.execute(members)}
    ids = sorted(keys)
    histories: dict[str, list[Round]] = {}
    for start in range(0, len(ids), CHUNK):
        histories |= _histories(session, {id: keys[id] for id in ids[start : start + CHUNK]})
    return histories


def _histories(session: Session, keys: Mapping[int, str]) -> dict[str, list[Round]]:
    """Return the rounds of these trials, of which `keys` has the ids and the keys."""
    metrics: dict[tuple[int, int], dict[str, float]] = {}
    m = MetricRow.__table__.c
    for trial, number, name, value in session.execute(
        select(m.trial_id, m.number, m.name, m.value).where(m.trial_id.in_(keys)).order_by(m.name)
    ):
        metrics.setdefault((trial, number), {})[name] = finite(name, value)
    seconds: dict[tuple[int, int, str], dict[str, float]] = {}
    s = SecondsRow.__table__.c
    for trial, number, scope, phase, value in session.execute(
        select(s.trial_id, s.number, s.scope, s.phase, s.seconds)
        .where(s.trial_id.in_(keys))
        .order_by(s.phase)
    ):
        seconds.setdefault((trial, number, scope), {})[phase] = finite(phase, value)
    rounds: dict[int, list[Round]] = {trial: [] for trial in keys}
    r = RoundRow.__table__
    for row in session.execute(
        select(r).where(r.c.trial_id.in_(keys)).order_by(r.c.trial_id, r.c.number)
    ):
        at = row.trial_id, row.number
        training, whole_round = seconds.get((*at, "training"), {}), seconds.get((*at, "round"), {})
        rounds[row.trial_id].append(to_round(row, metrics.get(at, {}), whole_round, training))
    for trial, key in keys.items():
        _check_rounds(key, rounds[trial])
    return {key: rounds[trial] for trial, key in keys.items()}


def _check_rounds(key: str, rounds: list[Round]) -> None:
    """Raise Damaged when a round is missing, or the labels do not increase."""
    labels = [0, *(round.labelled_count for round in rounds)]
    if any(after <= before for before, after in pairwise(labels)):
        raise Damaged(f"the label counts of trial {key[:12]}, {labels[1:]}, do not increase")
    if [round.number for round in rounds] != list(range(len(rounds))):
        raise Damaged(f"trial {key[:12]} lacks a round before its last one")


def read_experiments(session: Session) -> list[str]:
    """Return the names of the experiments, in the order in which they were enrolled."""
    rows = list(session.scalars(select(ExperimentRow).order_by(ExperimentRow.id)))
    if not rows:
        check_indexes(session, ExperimentRow.__tablename__)
    return [text("experiment", row.name) for row in rows]


def one(session: Session, key: str) -> Trials:
    """Return the choice of one trial; StoreError when it was not enrolled."""
    return select(TrialRow.id).where(TrialRow.id == find_trial(session, key).id)


def members(session: Session, experiment: str) -> Trials:
    """Return the choice of an experiment's trials; StoreError when it is not in the store."""
    of_experiment = MemberRow.experiment_id == find_experiment(session, experiment).id
    return select(MemberRow.trial_id).where(of_experiment)


def read_environments(session: Session, trials: Trials) -> dict[str, list[Mapping[str, Any]]]:
    """Return the environments of each trial's rounds by key, each once, in the rounds' order."""
    rows = session.execute(
        select(TrialRow.key, RoundRow.environment)
        .join(RoundRow, RoundRow.trial_id == TrialRow.id)
        .where(TrialRow.id.in_(trials), RoundRow.environment.is_not(None))
        .group_by(TrialRow.key, RoundRow.environment)
        .order_by(func.min(RoundRow.number))
    ).all()
    digests = list({digest for _, digest in rows})
    contents: dict[str, Mapping[str, Any]] = {}
    for start in range(0, len(digests), CHUNK):
        chosen = EnvironmentRow.sha256.in_(digests[start : start + CHUNK])
        for environment in session.scalars(select(EnvironmentRow).where(chosen)):
            contents[environment.sha256] = table("environment", environment.content)
    environments: dict[str, list[Mapping[str, Any]]] = {}
    for key, digest in rows:
        if digest in contents:
            environments.setdefault(key, []).append(contents[digest])
    return environments


def read_trials(session: Session, experiment: str, seed: int | None = None) -> list[TrialState]:
    """Return an experiment's trials in the enrolled order; those of one seed alone if it is given.

    `statuses.read_statuses` is faster where settings and environment are not needed.
    """
    rows = session.execute(
        select(TrialRow, EnvironmentRow, *progress())
        .join(MemberRow, MemberRow.trial_id == TrialRow.id)
        .outerjoin(EnvironmentRow, EnvironmentRow.sha256 == TrialRow.environment)
        .where(MemberRow.experiment_id == find_experiment(session, experiment).id)
        .where(*([] if seed is None else [TrialRow.seed == seed]))
        .order_by(MemberRow.position)
    )
    return [
        TrialState(
            TrialRecord(
                text("key", t.key),
                text("arm", t.arm),
                whole("seed", t.seed),
                table("trial", t.spec),
            ),
            status_of(t.status),
            whole("labels", labelled or 0),
            rounds or 0,
            None if t.error is None else text("error", t.error),
            {} if environment is None else table("environment", environment.content),
            t.initial_hash,
            t.traceback,
        )
        for t, environment, rounds, labelled in rows
    ]


def progress() -> tuple[Any, Any]:
    """Return the number of rounds and of labels of a trial of the same statement.

    Each trial's rounds are looked up by themselves, so that a few trials of many are read at once.
    """
    its = RoundRow.trial_id == TrialRow.id
    labelled = select(func.max(RoundRow.labelled_count)).where(its)
    return select(func.count()).where(its).scalar_subquery(), labelled.scalar_subquery()


def read_pictures(session: Session, key: str) -> list[Picture]:
    """Return a trial's pictures: those of its blocks, then those of its rounds in order."""
    trial = find_trial(session, key)
    blocks = session.execute(
        select(BlockPictureRow, PictureRow)
        .join(PictureRow, PictureRow.sha256 == BlockPictureRow.sha256)
        .where(BlockPictureRow.trial_id == trial.id)
        .order_by(BlockPictureRow.block, BlockPictureRow.kind)
    )
    rounds = session.execute(
        select(RoundPictureRow, PictureRow)
        .join(PictureRow, PictureRow.sha256 == RoundPictureRow.sha256)
        .where(RoundPictureRow.trial_id == trial.id)
        .order_by(RoundPictureRow.number, RoundPictureRow.kind)
    )
    return [Picture(None, at.block, at.kind, png(picture)) for at, picture in blocks] + [
        Picture(at.number, None, at.kind, png(picture)) for at, picture in rounds
    ]


def png(row: PictureRow) -> bytes:
    """Return the bytes of a picture; Damaged when they are not bytes."""
    if not isinstance(row.png, bytes):
        raise Damaged(f"a picture is {row.png!r:.40}, not bytes")
    return row.png


def read_next_picks(session: Session, trials: Trials) -> dict[str, Ids]:
    """Return the next picks after the last round of each trial that has any, by key."""
    last = select(func.max(RoundRow.number)).where(RoundRow.trial_id == TrialRow.id)
    rows = session.execute(
        select(TrialRow.key, NextPicksRow.ids)
        .join(NextPicksRow, NextPicksRow.trial_id == TrialRow.id)
        .where(TrialRow.id.in_(trials), NextPicksRow.number == last.scalar_subquery())
    )
    return {key: as_ids(ids) for key, ids in rows}


def read_block_logs(
    session: Session, trials: Trials
) -> dict[str, dict[str, list[Mapping[str, float]]]]:
    """Return the logs of each trial's feature blocks by key, one mapping of numbers per epoch."""
    rows = session.execute(
        select(TrialRow.key, BlockLogRow.block, BlockLogRow.log)
        .join(BlockLogRow, BlockLogRow.trial_id == TrialRow.id)
        .where(TrialRow.id.in_(trials))
        .order_by(BlockLogRow.block)
    )
    logs: dict[str, dict[str, list[Mapping[str, float]]]] = {}
    for key, block, log in rows:
        logs.setdefault(key, {})[block] = [numbers(block, epoch) for epoch in log]
    return logs


@dataclass(frozen=True, eq=False)
class Details:
    """Details of all trials of an experiment by key, each sort read at once when it is needed.

    Parameters
    ----------
    reading : callable
        Returns a context manager of a session that reads.
    experiment : str
        The name of the experiment.
    """

    reading: Callable[[], AbstractContextManager[Session]]
    experiment: str

    @cached_property
    def environments(self) -> Mapping[str, list[Mapping[str, Any]]]:
        """The environments of the trials' rounds."""
        with self.reading() as session:
            return read_environments(session, members(session, self.experiment))

    @cached_property
    def next_picks(self) -> Mapping[str, Ids]:
        """The next picks of the trials that have some."""
        with self.reading() as session:
            return read_next_picks(session, members(session, self.experiment))

    @cached_property
    def block_logs(self) -> Mapping[str, Mapping[str, list[Mapping[str, float]]]]:
        """The logs of the trials' feature blocks."""
        with self.reading() as session:
            return read_block_logs(session, members(session, self.experiment))
