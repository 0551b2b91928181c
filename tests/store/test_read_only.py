"""A store is read where it is, also an archive that cannot be written."""

import os
import sqlite3
import sys
from pathlib import Path

import pytest
from stores import OLD, filled, make_round, record

from nextlabel.core.errors import StoreError
from nextlabel.store import database
from nextlabel.store.store import Store
from refusals import refused


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with one round, that a run has left."""
    with filled(tmp_path / "a #1%.db") as store:
        store.append(record().key, make_round())
    return tmp_path / "a #1%.db"


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {f.name: (f.read_bytes(), f.stat().st_mtime_ns) for f in folder.iterdir()}


def test_reading_leaves_the_folder_as_it_was(path: Path) -> None:
    before = files(path.parent)
    for location in (path, f"sqlite:///{path}"):
        with Store.read(location) as store:
            assert store.experiments() == ["digits"]
            assert len(store.history(record().key)) == 1
            assert files(path.parent) == before
            with refused(StoreError, "store-not-writable", match="is not writable"):
                store.finish(record().key)
        assert files(path.parent) == before


def test_reading_sees_a_run_that_goes_on_and_one_that_begins(path: Path) -> None:
    with Store.read(path) as reader:
        assert len(reader.history(record().key)) == 1
        with Store.open(path) as writer:
            for number in (1, 2):
                writer.append(record().key, make_round(number))
                assert len(reader.history(record().key)) == number + 1
                with Store.read(path) as late:
                    assert len(late.history(record().key)) == number + 1
        assert len(reader.history(record().key)) == 3


def test_a_link_is_read_with_what_stands_beside_the_file(path: Path) -> None:
    link = path.with_name("link.db")
    link.symlink_to(path)
    with Store.open(path) as writer:
        writer.append(record().key, make_round(1))
        with Store.read(link) as store:
            assert len(store.history(record().key)) == 2


def test_a_store_that_is_not_written_ahead_is_read_as_well(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA journal_mode = DELETE")
    raw.close()
    before = files(path.parent)
    with Store.read(path) as store:
        assert len(store.history(record().key)) == 1
    assert files(path.parent) == before


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="all is allowed here")
def test_an_archive_without_write_permission_is_read(path: Path) -> None:
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        with Store.read(path) as store:
            assert len(store.history(record().key)) == 1
    finally:
        path.parent.chmod(0o755)


def test_an_older_store_is_upgraded_where_it_may_be(tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    old.write_bytes(OLD.read_bytes())
    with Store.read(old) as store:
        (name,) = store.experiments()
        assert store.maps(name) == []


def test_an_older_store_that_cannot_be_upgraded_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old.db"
    old.write_bytes(OLD.read_bytes())

    def refuse(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA query_only = ON")

    monkeypatch.setattr(database, "_configure", refuse)
    with refused(
        StoreError, "older-schema", match=r"older schema 0001 .*; copy it to where it can be wri"
    ):
        Store.read(old)
    with sqlite3.connect(old) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with refused(StoreError, "newer-schema"):
        Store.read(old)


def test_an_older_store_that_is_locked_is_not_called_unwritable(tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    old.write_bytes(OLD.read_bytes())
    holder = sqlite3.connect(old, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with refused(StoreError, "store-locked"):
        Store.read(old, busy=0.05)
    holder.close()


def test_what_is_no_store_is_not_read(tmp_path: Path) -> None:
    with refused(
        StoreError, "store-missing", match=r"no store at .*/none\.db; run an experiment first"
    ):
        Store.read(tmp_path / "none.db")
    (tmp_path / "text.db").write_text("hello " * 1000)
    with refused(StoreError, "not-a-database", match="is not a database"):
        Store.read(tmp_path / "text.db")
    sqlite3.connect(tmp_path / "empty.db").close()
    (tmp_path / "empty.db").touch()
    with refused(StoreError, "not-a-store", match="not a store of nextlabel"):
        Store.read(tmp_path / "empty.db")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty.db", "text.db"]
