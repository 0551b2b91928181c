"""Writing to the store, within a session: one transaction per call."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from nextlabel.core.errors import StoreError
from nextlabel.core.round import Round
from nextlabel.core.types import Ids, as_ids
from nextlabel.files.digest import values_digest
from nextlabel.store.database import to_json
from nextlabel.store.records import TrialRecord
from nextlabel.store.rows import (
    add_once,
    check_hypotheses,
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

CHUNK = 500
"""Rows that one statement reads; SQLite has a limit on the values in a statement."""

ENROLMENT = 7_320_110_551_986_402
"""A number of our own: the name of PostgreSQL's lock on the members of experiments."""


def enrol(
    session: Session, experiment: str, spec: Mapping[str, Any], trials: Sequence[TrialRecord]
) -> None:
    """Write an experiment, and that exactly `trials` are its members.

    On a server, drivers that begin at the same time do this one after the other.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ENROLMENT})
    row = session.scalar(select(ExperimentRow).where(ExperimentRow.name == experiment))
    if row is None:
        row = ExperimentRow(name=experiment, spec=dict(spec))
        session.add(row)
    else:
        check_hypotheses(session, row, spec)
        row.spec = dict(spec)
    session.flush()
    session.execute(delete(MemberRow).where(MemberRow.experiment_id == row.id))
    stored: dict[str, TrialRow] = {}
    for start in range(0, len(trials), CHUNK):
        keys = [record.key for record in trials[start : start + CHUNK]]
        rows = session.scalars(select(TrialRow).where(TrialRow.key.in_(keys)))
        stored |= {trial.key: trial for trial in rows}
    for record in trials:
        if record.key not in stored:
            stored[record.key] = TrialRow(key=record.key, seed=record.seed)
            session.add(stored[record.key])
        trial = stored[record.key]
        if (trial.arm, trial.spec) != (record.arm, dict(record.spec)):
            trial.arm, trial.spec = record.arm, dict(record.spec)
    session.flush()
    session.add_all(
        MemberRow(experiment_id=row.id, position=position, trial_id=stored[record.key].id)
        for position, record in enumerate(trials)
    )


def begin(
    session: Session, key: str, environment: Mapping[str, Any], initial_hash: str | None
) -> None:
    """Set a trial to running in an environment."""
    content = to_json(environment)
    digest = values_digest(environment, compact=False)
    trial = find_trial(session, key)
    if session.get(EnvironmentRow, digest) is None:
        add_once(session, EnvironmentRow(sha256=digest, content=json.loads(content)))
    set_status(trial, "running")
    trial.environment = digest
    if initial_hash is not None:
        pair(session, trial, initial_hash)


def set_status(trial: TrialRow, status: str, error: str | None = None, traceback: str = "") -> None:
    """Set the status of a trial, and its error."""
    trial.status, trial.error, trial.traceback = status, error, traceback


def finish(session: Session, key: str) -> None:
    """Set a trial to done."""
    set_status(find_trial(session, key), "done")


def fail(session: Session, key: str, error: str, traceback: str) -> None:
    """Set a trial to failed, with its error."""
    set_status(find_trial(session, key), "failed", error, traceback)


def append(session: Session, key: str, round: Round, pictures: Mapping[str, bytes]) -> None:
    """Add the next round of a trial with its metrics, seconds and pictures."""
    trial = find_trial(session, key)
    stored = session.scalar(
        select(func.count()).select_from(RoundRow).where(RoundRow.trial_id == trial.id)
    )
    if round.number != stored:
        raise StoreError(
            f"round {round.number} of trial {trial_name(trial)} cannot be added, since {stored} "
            f"rounds are there; add round {stored} next",
            code="round-out-of-order",
        )
    if round.number == 0:
        pair(session, trial, initial_hash(round.chosen))
    session.add(to_row(trial, round))
    session.flush()
    at = {"trial_id": trial.id, "number": round.number}
    session.add_all(
        MetricRow(**at, name=name, value=float(value)) for name, value in round.metrics.items()
    )
    for scope, seconds in (("round", round.seconds), ("training", round.training.seconds)):
        session.add_all(
            SecondsRow(**at, scope=scope, phase=phase, seconds=float(value))
            for phase, value in seconds.items()
        )
    session.add_all(
        RoundPictureRow(**at, kind=name, sha256=keep_picture(session, png))
        for name, png in pictures.items()
    )


def log_block(
    session: Session,
    key: str,
    block: str,
    log: Sequence[Mapping[str, float]],
    pictures: Mapping[str, bytes],
) -> None:
    """Write a feature block's log and pictures in the place of earlier ones."""
    trial = find_trial(session, key)
    session.execute(
        delete(BlockPictureRow).where(
            BlockPictureRow.trial_id == trial.id, BlockPictureRow.block == block
        )
    )
    session.merge(BlockLogRow(trial_id=trial.id, block=block, log=[dict(epoch) for epoch in log]))
    session.flush()
    session.add_all(
        BlockPictureRow(
            trial_id=trial.id, block=block, kind=name, sha256=keep_picture(session, png)
        )
        for name, png in pictures.items()
    )


def keep_next_picks(session: Session, key: str, ids: Ids) -> None:
    """Write the next picks of a trial in the place of earlier ones."""
    trial = find_trial(session, key)
    last = session.scalar(select(func.max(RoundRow.number)).where(RoundRow.trial_id == trial.id))
    if last is None:
        raise StoreError(
            f"trial {trial_name(trial)} has no round yet; add its rounds before its next picks",
            code="no-round-yet",
        )
    session.execute(delete(NextPicksRow).where(NextPicksRow.trial_id == trial.id))
    session.add(NextPicksRow(trial_id=trial.id, number=last, ids=as_ids(ids).tolist()))
