"""The database file of a project: settings, migrations, newer versions, and a full disk."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from nextlabel.core.errors import DataError, StoreError, UsageError
from nextlabel.project.labelling.answer import NewAnswer
from nextlabel.project.labelling.project import Project
from nextlabel.project.store import database, schema
from nextlabel.project.store.schema import METADATA, PROJECT
from nextlabel.store.database import address
from nextlabel.store.migrations import revisions
from nextlabel.store.migrations.revisions import migrations
from projects import photos_in
from refusals import refused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return photos_in(tmp_path / "photos", ["a.png", "b.png"])


def test_tables_and_migrations_agree(folder: Path, store: str | None) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    heads = ScriptDirectory.from_config(migrations(PROJECT)).get_heads()
    assert heads == [schema.REVISION]
    with Project.create(folder, store=store) as project:
        location = address(store or project.directory / "project.db")
    engine = create_engine(location)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_answers_survive_a_power_cut_by_the_settings_of_the_file(folder: Path) -> None:
    with Project.create(folder) as project:
        seen = {}
        for brief in (True, False):
            with project.database.writing(brief=brief) as connection:
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout"):
                    seen[name] = connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            assert seen.pop("synchronous") == (1 if brief else 2)  # NORMAL, FULL
    assert seen == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000}


def test_a_newer_project_is_refused(folder: Path) -> None:
    Project.create(folder).close()
    with sqlite3.connect(f"{folder}.nextlabel/project.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with refused(StoreError, "newer-schema", match="give another project"):
        Project.open(folder)


def test_an_older_project_is_migrated_after_a_copy(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Project.create(folder, classes=["cell"]) as project:
        project.scan()
        project.record([NewAnswer("a", 0, "label", (0,))])
        before = project.state()
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "v0001.py").write_text((PROJECT.versions / "v0001_first.py").read_text())
    (versions / "v0002.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        "revision, down_revision, branch_labels, depends_on = '0002', '0001', None, None\n"
        "def upgrade():\n    op.add_column('leases', sa.Column('colour', sa.Text()))\n"
    )
    newer = revisions.Schema("project", METADATA, "0002", versions, "answers", copied=True)
    monkeypatch.setattr(database, "PROJECT", newer)
    with Project.open(folder) as project:
        assert project.state() == before
    copy = project.directory / "project.db.0001"
    assert copy.exists()
    with sqlite3.connect(copy) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)
        assert raw.execute("SELECT key FROM answers").fetchall() == [("a",)]
    raw.close()


@pytest.mark.parametrize("content", [b"", b"hello " * 1000, None])
def test_a_file_that_is_not_a_project_is_refused(folder: Path, content: bytes | None) -> None:
    Project.create(folder).close()
    file = Path(f"{folder}.nextlabel/project.db")
    for name in (file, file.with_name("project.db-wal"), file.with_name("project.db-shm")):
        name.unlink(missing_ok=True)
    codes = {b"": "not-a-store", None: "store-missing"}
    if content is not None:
        file.write_bytes(content)
    with refused(StoreError, codes.get(content, "not-a-database")):
        Project.open(folder)


def test_classes_are_a_list_and_not_one_text(folder: Path) -> None:
    for make in (Project.create, Project.open_or_create, Project.open_or_create):
        with refused(UsageError, "names-not-a-list"):
            make(folder, classes="cell,debris")
        Project.open_or_create(folder, classes=["cell"]).close()


def test_wrong_settings_are_named(folder: Path) -> None:
    Project.create(folder).close()
    file = Path(f"{folder}.nextlabel/project.toml")
    good = file.read_text()
    for text, code in [
        ("name = 3", "project-not-toml"),
        ('extra = "x"\n' + good, "unknown-key"),
        (good.replace("audit = 0.2", "audit = 2"), "invalid-setting"),
    ]:
        file.write_text(text if code != "project-not-toml" else "name = ")
        with refused(UsageError if code == "unknown-key" else DataError, code, match=file.name):
            Project.open(folder)
    file.write_bytes(b"\xff\xfe")
    with refused(DataError, "project-not-toml"):
        Project.open(folder)


def test_settings_are_changed_for_all_and_a_wrong_one_for_none(folder: Path) -> None:
    with Project.create(folder) as project, Project.open(folder) as other:
        project.configure(audit=0.5, strategy="random")
        assert other.settings.audit == 0.5 and other.settings.pipeline.strategy == "random"
        with refused(DataError, "invalid-setting"):
            project.configure(audit=7.0)
        with refused(UsageError, "unknown-key"):
            project.configure(audits=0.1)
        assert other.settings == project.settings and other.settings.audit == 0.5


def test_a_project_is_made_once_and_opened_by_either_folder(folder: Path) -> None:
    with Project.open_or_create(folder, classes=["cell"]) as project:
        directory = project.directory
    with refused(UsageError, "project-exists"):
        Project.create(folder)
    with Project.open_or_create(directory, classes=["cell", "debris"]) as again:
        assert again.folder == folder
        assert [one.name for one in again.state().classes] == ["cell", "debris"]
    for path in (folder, directory):  # a new project is multiclass, and another task is refused
        with refused(UsageError, "task-differs", match="is multiclass"):
            Project.open_or_create(path, classes=["dust"], task="multilabel")
    with Project.open_or_create(folder, task="multiclass") as again:
        assert [one.name for one in again.state().classes] == ["cell", "debris"]
    several = directory.with_name("several")
    Project.create(folder, directory=several, task="multilabel").close()
    with Project.open_or_create(folder, directory=several) as again:
        assert again.task == "multilabel"
    with refused(UsageError, "no-project", match="nextlabel label"):
        Project.open(folder / "none")
    with refused(UsageError, "no-such-folder"):
        Project.create(folder / "none")
    assert not list(folder.glob("*nextlabel*"))


def test_a_full_disk_is_named_and_nothing_half_written(folder: Path) -> None:
    """The limit on pages is SQLite's own; it says the same of a disk without space."""
    with Project.create(folder, classes=["cell"]) as project:
        project.scan()
        project.record([NewAnswer("before", 0, "label", (0,))])
        with project.database.writing() as connection:
            used = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {used}")
        batch = [NewAnswer(f"k{n}", 0, "note", note="x" * 9000) for n in range(40)]
        with refused(StoreError, "disk-full"):
            project.record(batch)
        assert [answer.key for answer in project.answers()] == ["before"]
        assert dict(project.state().labels) == {0: (0,)}
        with project.database.writing() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        assert len(project.record(batch)) == 40


FULL = """
import resource, signal, sys
from nextlabel.core.errors import StoreError
from nextlabel.project.labelling.answer import NewAnswer
from nextlabel.project.labelling.project import Project
project = Project.open(sys.argv[1])
project.record([NewAnswer("before", 0, "label", (0,))])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
batch = [NewAnswer(f"k{n}", 0, "note", note="x" * 9000) for n in range(40)]
try:
    project.record(batch)
    print("recorded")
except StoreError as error:
    print(error.code)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(len(project.answers()), project.record([NewAnswer("after", 0, "skip")])[0].key)
"""


@pytest.mark.skipif(os.name != "posix", reason="the limit on files is a setting of Unix")
def test_a_batch_that_does_not_fit_is_refused_as_a_whole(folder: Path) -> None:
    with Project.create(folder, classes=["cell"]) as project:
        project.scan()
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(folder)], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.split() == ["store-unreadable", "1", "after"], done.stderr
