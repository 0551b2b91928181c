"""Projects on SQLite and on PostgreSQL: what one process writes, all others have."""

import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from nextlabel.core.errors import StoreError, UsageError
from nextlabel.project.labelling.answer import NewAnswer
from nextlabel.project.labelling.classes import NewClassChange
from nextlabel.project.labelling.leases import SECONDS, Leases
from nextlabel.project.labelling.models import NewModel, QueueItem
from nextlabel.project.labelling.project import Project
from nextlabel.project.labelling.state import fold
from projects import photos_in
from refusals import refused

WRITER = """
import sys
from nextlabel.project.labelling.answer import NewAnswer
from nextlabel.project.labelling.project import Project
project = Project.open(sys.argv[1])
for number in range(int(sys.argv[3])):
    batch = [NewAnswer(f"{sys.argv[2]}-{number}-{k}", k, "label", (number % 2,)) for k in range(3)]
    print(project.record(batch, sys.argv[2])[-1].seq, flush=True)
print("end", flush=True)
"""


def writer(project: Project, person: str, batches: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", WRITER, str(project.directory), person, str(batches)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_reopened_it_is_the_same(project: Project) -> None:
    project.record([NewAnswer("a", 1, "label", (0,), shown_at=1.5, answered_at=2.25, model=None)])
    project.record([NewAnswer("b", 1, "note", note="naïve\0 \ud800 ☃")], "ben")
    project.change_classes([NewClassChange("c", "rename", 0, "Zelle")], "ben")
    project.publish(NewModel(2, "PCA", "x", {"n": 1}), [QueueItem(0, 3, "audit", audit=True)])
    project.set_activity("trainer", "running", 1, 2, "fits")
    with Project.open(project.directory) as other:
        assert other.answers() == project.answers()
        assert other.state() == project.state() == fold(project.answers(), project.class_changes())
        assert other.queue() == project.queue() and other.model() is not None
        assert other.activity() == project.activity()
        assert other.images().names == project.images().names
    assert project.answers()[1].note == "naïve ? ☃"
    assert [c.name for c in project.state().classes] == ["Zelle", "debris"]


def test_two_processes_and_threads_lose_and_double_nothing(project: Project) -> None:
    processes = [writer(project, f"p{n}", 15) for n in range(2)]
    seen: list[int] = []

    def follow() -> None:
        while len(seen) < 120:
            seen.extend(a.seq for a in project.answers(after=seen[-1] if seen else 0))
            project.state()

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    for number in range(10):
        answers = [NewAnswer(f"t{number}-{k}", k, "skip") for k in range(3)]
        project.record(answers, "me")
    said = [process.communicate(timeout=120)[0].split() for process in processes]
    follower.join(timeout=60)
    assert [words[-1] for words in said] == ["end", "end"]
    answers = project.answers()
    assert len(answers) == len({a.key for a in answers}) == 120
    assert seen == [a.seq for a in answers]  # no answer appeared behind a reader's back
    assert project.state() == fold(answers, project.class_changes())


def test_what_was_acknowledged_is_there_after_a_kill(project: Project) -> None:
    for turn in range(3):
        process = writer(project, f"p{turn}", 10_000)
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(8)]
        process.kill()
        acknowledged += [int(word) for word in process.communicate()[0].split()]
        seqs = {answer.seq for answer in project.answers()}
        assert set(acknowledged) <= seqs
    by_batch: dict[str, int] = {}
    for answer in project.answers():
        batch = answer.key.rpartition("-")[0]
        by_batch[batch] = by_batch.get(batch, 0) + 1
    assert set(by_batch.values()) == {3}  # a batch is there as a whole or not at all


def test_leases_run_out_and_are_for_one(project: Project) -> None:
    leases = Leases(project.database)
    assert leases.take([0, 1], "ann", "a", seconds=0.0) == [0, 1]
    assert leases.take([0, 1, 1, 2], "ben", "b") == [0, 1, 2]
    assert leases.take([2, 3], "ann", "a") == [3]
    assert leases.take([2], "ben", "b", seconds=500) == [2]
    leases.give_back([2, 3], "ann", "a")
    others = leases.of_others("ann", "a")
    assert [image for image in range(6) if image in others] == [0, 1, 2]
    assert 0 not in leases.of_others("ben", "b") and 0 in leases.of_others("ben", "c")


