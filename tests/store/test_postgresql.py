"""What a server database alone has: several processes that write to it."""

import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from nextlabel.core.errors import StoreError
from nextlabel.store.database import address
from nextlabel.store.store import Store
from refusals import refused

OPEN = """
import sys
from nextlabel.store import revisions
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


def test_a_database_of_another_program_is_refused(postgresql_url: str) -> None:
    import psycopg

    with refused(StoreError, "not-a-store"):
        Store.open(postgresql_url, create=False)
    with psycopg.connect(postgresql_url) as connection:
        connection.execute("CREATE TABLE cats (name text)")
    with refused(StoreError, "not-a-store"):
        Store.open(postgresql_url)
