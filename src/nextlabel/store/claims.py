"""Claims: which driver works on which trial of a database that several drivers share.

A claim is a lease: it ends by itself unless its driver renews it, so that a driver that died leaves
nothing to clean up. All times are those of the database's clock.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, Text, and_, delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from nextlabel.store.rows import find_trial
from nextlabel.store.schema import ClaimRow, TrialRow

CHUNK = 50
"""Trials that one statement considers; the first of many waiting ones is nearly always free."""


@dataclass(frozen=True)
class Claim:
    """A driver's claim on a trial that has not lapsed; `driver` is HOST/PID/RANDOM."""

    driver: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Claims:
    """The claims in a store.

    Parameters
    ----------
    shared : bool
        Whether several drivers may write to the database. The methods that write need that.
    write : callable
        Calls a function with a session and arguments, in a transaction that writes.
    reading : callable
        Returns a context manager of a session that reads.
    """

    shared: bool
    write: Callable[..., Any]
    reading: Callable[[], AbstractContextManager[Session]]

    def take(self, keys: Sequence[str], driver: str, seconds: float) -> str | None:
        """Claim the first of these trials that no other driver has; return its key.

        None is returned when there is none, or when another driver was quicker.
        """
        key: str | None = self.write(take, keys, driver, seconds)
        return key

    def renew(self, driver: str, seconds: float) -> set[str]:
        """Prolong all claims of a driver, and return the keys of its trials."""
        keys: set[str] = self.write(renew, driver, seconds)
        return keys

    def release(self, driver: str, key: str | None = None) -> None:
        """End a driver's claim on a trial; on all of its trials without a key."""
        self.write(release, driver, key)

    def failure(self, key: str) -> str | None:
        """Return the error of a trial that has failed; None for any other state."""
        with self.reading() as session:
            trial = find_trial(session, key)
            return trial.error if trial.status == "failed" else None

    def read(self) -> Mapping[str, Claim]:
        """Return the claims that have not lapsed, by key; a SQLite file has none."""
        if not self.shared:
            return {}
        with self.reading() as session:
            return read_claims(session)


def take(session: Session, keys: Sequence[str], driver: str, seconds: float) -> str | None:
    """Claim a trial, as `Claims.take`; rows that another transaction has locked are passed over."""
    for start in range(0, len(keys), CHUNK):
        chunk = list(keys[start : start + CHUNK])
        row = session.execute(
            select(TrialRow.id, TrialRow.key)
            .outerjoin(ClaimRow, and_(ClaimRow.trial_id == TrialRow.id, _others(driver)))
            .where(TrialRow.key.in_(chunk), ClaimRow.trial_id.is_(None))
            .order_by(func.array_position(literal(chunk, ARRAY(Text)), TrialRow.key))
            .limit(1)
            .with_for_update(of=TrialRow, key_share=True, skip_locked=True)
        ).first()
        if row is None:
            continue
        until = func.clock_timestamp() + timedelta(seconds=seconds)
        new = insert(ClaimRow).values(
            trial_id=row.id, driver=driver, since=func.clock_timestamp(), until=until
        )
        # The rows above are those of the statement's beginning; this one decides.
        taken = new.on_conflict_do_update(
            index_elements=[ClaimRow.trial_id],
            set_={"driver": new.excluded.driver, "since": new.excluded.since, "until": until},
            where=or_(ClaimRow.until < func.clock_timestamp(), ClaimRow.driver == driver),
        ).returning(ClaimRow.trial_id)
        return None if session.execute(taken).first() is None else row.key
    return None


def _others(driver: str) -> Any:
    """Return the condition of a claim of another driver that has not lapsed."""
    return and_(ClaimRow.driver != driver, ClaimRow.until >= func.clock_timestamp())


def renew(session: Session, driver: str, seconds: float) -> set[str]:
    """Prolong all claims of a driver, and return the keys of its trials."""
    until = func.clock_timestamp() + timedelta(seconds=seconds)
    session.execute(update(ClaimRow).where(ClaimRow.driver == driver).values(until=until))
    keys = select(TrialRow.key).join(ClaimRow, ClaimRow.trial_id == TrialRow.id)
    return set(session.scalars(keys.where(ClaimRow.driver == driver)))


def release(session: Session, driver: str, key: str | None = None) -> None:
    """End a driver's claim on a trial; on all of its trials without a key."""
    mine = delete(ClaimRow).where(ClaimRow.driver == driver)
    if key is not None:
        its = select(TrialRow.id).where(TrialRow.key == key).scalar_subquery()
        mine = mine.where(ClaimRow.trial_id == its)
    session.execute(mine)


def read_claims(session: Session) -> Mapping[str, Claim]:
    """Return the claims that have not lapsed, by key of the trial."""
    rows = session.execute(
        select(TrialRow.key, ClaimRow)
        .join(ClaimRow, ClaimRow.trial_id == TrialRow.id)
        .where(ClaimRow.until >= func.clock_timestamp())
        .order_by(TrialRow.id)
    )
    return {key: Claim(claim.driver, claim.since, claim.until) for key, claim in rows}
