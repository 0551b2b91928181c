import os
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest

from nextlabel.data.folder import index as folder_index
from nextlabel.data.folder.index import FolderIndex
from nextlabel.data.pixels.grey_levels import Spread
from nextlabel.data.pixels.small_image_store import SmallImageStore
from nextlabel.data.pixels.small_images import SmallImage
from nextlabel.files.cached_table import CachedTable

SCHEMA = "CREATE TABLE IF NOT EXISTS t (k TEXT PRIMARY KEY)"
INSERT = "INSERT OR REPLACE INTO t VALUES (?)"


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust files from the moment that they are written."""
    monkeypatch.setattr(folder_index, "SETTLED", -1.0)


def lay(root: Path, **files: bytes) -> Path:
    root.mkdir(exist_ok=True)
    for name, content in files.items():
        (root / name).write_bytes(content)
    return root


def indexed(root: Path, file: Path) -> FolderIndex:
    """An index with each file of the folder, whose content is its name."""
    index = FolderIndex(root, file)
    names = sorted(os.listdir(root))  # noqa: PTH208 - names, not paths
    index.unchanged(names)
    index.keep((name, f"content of {name!a}") for name in names)
    return index


@pytest.mark.usefixtures("settled")
def test_what_has_not_changed_is_known(tmp_path: Path) -> None:
    root = lay(tmp_path / "x", a=b"1", b=b"2", c=b"3", d=b"4", e=b"5")
    indexed(root, tmp_path / "index")
    (root / "b").write_bytes(b"longer")
    status = (root / "c").stat()
    (root / "c").write_bytes(b"9")  # of the same size, and its time set back
    os.utime(root / "c", ns=(status.st_atime_ns, status.st_mtime_ns))
    (root / "d").unlink()
    lay(root, f=b"new")
    names = ["a", "b", "c", "d", "e", "f"]
    found = FolderIndex(root, tmp_path / "index").unchanged(names)
    assert found == {"a": "content of 'a'", "e": "content of 'e'"}


def test_a_file_that_was_written_just_before_is_read_again(tmp_path: Path) -> None:
    root = lay(tmp_path / "x", a=b"1")
    indexed(root, tmp_path / "index")
    assert FolderIndex(root, tmp_path / "index").unchanged(["a"]) == {}


@pytest.mark.usefixtures("settled")
def test_many_files_that_are_gone_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = lay(tmp_path / "x", a=b"1", b=b"2", c=b"3")
    index = indexed(root, tmp_path / "index")
    index.unchanged(["b"])
    assert len(FolderIndex(root, tmp_path / "index").unchanged(["a", "b", "c"])) == 3
    monkeypatch.setattr(folder_index, "SPARE", 0)
    index.unchanged(["b"])
    assert FolderIndex(root, tmp_path / "index").unchanged(["a", "b"]) == {"b": "content of 'b'"}


@pytest.mark.usefixtures("settled")
def test_a_name_of_any_bytes(tmp_path: Path) -> None:
    name = os.fsdecode(b"bad\xff\nname")
    try:
        root = lay(tmp_path / "x", **{name: b"1"})
    except OSError:
        pytest.skip("this file system takes only valid names")
    indexed(root, tmp_path / "index")
    assert list(FolderIndex(root, tmp_path / "index").unchanged([name])) == [name]


def small(sha256: str, dtype: str = "uint8", **values: object) -> SmallImage:
    pixels = np.arange(2 * 2 * 3).reshape(2, 2, 3).astype(dtype)
    return SmallImage(sha256, pixels, Spread.of(pixels), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_small_image_comes_back_as_it_was(dtype: str, tmp_path: Path) -> None:
    image = small("aa", dtype, notes=("animated",))
    broken = SmallImage("bb", failure="it is broken")
    for file in (tmp_path / "store", None):
        store = SmallImageStore(file)
        store.keep([image, broken, SmallImage(None, failure="it cannot be opened")])
        if file is not None:
            store = SmallImageStore(file)
        found = store.image("aa")
        assert found is not None and found.pixels is not None and image.pixels is not None
        assert found.pixels.dtype == image.pixels.dtype
        assert np.array_equal(found.pixels, image.pixels) and found.notes == ("animated",)
        facts = {f.sha256: f for f in store.facts(["bb", "aa", "cc"])}
        assert facts.keys() == {"aa", "bb"} == store.known(["cc", "aa", "bb"])
        assert (facts["aa"].channels, facts["bb"].channels) == (3, 0)
        assert facts["bb"].failure == "it is broken" and "bb" in store and "cc" not in store
        if image.spread is None:
            assert facts["aa"].spread is None
        else:
            spread = facts["aa"].spread
            assert spread is not None and (spread.kind, spread.high) == (dtype, 11.0)
            assert np.array_equal(spread.quantiles, image.spread.quantiles)


def test_many_contents_are_asked_for_at_once(tmp_path: Path) -> None:
    store = SmallImageStore(tmp_path / "store")
    store.keep([small(str(k)) for k in range(1203)])
    assert len(store.known([str(k) for k in range(2000)])) == 1203


@pytest.mark.parametrize("content", [b"no database at all" * 100, None])
def test_a_damaged_file_is_made_anew(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "t"
    table = CachedTable(file, SCHEMA)
    table.write(INSERT, [(f"key {k}" * 100,) for k in range(500)])
    good = file.read_bytes()
    file.write_bytes(content or good[:4096] + bytes(len(good) - 4096))
    again = CachedTable(file, SCHEMA)
    assert again.rows("SELECT * FROM t") == []
    again.write(INSERT, [("new",)])
    assert CachedTable(file, SCHEMA).rows("SELECT * FROM t") == [("new",)]


def test_rows_that_cannot_be_written_stay_in_memory(tmp_path: Path) -> None:
    table = CachedTable(tmp_path / "t", SCHEMA)
    table.write(INSERT, [("first",)])
    table._disk.execute("PRAGMA query_only = ON")
    table.write(INSERT, [("second",)])
    assert table.rows("SELECT k FROM t ORDER BY k") == [("first",), ("second",)]
    assert CachedTable(tmp_path / "t", SCHEMA).rows("SELECT k FROM t") == [("first",)]


def test_threads_and_other_processes_write_to_one_file(tmp_path: Path) -> None:
    tables = [CachedTable(tmp_path / "t", SCHEMA) for _ in range(2)]

    def write(number: int) -> None:
        for k in range(20):
            tables[number % 2].write(INSERT, [(f"{number} {k}",)])

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sqlite3.connect(tmp_path / "t") as other:
        assert other.execute("SELECT count(*) FROM t").fetchone() == (80,)