def test_a_tab_that_is_closed_has_no_lease_and_gets_none(project: Project, monkeypatch) -> None:
    leases = Leases(project.database)
    leases.take([0, 1], "ann", "a")
    leases.take([2], "ann", "b")
    assert leases.close("ann", "a") == 2
    assert leases.take([3], "ann", "a") == []  # asked before the tab was closed, and late
    assert leases.take([0, 1, 2, 3], "ben", "a") == [0, 1, 3]
    later = time.time() + SECONDS + 1
    monkeypatch.setattr("nextlabel.project.labelling.leases.time.time", lambda: later)
    leases.close("ann", "b")
    assert len(leases._closed) == 1  # the other is forgotten
    assert leases.take([3], "ann", "a") == [3]


def test_the_next_server_has_the_leases_of_the_last_one(project: Project, monkeypatch) -> None:
    leases = Leases(project.database)
    leases.take([0, 1, 2], "ann", "a")
    leases.take([3], "ann", "a", seconds=0.0)
    with monkeypatch.context() as patch:
        patch.setattr("nextlabel.project.labelling.leases.delete", full_disk)
        with refused(StoreError, "disk-full"):
            leases.save()
    leases.save()  # what could not be written is written now
    leases.give_back([1], "ann", "a")
    leases.take([2], "ann", "a", seconds=500)
    leases.save()
    later = Leases(project.database)
    assert later.take(range(5), "ben", "b") == [1, 3, 4]


def full_disk(*_: object) -> None:
    raise OperationalError("", {}, sqlite3.OperationalError("database or disk is full"))


def test_answers_that_wait_are_written_together_and_a_wrong_one_refuses_its_own_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    transactions = []
    writing = project.database.writing

    def counted(**options: bool) -> AbstractContextManager[Connection]:
        transactions.append(options)
        return writing(**options)

    monkeypatch.setattr(project.database, "writing", counted)
    saved: dict[str, int] = {}
    errors: list[UsageError] = []

    def record(*answers: NewAnswer) -> None:
        try:
            saved.update((one.key, one.seq) for one in project.record(answers))
        except UsageError as error:
            errors.append(error)

    batches = [[NewAnswer(f"{n}", n, "label", (0,)), NewAnswer(f"note {n}", n, "note", note="x")]
               for n in range(4)]  # fmt: skip
    batches += [batches[0], [NewAnswer("right", 1, "skip"), NewAnswer("wrong", 99, "skip")]]
    threads = [threading.Thread(target=record, args=batch) for batch in batches]
    with project._recording:  # as while another transaction is written
        for thread in threads:
            thread.start()
        while len(project._waiting) < len(batches):
            time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert len(transactions) == 1
    assert [error.code for error in errors] == ["unknown-image"]
    assert saved == {answer.key: answer.seq for answer in project.answers()}
    assert len(saved) == 8  # what was sent twice is there once
    assert project.state() == fold(project.answers(), project.class_changes())


def test_queues_of_former_models_tell_which_image_was_drawn(project: Project) -> None:
    for version in range(1, 6):
        queue = [QueueItem(0, version, "audit", audit=True), QueueItem(1, 0, "x", 0.5)]
        assert project.publish(NewModel(0, "PCA", "x"), queue) == version
    project.record(
        [NewAnswer("a", 4, "label", (0,), model=4), NewAnswer("b", 5, "label", (0,), model=4),
         NewAnswer("c", 1, "label", (0,), model=1)]
    )  # fmt: skip
    assert [answer.audit for answer in project.answers()] == [True, False, True]
    assert [item.image for item in project.queue()] == [5, 0]
    assert [model.version for model in project.models()] == [1, 2, 3, 4, 5]
    assert project.models()[0].arrays == {}


