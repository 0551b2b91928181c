"""A server database with several processes that write to it."""

import subprocess
import sys
import time
from contextlib import ExitStack

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from stores import ENVIRONMENT, filled, make_round, record

from nextlabel.cli import main, status
from nextlabel.core.errors import StoreError
from nextlabel.store import transactions
from nextlabel.store.database import address
from nextlabel.store.store import Store
from refusals import refused

OPEN = """
import sys
from nextlabel.store.migrations import revisions
from nextlabel.store.store import Store

migrate = revisions._migrate
def reported(*arguments):
    try:
        migrate(*arguments)
    except Exception as error:
        print(type(error).__name__, error)
        raise
revisions._migrate = reported
Store.open(sys.argv[1]).close()
"""

WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


def test_processes_that_make_the_same_new_store_at_once_wait_for_each_other(
    postgresql_url: str,
) -> None:
    import psycopg

    with ExitStack() as stack:
        holder = stack.enter_context(psycopg.connect(postgresql_url))
        watcher = stack.enter_context(psycopg.connect(postgresql_url, autocommit=True))
        # The two begin while a third makes the first table, and go on once it has given up.
        holder.execute("CREATE TABLE alembic_version (version_num varchar(32) NOT NULL)")
        opening = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", OPEN, postgresql_url],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
            for _ in range(2)
        ]
        for _ in range(600):
            if watcher.execute(WAITING).fetchone() == (2,) or opening[0].poll() is not None:
                break
            time.sleep(0.05)
        holder.rollback()
        ended = [process.communicate(timeout=60)[0] for process in opening]
    assert ended == ["", ""] and [process.returncode for process in opening] == [0, 0]
    with Store.open(postgresql_url, create=False) as store:
        assert store.experiments() == []


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_the_installed_driver_is_taken(scheme: str) -> None:
    url = address(f"{scheme}://me:secret@host/name")
    assert url.drivername == "postgresql+psycopg" and url.password == "secret"


def test_a_server_that_is_not_there_is_said(postgresql_url: str) -> None:
    head, _, name = postgresql_url.rpartition("/")
    away = f"{head.rpartition(':')[0]}:1/{name}".replace("postgres@", "postgres:secret@")
    with refused(StoreError, "store-unusable") as failure:
        Store.open(away)
    assert "secret" not in str(failure.value)
    with refused(StoreError, "store-unusable", match="does not exist"):
        Store.open(f"{head}/absent")


def test_status_says_who_works_on_what(
    postgresql_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with filled(postgresql_url, record(seed=0), record(seed=1)) as store:
        for seed in (0, 1):
            store.begin(record(seed=seed).key, ENVIRONMENT)
        store.claims.take([record(seed=0).key], "host/7/abc", 60.0)
    assert main(["status", "--store", postgresql_url]) == 0
    header, _, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == "experiment arm seed status rounds labels driver error".split()
    assert first.split() == ["digits", "core-set", "0", "running", "0", "0", "host/7/abc"]
    assert second.split() == ["digits", "core-set", "1", "interrupted", "0", "0"]
    monkeypatch.setattr(status, "LONGEST", 1)  # now the two are counted
    assert main(["status", "--store", postgresql_url]) == 0
    header, _, counted, named, _, of_driver = capsys.readouterr().out.splitlines()
    assert header.split() == "experiment arm trials running interrupted labels".split()
    assert counted.split() == ["digits", "core-set", "2", "1", "1", "0"]
    assert (named.split()[-2:], of_driver.split()) == (["driver", "error"], first.split())


def test_a_role_without_rights_is_told_which_it_lacks(postgresql_url: str) -> None:
    import psycopg

    filled(postgresql_url).close()
    role = postgresql_url.rpartition("/")[2] + "_reader"
    with psycopg.connect(postgresql_url, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {role} LOGIN")
        try:
            url = f"postgresql://{role}@{postgresql_url.rpartition('@')[2]}"
            with refused(StoreError, "store-not-permitted", match="grant it to the role"):
                Store.read(url)
            admin.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
            with Store.read(url) as reader:
                assert reader.experiments() == ["digits"]
                with refused(StoreError, "store-not-permitted", match="permission denied"):
                    reader.finish(record().key)
            admin.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")
        finally:
            admin.execute(f"DROP OWNED BY {role}")
            admin.execute(f"DROP ROLE {role}")


def test_an_older_schema_on_a_server_is_upgraded_with_its_rows(postgresql_url: str) -> None:
    from alembic import command

    from nextlabel.store.migrations import revisions

    with filled(postgresql_url) as store:
        store.append(record().key, make_round())
        with store._engine.begin() as connection:
            config = revisions.migrations()
            config.attributes["connection"] = connection
            command.downgrade(config, "0003")
    with Store.read(postgresql_url) as store:
        assert len(store.history(record().key)) == 1
        assert store.claims.read() == {}


@pytest.mark.parametrize("code", ["40P01", "40001", "23505"])
def test_a_transaction_that_met_another_begins_again(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """Raised by the server itself; an error that would come again is not tried again."""
    monkeypatch.setattr(transactions, "FIRST_PAUSE", 0.001)
    calls = []

    def meet(session: Session) -> str:
        calls.append(session)
        if len(calls) < 3:
            raising = f"DO $$ BEGIN RAISE EXCEPTION 'met' USING ERRCODE = '{code}'; END $$"
            session.execute(text(raising))
        return "done"

    with filled(postgresql_url) as store:
        if code == "23505":
            with refused(StoreError, "row-exists"):
                store._write(meet)
        else:
            assert store._write(meet) == "done"
    assert len(calls) == (1 if code == "23505" else 3)
    if code == "40001":
        monkeypatch.setattr(transactions, "TRIES", 2)
        calls.clear()
        with (
            Store.open(postgresql_url) as store,
            refused(StoreError, "store-unusable", match="met"),
        ):
            store._write(meet)


def test_a_database_of_another_program_is_refused(postgresql_url: str) -> None:
    import psycopg

    with refused(StoreError, "store-missing", match="is an empty database; run an experiment"):
        Store.open(postgresql_url, create=False)
    with psycopg.connect(postgresql_url) as connection:
        connection.execute("CREATE TABLE cats (name text)")
    with refused(StoreError, "not-a-store"):
        Store.open(postgresql_url)
