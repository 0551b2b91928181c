import hashlib
import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateTable
from stores import ENVIRONMENT, filled, make_round, record

from nextlabel.core.errors import StoreError
from nextlabel.store import database, schema
from nextlabel.store.migrations import revisions
from nextlabel.store.store import Store, TrialRecord, initial_hash
from refusals import refused


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def test_a_round_comes_back_as_it_went_in(location: Path | str) -> None:
    key = record().key
    with filled(location) as store:
        store.begin(key, ENVIRONMENT)
        store.append(key, make_round(), {"picked": b"png"})
        store.append(key, make_round(1, (9, 0)))
    with Store.open(location, create=False) as store:
        first, second = store.history(key)
        for found, put in ((first, make_round()), (second, make_round(1, (9, 0)))):
            assert found.identity == put.identity
            assert found.chosen.dtype == np.int64
            assert (found.seconds, found.peak_memory) == (put.seconds, put.peak_memory)
            assert found.training.seconds == put.training.seconds
            assert found.training.shared is True and found.training.reached is False
        assert store.pictures(key) == [(0, None, "picked", b"png")]
        assert store.environments(key) == [ENVIRONMENT]
        (state,) = store.trials("digits")
        assert (state.labelled_count, state.rounds, state.status) == (4, 2, "running")
        assert state.environment == ENVIRONMENT
        assert state.initial_hash == initial_hash(np.array([3, 5]))
        assert state.record == record()


def test_floats_and_ids_are_kept_bit_for_bit(location: Path | str) -> None:
    with filled(location) as store:
        seeds = itertools.count()

        @settings(deadline=None, max_examples=25)
        @given(
            value=st.floats(allow_nan=False, allow_infinity=False),
            chosen=st.lists(st.integers(0, 2**40), unique=True, min_size=1),
        )
        def check(value: float, chosen: list[int]) -> None:
            trial, put = record(seed=next(seeds)), make_round(0, tuple(chosen), odd=value)
            store.enrol("digits", {}, [trial])
            store.append(trial.key, put)
            assert store.history(trial.key)[0].identity == put.identity

        check()


@pytest.mark.parametrize("number", [0, 2])
def test_rounds_are_consecutive_and_never_twice(location: Path | str, number: int) -> None:
    key = record().key
    with filled(location) as store:
        store.append(key, make_round())
        with refused(
            StoreError, "round-out-of-order", match="1 rounds are there; add round 1 next"
        ):
            store.append(key, make_round(number))
        assert len(store.history(key)) == 1


def test_a_round_is_there_in_full_or_not_at_all(location: Path | str) -> None:
    key = record().key
    with filled(location) as store:
        with pytest.raises(TypeError, match="buffer"):
            store.append(key, make_round(), {"picked": None})  # type: ignore[dict-item]
        assert store.history(key) == [] and store.pictures(key) == []
        assert store.trials("digits")[0].initial_hash is None
        with refused(
            StoreError, "metric-not-finite", match=r"validation/accuracy of round 0 .* is nan"
        ):
            store.append(key, make_round(**{"validation/accuracy": float("nan")}))


def test_enrolling_again_sets_the_members_and_keeps_the_rounds(location: Path | str) -> None:
    a, b, c = record("a"), record("b"), record("c")
    with filled(location, a, b) as store:
        store.append(a.key, make_round())
        store.finish(a.key)
        store.enrol("digits", {"target": 500}, [c, replace(a, spec={**a.spec, "target": 500})])
        assert [t.record.arm for t in store.trials("digits")] == ["c", "a"]
        assert [t.rounds for t in store.trials("digits")] == [0, 1]
        assert store.trials("digits")[1].status == "done"
        assert store.trials("digits")[1].record.spec["target"] == 500
        assert store.experiment("digits") == {"target": 500}
        store.enrol("other", {}, [a])
        assert store.experiments() == ["digits", "other"]
        assert store.trials("other")[0].rounds == 1
        with refused(StoreError, "trial-twice"):
            store.enrol("digits", {}, [a, a])
        assert len(store.trials("digits")) == 2


def test_unknown_names_are_said(location: Path | str) -> None:
    with filled(location) as store:
        with refused(StoreError, "experiment-missing"):
            store.experiment("digit")
        with refused(StoreError, "trial-missing"):
            store.begin("0" * 64, {})


