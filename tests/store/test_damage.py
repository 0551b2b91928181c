"""Damage to any part of a store is called damage."""

import random
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from stores import ENVIRONMENT, filled, make_round, record

from nextlabel.core.errors import StoreError
from nextlabel.store.store import Store
from refusals import refused

CODES = {"store-damaged", "store-unreadable", "not-a-database", "not-a-store"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a small store."""
    path = tmp_path_factory.mktemp("whole") / "store.db"
    a, b = record("a"), record("b")
    with filled(path, a, b) as store:
        for trial in (a, b):
            store.begin(trial.key, ENVIRONMENT)
            for number in range(3):
                store.append(trial.key, make_round(number), {"picked": bytes(50)})
            store.log_block(trial.key, "vae", [{"elbo": -1.5}], {"traversal": b"png"})
    return path.read_bytes()


def read(path: Path) -> int:
    """Read all that a store holds, and return the number of rounds."""
    rounds = 0
    with Store.read(path) as store:
        for name in store.experiments():
            store.experiment(name)
            store.maps(name)
            for state in store.trials(name):
                key = state.record.key
                rounds += len(store.history(key))
                for method in (store.environments, store.pictures, store.block_logs):
                    method(key)
                store.next_picks(key)
                store.data_record(key)
    return rounds


def scatter(content: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice([1, 2, 4])):
        start = rng.randrange(100, len(content) - 8)
        content[start : start + 8] = rng.randbytes(8)


def flip(content: bytearray, rng: random.Random) -> None:
    for _ in range(3):
        content[rng.randrange(100, len(content))] ^= 1 << rng.randrange(8)


def copy_page(content: bytearray, rng: random.Random) -> None:
    here, there = (4096 * rng.randrange(1, len(content) // 4096) for _ in range(2))
    content[here : here + 4096] = content[there : there + 4096]


def cut(content: bytearray, rng: random.Random) -> None:
    del content[rng.randrange(len(content)) :]


@pytest.mark.parametrize("hit", [scatter, flip, copy_page, cut])
def test_random_damage_is_an_error_of_the_store_or_does_not_show(
    whole: bytes, tmp_path: Path, hit: Callable[[bytearray, random.Random], None]
) -> None:
    damaged = 0
    for seed in range(12):
        content = bytearray(whole)
        hit(content, random.Random(seed))
        path = tmp_path / f"{seed}.db"
        path.write_bytes(content)
        try:
            read(path)
        except StoreError as error:
            assert error.code in CODES and error.exit_code == 1, (seed, error)
            assert str(path) in str(error)
            damaged += 1
    assert damaged > 1


@pytest.mark.parametrize("name", [record("a").key, "digits"])
def test_a_row_that_an_index_has_lost_is_damage(whole: bytes, tmp_path: Path, name: str) -> None:
    """The name lies in the table and in its index; one of them is changed."""
    found = 0
    for match in re.finditer(name.encode(), whole):
        content = bytearray(whole)
        content[match.end() - 1] ^= 1
        path = tmp_path / f"{match.start()}.db"
        path.write_bytes(content)
        try:
            read(path)
        except StoreError as error:
            assert error.code == "store-damaged" and "missing from index" in str(error)
            found += 1
    assert found >= 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("DELETE FROM rounds WHERE number = 1", "lacks a round before its last one"),
        ("UPDATE rounds SET labelled_count = 4 WHERE number = 0", r"\[4, 4, 6\], do not increase"),
        ("UPDATE rounds SET labelled_count = -7 WHERE number = 0", "do not increase"),
        ("UPDATE experiments SET name = x'ff00'", "experiment is b'.*, not text"),
        ("DELETE FROM alembic_version", "revision of the schema is lost"),
        ("UPDATE alembic_version SET version_num = 1", "revision of the schema is '1'"),
        ("UPDATE alembic_version SET version_num = x'00'", "revision of the schema is b'"),
    ],
)
def test_values_that_do_not_fit_together_are_damage(
    whole: bytes, tmp_path: Path, change: str, says: str
) -> None:
    path = tmp_path / "s.db"
    path.write_bytes(whole)
    with sqlite3.connect(path) as raw:
        raw.execute(change)
    raw.close()
    with refused(StoreError, "store-damaged", match=says):
        read(path)


def test_a_lost_list_of_experiments_is_damage(whole: bytes, tmp_path: Path) -> None:
    """The page of the table becomes that of an empty table; its index still has the names."""
    path = tmp_path / "s.db"
    path.write_bytes(whole)
    with sqlite3.connect(path) as raw:
        pages = dict(raw.execute("SELECT name, rootpage FROM sqlite_master WHERE type = 'table'"))
    raw.close()
    content = bytearray(whole)
    lost, empty = (4096 * (pages[name] - 1) for name in ("experiments", "maps"))
    content[lost : lost + 4096] = content[empty : empty + 4096]
    path.write_bytes(content)
    with refused(StoreError, "store-damaged", match="index"):
        read(path)


def test_a_name_that_was_never_there_is_still_said(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.write_bytes(whole)
    assert read(path) == 6
    with Store.read(path) as store:
        with refused(StoreError, "trial-missing"):
            store.history("0" * 64)
        with refused(StoreError, "experiment-missing"):
            store.experiment("letters")