def test_classes_change_while_people_label(project: Project) -> None:
    project.record([NewAnswer("a", 0, "label", (0,)), NewAnswer("b", 1, "label", (1,))])
    project.change_classes(
        [NewClassChange("x", "add", value="dust"), NewClassChange("m", "merge", 1, "2")]
    )
    project.change_classes([NewClassChange("x", "add", value="dust")])  # a retry
    assert dict(project.state().labels) == {0: (0,), 1: (2,)}
    known = project.known_labels()
    assert known.classes == ("cell", "dust") and known.labels.tolist() == [0, 1]
    for code, change in [
        ("class-name-taken", NewClassChange("1", "add", value="cell")),
        ("class-name-taken", NewClassChange("2", "rename", 0, "dust")),
        ("unknown-class", NewClassChange("3", "merge", 0, "1")),
        ("unknown-class", NewClassChange("4", "rename", 1, "x")),
        ("merge-into-itself", NewClassChange("5", "merge", 0, "0")),
        ("class-key-taken", NewClassChange("6", "key", 0, "3")),
        ("bad-class-key", NewClassChange("7", "key", 0, "ab")),
        ("bad-colour", NewClassChange("8", "colour", 0, "red")),
        ("bad-class-name", NewClassChange("9", "add", value='=HYPERLINK("x")')),
        ("bad-class-name", NewClassChange("10", "add", value="a\nb")),
        ("bad-class-name", NewClassChange("11", "add", value="a;b")),
        ("unknown-class-action", NewClassChange("12", "x", 0)),  # type: ignore[arg-type]
    ]:
        before = project.state()
        with refused(UsageError, code):
            project.change_classes([NewClassChange(f"ok{code}", "colour", 0, "#123456"), change])
        assert project.state() is before


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (NewAnswer("", 0, "skip"), "bad-key"),
        (NewAnswer("k" * 201, 0, "skip"), "bad-key"),
        (NewAnswer("k", 6, "skip"), "unknown-image"),
        (NewAnswer("k", -1, "skip"), "unknown-image"),
        (NewAnswer("k", 0, "label", (7,)), "unknown-class"),
        (NewAnswer("k", 0, "label", ()), "one-class-an-image"),
        (NewAnswer("k", 0, "label", (0, 1)), "one-class-an-image"),
        (NewAnswer("k", 0, "undo", undoes="none"), "nothing-to-undo"),
        (NewAnswer("k", 0, "undo", undoes="k"), "nothing-to-undo"),
        (NewAnswer("k", 0, "note", note="x" * 10_001), "note-too-long"),
        (NewAnswer("k", 0, "delete"), "unknown-answer-kind"),  # type: ignore[arg-type]
        (NewAnswer("k", 0, "skip", view="x" * 17), "bad-view"),
        (NewAnswer("k", 0, "skip", position=2**40), "bad-number"),
        (NewAnswer("k", 0, "skip", shown_at=float("nan")), "bad-number"),
    ],
    ids=str,
)
def test_a_wrong_answer_is_refused(tmp_path: Path, answer: NewAnswer, code: str) -> None:
    folder = photos_in(tmp_path / "photos", [f"{n}.png" for n in range(6)])
    with Project.create(folder, classes=["cell", "debris"]) as project:
        project.scan()
        right = NewAnswer("right", 0, "skip")
        assert {key: e.code for key, e in project.faults([right, answer]).items()} == {
            answer.key: code
        }
        with refused(UsageError, code):
            project.record([right, answer])
        assert project.answers() == []


def test_a_server_without_a_password_is_named_without_it(
    tmp_path: Path, postgresql_url: str
) -> None:
    folder = photos_in(tmp_path / "photos", ["a.png"])
    with_password = postgresql_url.replace("postgres@", "postgres:secret@")
    with Project.create(folder, store=with_password) as project:
        assert "secret" not in (project.directory / "project.toml").read_text()
        assert project.database.location.count("***") == 1
    with Project.open(folder) as project:
        assert project.scan().total == 1
    with refused(StoreError, "not-a-store"):
        other = photos_in(tmp_path / "other", ["a.png"])
        import sqlalchemy

        engine = sqlalchemy.create_engine(
            postgresql_url.replace("postgresql:", "postgresql+psycopg:")
        )
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("DROP TABLE alembic_version"))
        engine.dispose()
        Project.create(other, store=postgresql_url)


def test_a_project_is_not_opened_with_an_empty_database(
    tmp_path: Path, postgresql_url: str
) -> None:
    """A wrong URL would show a project without answers."""
    folder = photos_in(tmp_path / "photos", ["a.png"])
    Project.create(folder).close()
    with refused(StoreError, "not-a-store"):
        Project.open(folder, store=postgresql_url)