def test_status_follows_the_trial(location: Path | str) -> None:
    key = record().key
    with filled(location) as store:
        assert store.trials("digits")[0].status == "pending"
        store.fail(key, "out of memory", "Traceback …")
        (state,) = store.trials("digits")
        assert (state.status, state.error, state.traceback) == (
            "failed",
            "out of memory",
            "Traceback …",
        )
        store.begin(key, {})
        (state,) = store.trials("digits")
        assert (state.status, state.error, state.traceback) == ("running", None, "")
        store.finish(key)
        assert store.trials("digits")[0].status == "done"


def test_initial_hash_ignores_order_only() -> None:
    assert initial_hash(np.array([3, 1, 2])) == initial_hash(np.array([1, 2, 3]))
    assert initial_hash(np.array([1, 2])) != initial_hash(np.array([1, 3]))
    words = bytes([1] + [0] * 7 + [2] + [0] * 7)
    assert initial_hash(np.array([2, 1])) == hashlib.sha256(words).hexdigest()


def test_paired_trials_must_start_alike(location: Path | str) -> None:
    a, b = record("a"), record("b")
    apart = [record("c", 1), record("d", start="kcentre"), record("e", data_checksum="other")]
    with filled(location, a, b, *apart) as store:
        store.begin(a.key, {}, initial_hash(np.array([1, 2])))
        for free in apart:
            store.begin(free.key, {}, initial_hash(np.array([7])))
        with refused(
            StoreError, "not-a-pair", match=r"'b', seed 0 .* differ from those of 'a', seed 0"
        ):
            store.begin(b.key, {}, initial_hash(np.array([1, 3])))
        assert store.trials("digits")[1].status == "pending"
        with refused(StoreError, "not-a-pair"):
            store.append(b.key, make_round(0, (1, 3)))
        store.append(b.key, make_round(0, (2, 1)))
        with refused(StoreError, "initial-labels-changed"):
            store.begin(a.key, {}, initial_hash(np.array([9])))
        store.enrol("alone", {}, [record("f")])
        store.begin(record("f").key, {}, initial_hash(np.array([42])))


def test_a_chosen_start_is_paired_within_its_space(location: Path | str) -> None:
    def cold(name: str, **features: float) -> TrialRecord:
        spec = {
            "start": "typiclust",
            "data_checksum": "d",
            "arm": {"features": {"task": 1.0, **features}, "scale": "rms"},
            "blocks": {block: {"latent": 2} for block in features},
        }
        return TrialRecord(hashlib.sha256(name.encode()).hexdigest(), name, 0, spec)

    vae, pca, alpha = cold("vae", vae=1.0), cold("pca", pca=1.0), cold("half", vae=0.5)
    again = cold("again", vae=1.0)
    with filled(location, vae, pca, alpha, again) as store:
        for place, trial in enumerate((vae, pca, alpha)):
            store.begin(trial.key, {}, initial_hash(np.array([place])))
        with refused(StoreError, "not-a-pair"):
            store.begin(again.key, {}, initial_hash(np.array([7])))


def test_equal_pictures_are_stored_once(location: Path | str) -> None:
    a, b = record("a"), record("b")
    with filled(location, a, b) as store:
        for trial in (a, b):
            store.append(trial.key, make_round(), {"picked": b"same", "other": trial.arm.encode()})
            store.log_block(trial.key, "vae", [{"elbo": -1.5}], {"traversal": b"same"})
            store.log_block(trial.key, "vae", [{"elbo": -1.0}], {"traversal": b"same"})
        assert store.block_logs(a.key) == {"vae": [{"elbo": -1.0}]}
        assert store.pictures(a.key) == [
            (None, "vae", "traversal", b"same"),
            (0, None, "other", b"a"),
            (0, None, "picked", b"same"),
        ]
        with store._engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM pictures").scalar() == 3


def test_each_round_remembers_its_environment(location: Path | str) -> None:
    key = record().key
    with filled(location) as store:
        for number, cpu in enumerate("aab"):
            store.begin(key, {"cpu": cpu})
            store.append(key, make_round(number))
        assert store.environments(key) == [{"cpu": "a"}, {"cpu": "b"}]


