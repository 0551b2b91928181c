"""Rows of the store: finding them, checking them, and turning them into values and back."""

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from nextlabel.core.errors import StoreError, nearest
from nextlabel.core.learner import Training
from nextlabel.core.round import Round
from nextlabel.core.types import Ids, as_ids
from nextlabel.files.digest import content_digest
from nextlabel.store.integrity import Damaged, check_indexes, finite, text, whole
from nextlabel.store.schema import (
    DataRow,
    EnvironmentRow,
    ExperimentRow,
    MemberRow,
    PictureRow,
    RoundRow,
    TrialRow,
)

STATUSES = ("pending", "running", "done", "failed")
"""The states of a trial."""


def initial_hash(ids: Ids) -> str:
    """Return the sha256 of the initial ids; their order does not matter."""
    return content_digest(np.sort(as_ids(ids)).astype("<i8").tobytes())


def find_trial(session: Session, key: str) -> TrialRow:
    """Return the trial called `key`; StoreError when it was not enrolled."""
    trial = session.scalar(select(TrialRow).where(TrialRow.key == key))
    if trial is None:
        check_indexes(session, TrialRow.__tablename__)
        raise StoreError(
            f"trial {key[:12]} is not in the store; enrol it first", code="trial-missing"
        )
    return trial


def find_experiment(session: Session, name: str) -> ExperimentRow:
    """Return the experiment called `name`; StoreError with the nearest name when there is none."""
    row = session.scalar(select(ExperimentRow).where(ExperimentRow.name == name))
    if row is None:
        check_indexes(session, ExperimentRow.__tablename__)
        names = list(session.scalars(select(ExperimentRow.name)))
        hint = nearest(name, names) if names else "it holds none yet; run one first"
        raise StoreError(
            f"experiment {name!r} is not in the store; {hint}", code="experiment-missing"
        )
    return row


def status_of(value: object) -> str:
    """Return the status of a trial; Damaged for one that no run has written."""
    if value not in STATUSES:
        raise Damaged(f"a status is {value!r:.40}, not one of {', '.join(STATUSES)}")
    return str(value)


def trial_name(trial: TrialRow) -> str:
    """Return the name of a trial in messages: arm and seed."""
    return f"{trial.arm!r}, seed {trial.seed}"


def check_finite(key: str, round: Round) -> None:
    """Raise StoreError when a number of `round` is NaN or infinite."""
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
                "numbers are stored, lower the learning rate if the training diverged",
                code="metric-not-finite",
            )


def pair(session: Session, trial: TrialRow, digest: str) -> None:
    """Store the hash of a trial's initial labels; StoreError when a paired trial has another."""
    if trial.initial_hash is not None and trial.initial_hash != digest:
        raise StoreError(
            f"trial {trial_name(trial)} began with other initial labels before "
            f"({trial.initial_hash[:12]}, now {digest[:12]}); give it a store of its own",
            code="initial-labels-changed",
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
        if _beginning(other.spec) == _beginning(trial.spec) and other.initial_hash != digest:
            raise StoreError(
                f"the initial labels of {trial_name(trial)} ({digest[:12]}) differ from those of "
                f"{trial_name(other)} ({str(other.initial_hash)[:12]}), so the two are not a pair; "
                "use one data set, initial size and start for all arms",
                code="not-a-pair",
            )
    trial.initial_hash = digest


def _beginning(spec: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what decides the initial labels in addition to the seed; equal ones are paired.

    A strategy that chooses them does so in the task-agnostic part of the arm's space.
    """
    common = (spec.get("start"), spec.get("data_checksum"))
    if spec.get("start") == "random":
        return common
    arm = spec.get("arm") or {}
    cold = {name: w for name, w in (arm.get("features") or {}).items() if name != "task" and w}
    blocks = spec.get("blocks") or {}
    return *common, arm.get("scale"), cold, {name: blocks.get(name) for name in cold}


def check_hypotheses(session: Session, experiment: ExperimentRow, spec: Mapping[str, Any]) -> None:
    """Raise StoreError when `spec` has other hypotheses than before the first round."""
    stated, now = (list(s.get("hypotheses") or ()) for s in (experiment.spec, spec))
    if stated == now:
        return
    rounds = (
        select(RoundRow.trial_id)
        .join(MemberRow, MemberRow.trial_id == RoundRow.trial_id)
        .where(MemberRow.experiment_id == experiment.id)
        .limit(1)
    )
    if session.execute(rounds).first() is not None:
        raise StoreError(
            f"the {len(now)} hypotheses of {experiment.name!r} are not the {len(stated)} that "
            "were stated before its first round; restore them, or rename the experiment",
            code="hypotheses-changed",
        )


def keep_picture(session: Session, png: bytes) -> str:
    """Store a picture unless it is there, and return its sha256."""
    digest = content_digest(png)
    if session.get(PictureRow, digest) is None:
        add_once(session, PictureRow(sha256=digest, png=png))
    return digest


def add_once(session: Session, row: DataRow | EnvironmentRow | PictureRow) -> None:
    """Add a row that is named by its content, unless another writer has added it meanwhile."""
    if session.get_bind().dialect.name == "sqlite":  # one writer at a time
        session.add(row)
        session.flush()
        return
    with suppress(IntegrityError), session.begin_nested():
        session.add(row)


def to_row(trial: TrialRow, round: Round) -> RoundRow:
    """Return the row of a round; its metrics, seconds and pictures have rows of their own."""
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


def to_round(
    row: Any,
    metrics: Mapping[str, float],
    seconds: Mapping[str, float],
    training_seconds: Mapping[str, float],
) -> Round:
    """Return the round of a row of `rounds`, its metrics and both kinds of seconds.

    Raises Damaged when the row is garbled.
    """
    training = Training(
        finite("train accuracy", row.train_accuracy),
        whole("epochs", row.epochs),
        whole("steps", row.steps),
        text("weights", row.weights),
        row.reached,
        row.shared,
        training_seconds,
    )
    return Round(
        whole("number", row.number),
        whole("labels", row.labelled_count),
        as_ids(row.chosen),
        metrics,
        training,
        seconds,
        whole("peak memory", row.peak_memory),
    )
