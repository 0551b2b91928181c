"""The states of an experiment's trials, each by itself or counted by arm."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from nextlabel.store.integrity import text, whole
from nextlabel.store.queries import progress
from nextlabel.store.rows import find_experiment, status_of
from nextlabel.store.schema import MemberRow, RoundRow, TrialRow

ALONE = ("running", "failed")
"""States whose trials are counted alone, for their names and errors."""


@dataclass(frozen=True)
class TrialStatus:
    """The state of a trial in short: a `TrialState` without settings and environment."""

    key: str
    arm: str
    seed: int
    status: str
    labelled_count: int
    rounds: int
    error: str | None


@dataclass(frozen=True)
class TrialCount:
    """The number of trials of an arm that have the same status, and the sum of their labels.

    `single` is the trial itself where one was counted alone.
    """

    arm: str
    status: str
    trials: int
    labels: int
    single: TrialStatus | None


def read_statuses(session: Session, experiment: str) -> list[TrialStatus]:
    """Return the state of each trial of an experiment, in the enrolled order."""
    t = TrialRow.__table__.c
    rows = session.execute(
        select(t.key, t.arm, t.seed, t.status, t.error, *progress())
        .join(MemberRow, MemberRow.trial_id == t.id)
        .where(MemberRow.experiment_id == find_experiment(session, experiment).id)
        .order_by(MemberRow.position)
    )
    return [_status(*row) for row in rows]


def _status(
    key: str, arm: str, seed: int, status: str, error: str | None, rounds: int, labels: int | None
) -> TrialStatus:
    return TrialStatus(
        text("key", key),
        text("arm", arm),
        whole("seed", seed),
        status_of(status),
        whole("labels", labels or 0),
        rounds,
        None if error is None else text("error", error),
    )


def count_statuses(session: Session, experiment: str, alone: Collection[str]) -> list[TrialCount]:
    """Return the trials of an experiment by arm and status, counted by the database.

    Trials that run or failed, and those whose keys are in `alone`, are counted one by one. The
    order is that in which the first trial of each count was enrolled.
    """
    of_experiment = MemberRow.experiment_id == find_experiment(session, experiment).id
    rounds_of = (
        select(
            RoundRow.trial_id,
            func.count().label("rounds"),
            func.max(RoundRow.labelled_count).label("labels"),
        )
        .join(MemberRow, MemberRow.trial_id == RoundRow.trial_id)
        .where(of_experiment)
        .group_by(RoundRow.trial_id)
        .subquery()
    )
    rounds, t = rounds_of.c, TrialRow.__table__.c
    is_alone = or_(t.status.in_(ALONE), t.key.in_(alone))
    rows = session.execute(
        select(
            t.arm,
            t.status,
            case((is_alone, t.id)).label("single"),
            func.count(),
            func.coalesce(func.sum(rounds.labels), 0),
            func.coalesce(func.max(rounds.labels), 0),
            func.min(t.key),
            func.min(t.seed),
            func.min(t.error),
            func.coalesce(func.max(rounds.rounds), 0),
        )
        .join(MemberRow, MemberRow.trial_id == t.id)
        .outerjoin(rounds_of, rounds.trial_id == t.id)
        .where(of_experiment)
        .group_by(t.arm, t.status, "single")
        .order_by(func.min(MemberRow.position))
    )
    counts = []
    for arm, status, single, trials, total, most, key, seed, error, its_rounds in rows:
        whole("labels", most)  # of damaged labels the sum may be a whole number
        one = None if single is None else _status(key, arm, seed, status, error, its_rounds, most)
        labels = whole("sum of labels", total)
        counts.append(TrialCount(text("arm", arm), status_of(status), trials, labels, one))
    return counts
