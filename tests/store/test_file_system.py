"""SQLite is not written on file systems of other machines."""

import sqlite3
from collections import namedtuple
from pathlib import Path

import pytest
from stores import filled, make_round, record

from nextlabel.core.errors import StoreError
from nextlabel.store import database
from nextlabel.store.store import Store
from refusals import refused

Mount = namedtuple("Mount", ["mountpoint", "fstype"])


@pytest.fixture
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder below which `share` is a mount, whose type is the content of a file."""
    (tmp_path / "share").mkdir()

    def mounts(all: bool) -> list[Mount]:
        assert all
        kind = (tmp_path / "type").read_text()
        return [Mount("/", "ext4"), Mount(str(tmp_path / "share"), kind)]

    monkeypatch.setattr("psutil.disk_partitions", mounts)
    (tmp_path / "type").write_text("ext4")
    return tmp_path


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse", "fuse.sshfs"])
def test_a_store_on_a_network_file_system_is_refused(mounted: Path, kind: str) -> None:
    path = mounted / "share" / "runs" / "store.db"
    with filled(path) as store:
        store.append(record().key, make_round())
    (mounted / "type").write_text(kind)
    link = mounted / "link.db"
    link.symlink_to(path)
    for location in (path, path.with_name("new") / "other.db", link, f"sqlite:///{path}"):
        with refused(StoreError, "store-on-network", match=rf"\({kind}\).* postgresql://"):
            Store.open(location)
    assert not path.with_name("new").exists()
    with Store.read(path) as store:  # reading writes nothing
        assert len(store.history(record().key)) == 1


@pytest.mark.parametrize("kind", ["ext4", "overlay", "tmpfs", "fuseblk", "fuse.fuse-overlayfs"])
def test_a_store_on_a_disk_of_this_machine_is_taken(mounted: Path, kind: str) -> None:
    (mounted / "type").write_text(kind)
    filled(mounted / "share" / "store.db").close()


def test_a_mount_elsewhere_does_not_count(mounted: Path) -> None:
    (mounted / "type").write_text("nfs4")
    filled(mounted / "share.db").close()


def test_a_file_that_cannot_be_written_ahead_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a file system without shared memory, where SQLite keeps the mode that it has."""
    monkeypatch.setattr(database, "WRITE_AHEAD", "PRAGMA journal_mode = DELETE")
    with refused(StoreError, "no-write-ahead", match=r"keeps the journal mode 'delete'"):
        filled(tmp_path / "store.db")
    assert sqlite3.connect(tmp_path / "store.db").execute("PRAGMA journal_mode").fetchone()
