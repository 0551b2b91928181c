"""People of a project: passwords, roles and sessions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text

from nextlabel.core.errors import UsageError
from nextlabel.project.people import people as module
from nextlabel.project.people.people import People
from nextlabel.project.store.database import Database
from nextlabel.project.store.schema import PEOPLE, SESSIONS
from refusals import refused

PASSWORD = "correct horse"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "project.db", create=True)
    yield made
    made.close()


@pytest.fixture
def people(database: Database, monkeypatch: pytest.MonkeyPatch) -> People:
    from argon2 import PasswordHasher

    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(module, "_hasher", lambda: quick)
    made = People(database)
    made.add("ann", PASSWORD, "owner")
    return made


def test_a_password_is_checked_and_never_stored(people: People, database: Database) -> None:
    assert people.check("ann", PASSWORD) == people.all()[0]
    assert people.check("ann", PASSWORD + "x") is None
    assert people.check("ben", PASSWORD) is None
    with database.reading() as connection:
        stored = connection.execute(select(PEOPLE.c.password)).scalar_one()
    assert stored.startswith("$argon2id$") and PASSWORD not in stored


def test_a_session_ends_with_a_new_password_by_itself_and_by_time(
    people: People, database: Database
) -> None:
    secret = people.begin_session("ann")
    assert people.of_session(secret) == people.all()[0]
    assert people.of_session(secret + "x") is None
    with database.reading() as connection:
        assert secret not in connection.execute(select(SESSIONS.c.digest)).scalars().all()
    people.change("ann", password=PASSWORD + "!")
    assert people.of_session(secret) is None
    again = people.begin_session("ann")
    people.end_session(again)
    assert people.of_session(again) is None
    old = people.begin_session("ann")
    with database.writing() as connection:
        connection.execute(text("UPDATE sessions SET created_at = 0"))
    assert people.of_session(old) is None


def test_somebody_who_is_shut_out_cannot_log_in(people: People) -> None:
    people.add("ben", PASSWORD)
    secret = people.begin_session("ben")
    people.change("ben", active=False)
    assert people.check("ben", PASSWORD) is None
    assert people.of_session(secret) is None


def test_what_is_refused(people: People) -> None:
    with refused(UsageError, "person-exists"):
        people.add("ann", PASSWORD)
    for name in ("", "a b", "<script>", "x" * 65, ".."):
        with refused(UsageError, "bad-person-name"):
            people.add(name, PASSWORD)
    with refused(UsageError, "bad-password", match="has 7 characters; give 8 to 1024"):
        people.add("ben", "short 7")
    with refused(UsageError, "bad-role"):
        people.add("ben", PASSWORD, "admin")  # type: ignore[arg-type]
    with refused(UsageError, "no-such-person"):
        people.change("eve", active=False)
    for change in ({"active": False}, {"role": "labeller"}):
        with refused(UsageError, "last-owner"):
            people.change("ann", **change)
    assert people.check("ann", PASSWORD) == people.all()[0]


def test_a_labeller_is_changed_where_no_owner_has_a_password(
    people: People, database: Database
) -> None:
    with database.writing() as connection:
        connection.execute(delete(PEOPLE))
    people.add("ben", PASSWORD)
    assert not people.change("ben", active=False).active