def test_what_json_cannot_say_is_refused(location: Path | str) -> None:
    with Store.open(location) as store:
        for bad in (float("nan"), Path("x"), np.float32(1)):
            with refused(StoreError, "value-not-json"):
                store.enrol("e", {"x": bad}, [])
        assert store.experiments() == []


# -- opening -------------------------------------------------------------------------------------


def test_the_file_is_in_wal_mode_and_foreign_keys_hold(path: Path) -> None:
    with filled(path) as store:
        assert Path(store.location) == path
        with store._engine.connect() as connection:
            pragma = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
    assert pragma == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


def test_models_and_migrations_agree(location: Path | str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(revisions.MIGRATIONS)).get_heads() == [schema.REVISION]
    Store.open(location).close()
    with create_engine(database.address(location)).connect() as connection:
        sqlite = connection.dialect.name == "sqlite"

        def is_there(_row: object, name: str | None, *_rest: object) -> bool:
            return not (sqlite and name == "claims")  # for several drivers alone

        options = {"compare_type": True, "include_object": is_there}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, schema.Base.metadata) == []
        (stored,) = connection.exec_driver_sql("SELECT version_num FROM alembic_version").one()
        assert stored == (schema.SQLITE_REVISION if sqlite else schema.REVISION)


def test_a_migration_can_be_undone(location: Path | str) -> None:
    from alembic import command
    from alembic.config import Config

    Store.open(location).close()
    config = Config()
    config.set_main_option("script_location", str(revisions.MIGRATIONS))
    engine = create_engine(database.address(location))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    engine.dispose()
    with filled(location) as store:  # an older store: opening it upgrades it
        assert store.experiments() == ["digits"]


def test_the_schema_speaks_postgresql() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    ddl = "".join(
        str(CreateTable(t).compile(dialect=dialect)) for t in schema.Base.metadata.sorted_tables
    )
    assert "DOUBLE PRECISION" in ddl and "BYTEA" in ddl and ddl.count("SERIAL") == 2


def test_a_newer_store_is_refused(path: Path) -> None:
    filled(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with refused(
        StoreError, "newer-schema", match=r"newer nextlabel \(schema 9999.*upgrade nextlabel"
    ):
        Store.open(path)


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    with refused(StoreError, "store-missing"):
        Store.open(tmp_path / "none.db", create=False)
    assert not (tmp_path / "none.db").exists()
    with refused(StoreError, "store-is-a-folder"):
        Store.open(tmp_path)
    (tmp_path / "text.db").write_text("hello " * 1000)
    with refused(StoreError, "not-a-database"):
        Store.open(tmp_path / "text.db")
    assert (tmp_path / "text.db").read_text().startswith("hello")
    with sqlite3.connect(tmp_path / "foreign.db") as raw:
        raw.execute("CREATE TABLE songs (id)")
    raw.close()
    with refused(StoreError, "not-a-store"):
        Store.open(tmp_path / "foreign.db")
    assert (tmp_path / "foreign.db").read_bytes()[18] == 1  # not even its journal mode is touched
    (tmp_path / "file").touch()
    with refused(StoreError, "folder-unusable", match=r"cannot be used \(File exists\).* writable"):
        Store.open(tmp_path / "file" / "store.db")


@pytest.mark.parametrize(
    ("url", "code", "remedy"),
    [
        ("nosuchdb://host/x", "database-driver-missing", "install the database"),
        ("://", "not-a-url", "give a path"),
        ("http://[bad", "database-driver-missing", "install the database"),
    ],
)
def test_a_url_that_is_none_is_refused(url: str, code: str, remedy: str) -> None:
    with refused(StoreError, code, match=f"; {remedy}"):
        Store.open(url)


def test_a_url_opens_the_same_store_and_hides_its_password(path: Path) -> None:
    filled(path).close()
    with Store.open(f"sqlite:///{path}") as store:
        assert store.experiments() == ["digits"]
    assert "secret" not in database.place(database.address("postgresql://me:secret@host/db"))


def test_a_locked_store_says_so_and_readers_go_on(path: Path) -> None:
    key = record().key
    filled(path).close()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with Store.open(path, busy=0.05) as store:
        assert store.history(key) == []
        with refused(
            StoreError, "store-locked", match=r"locked by another process for 0\.05 s; wait"
        ):
            store.append(key, make_round())
        holder.execute("COMMIT")
        store.append(key, make_round())
        assert len(store.history(key)) == 1
    holder.close()


def test_two_writers_wait_for_each_other(path: Path) -> None:
    trials = [record("a"), record("b")]
    filled(path, *trials).close()

    def write(trial: TrialRecord) -> None:
        with Store.open(path) as store:
            for number in range(30):
                store.append(trial.key, make_round(number))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, trials))
    with Store.open(path) as store:
        assert [t.rounds for t in store.trials("digits")] == [30, 30]


