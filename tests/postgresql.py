"""A PostgreSQL server of the tests' own: on loopback, in a folder of its own, gone at the end."""

import importlib.util
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

VARIABLE = "NEXTLABEL_TEST_DB_URL"
"""A server that is used instead, such as postgresql://me@127.0.0.1:5432/postgres."""

OPTIONS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=60",
)
"""Settings of a server whose databases may be lost."""


def programs() -> Path | None:
    """Return the folder of initdb and pg_ctl; None when PostgreSQL is not installed."""
    found = shutil.which("pg_ctl")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((f for f in folders if (f / "initdb").exists()), None)


@contextmanager
def server() -> Iterator[str]:
    """Yield the URL of a database of a running server; skip the test where there can be none."""
    if url := os.environ.get(VARIABLE):
        yield url.replace("+psycopg://", "://")
        return
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("needs PostgreSQL's Python driver: pip install 'nextlabel[postgres]'")
    folder = programs()
    if folder is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql, or set NEXTLABEL_TEST_DB_URL")
    # The server refuses to run as root, so it runs as the user that Debian's package has made.
    root = os.geteuid() == 0
    run = ["runuser", "-u", "postgres", "--"] if root else []
    data = Path(tempfile.mkdtemp(prefix="nextlabel-postgresql-"))
    if root:
        shutil.chown(data, "postgres")
    try:
        cluster = data / "cluster"
        initdb = [*run, str(folder / "initdb"), "-D", str(cluster), "-U", "postgres"]
        _done([*initdb, "-A", "trust", "--no-sync", "--no-instructions", "-E", "UTF8"], data)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        pg_ctl = [*run, str(folder / "pg_ctl"), "-D", str(cluster), "-w"]
        options = " ".join(f"-c {option}" for option in (f"port={port}", *OPTIONS))
        _done([*pg_ctl, "-o", options, "-l", str(data / "log"), "start"], data)
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            _done([*pg_ctl, "-m", "immediate", "stop"], data)
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _done(command: list[str], folder: Path) -> None:
    """Run a command; its output goes to a file, since the server would keep a pipe open."""
    with (folder / "output").open("w") as output:
        done = subprocess.run(
            command, stdout=output, stderr=subprocess.STDOUT, cwd="/", timeout=120, check=False
        )
    if done.returncode != 0:
        said = (folder / "output").read_text()
        log = folder / "log"
        said += log.read_text() if log.exists() else ""
        raise RuntimeError(f"{command} ended with {done.returncode}: {said}")


NUMBERS = itertools.count()


@contextmanager
def database(server_url: str) -> Iterator[str]:
    """Yield the URL of a new, empty database of the server."""
    import psycopg

    name = f"nextlabel_test_{os.getpid()}_{next(NUMBERS)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield f"{server_url.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a server, started once in a test process."""
    with server() as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The URL of an empty database on a PostgreSQL server."""
    with database(postgresql_server) as url:
        yield url