def test_a_full_disk_loses_nothing(path: Path) -> None:
    key = record().key
    with filled(path) as store:
        store.append(key, make_round())
        with store._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
        with refused(StoreError, "disk-full", match=r"disk is full: .*free some space"):
            store.append(key, make_round(1), {"picked": bytes(1_000_000)})
    with Store.open(path) as store:
        assert len(store.history(key)) == 1
        store.append(key, make_round(1))


def test_a_read_only_store_can_be_read_and_says_so(path: Path) -> None:
    with filled(path) as store:
        with store._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only = ON")
        assert store.experiments() == ["digits"]
        with refused(StoreError, "store-not-writable"):
            store.finish(record().key)


WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
from stores import Store, make_round, record
with Store.open(sys.argv[1]) as store:
    print("ready", flush=True)
    for number in range(10**6):
        store.append(record().key, make_round(number), {"picked": str(number).encode()})
"""


def test_a_killed_writer_leaves_whole_rounds(path: Path) -> None:
    key = record().key
    filled(path).close()
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(Path(__file__).parent)],
        stdout=subprocess.PIPE,
    )
    assert writer.stdout is not None and writer.stdout.readline() == b"ready\n"
    with Store.open(path) as reader:  # reads while the other writes
        deadline = time.monotonic() + 60
        while len(reader.history(key)) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    with Store.open(path) as store:
        rounds = store.history(key)
        assert len(rounds) >= 5
        assert [r.identity for r in rounds] == [make_round(n).identity for n in range(len(rounds))]
        assert [p.png for p in store.pictures(key)] == [str(n).encode() for n in range(len(rounds))]
        store.append(key, make_round(len(rounds)))


def test_a_current_store_opens_without_alembic(path: Path) -> None:
    filled(path).close()
    code = (
        "import sys; from nextlabel.store.store import Store; Store.open(sys.argv[1]).close(); "
        "import json; print(json.dumps([m for m in ('alembic', 'torch') if m in sys.modules]))"
    )
    out = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=True)
    assert json.loads(out.stdout) == []


def test_hypotheses_stand_before_the_first_round(location: Path | str) -> None:
    claim = {"name": "far", "arms": ["a"], "against": ["b"], "alternative": "greater"}
    known = record()
    with filled(location) as store:
        store.enrol("digits", {"hypotheses": [claim]}, [known])
        store.begin(known.key, ENVIRONMENT)
        store.append(known.key, make_round())
        store.enrol("digits", {"hypotheses": [claim]}, [known])
        with refused(
            StoreError,
            "hypotheses-changed",
            match="the 0 hypotheses of 'digits' are not the 1 that",
        ):
            store.enrol("digits", {"hypotheses": []}, [known])
        assert store.experiment("digits")["hypotheses"] == [claim]


def test_a_store_that_another_process_makes_meanwhile_is_taken(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a server, where the second of two that make the same tables gets an error."""
    engine = database._engine(database.address(path), 1.0)
    make = revisions._migrate

    def late(*arguments: Any) -> None:
        make(*arguments)
        raise OperationalError("CREATE TABLE", {}, Exception("relation exists already"))

    monkeypatch.setattr(revisions, "_migrate", late)
    revisions.bring_up_to_date(engine, "a store", create=True)

    def never(*_: object) -> None:
        raise OperationalError("CREATE TABLE", {}, Exception("no permission"))

    monkeypatch.setattr(revisions, "_migrate", never)
    other = database._engine(database.address(path.with_name("other.db")), 1.0)
    with pytest.raises(OperationalError, match="no permission"):
        revisions.bring_up_to_date(other, "a store", create=True)
