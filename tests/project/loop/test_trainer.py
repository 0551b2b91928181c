import os
import signal
import threading
import time
from unittest.mock import Mock

import numpy as np
import pytest

from nextlabel.core.errors import StoreError
from nextlabel.project.labelling.answer import NewAnswer
from nextlabel.project.labelling.classes import NewClassChange
from nextlabel.project.loop import current_space, quick_space, supervisor, trainer
from nextlabel.project.loop.current_space import Spaces
from nextlabel.project.loop.full_space import make_features
from nextlabel.project.loop.pages.predictions import predictions
from nextlabel.project.loop.pages.review import review
from nextlabel.project.loop.serving import order_of, serve_next
from nextlabel.project.loop.supervisor import Trainer
from nextlabel.project.loop.trainer import Loop

PATIENCE = 60.0
"""Seconds after which a process is taken to hang; a busy machine needs many."""


def wait_for(condition, patience=PATIENCE):
    """Wait until a condition holds, and return what it gives."""
    until = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.02)
    return value


def answer(project, truth, count, seen):
    """Answer the images that are served next, as the page does."""
    for _ in range(count):
        (item,) = serve_next(project.state(), project.queue(), project.images(), (), 1)
        key = f"answer {len(seen)}"
        label = (truth[item.image],)
        new = NewAnswer(key, item.image, "label", label, model=item.model, position=item.position)
        project.record([new])
        seen.append(item.image)


@pytest.fixture
def loop(digits, monkeypatch):
    """The loop of a project, in this process, that waits for nothing."""
    for name in ("QUIET", "IDLE"):
        monkeypatch.setattr(trainer, name, 0.0)
    stop = threading.Event()
    made = Loop(digits[0], stop)
    yield made
    stop.set()


def test_answers_become_a_model_and_a_new_queue(digits, loop):
    project, truth = digits
    assert serve_next(project.state(), project.queue(), project.images(), (), 6)
    wait_for(loop.step)
    wait_for(lambda: loop.spaces.quick_ready)
    seen = []
    answer(project, truth, 30, seen)
    assert loop.step()
    model = project.model()
    assert (model.after_answer, model.facts["labelled"]) == (30, 30)
    assert model.space == "PCA of thumbnails" and model.estimate is not None
    predicted = predictions(model, project.state().classes, 60, "multiclass")
    assert (predicted.classes == np.array(truth)).mean() > 0.6
    assert not {item.image for item in project.queue()} & set(seen)
    assert not loop.step()  # nothing is new
    assert all(truth[doubt.image] == doubt.label[0] for doubt in review(project))


def test_the_model_changes_over_to_the_full_features_and_says_so(
    digits, loop, monkeypatch, tmp_path
):
    project, truth = digits
    monkeypatch.setattr(current_space, "EVERY", 0.0)
    wait_for(loop.step)
    wait_for(lambda: loop.spaces.quick_ready and not loop.step())
    answer(project, truth, 20, [])
    assert loop.step()
    assert project.model().space == "PCA of thumbnails"
    assert project.activity()["space"].message == "the model and the queue use PCA of thumbnails"
    make_features(project, tmp_path / "cache")
    assert loop.step()
    assert project.model().space == "features of PCA" and project.queue()
    assert project.model().facts["labelled"] == 20
    assert project.activity()["space"].message == "the model and the queue use features of PCA"


def test_the_seed_of_the_project_decides_what_is_audited(digits, loop):
    project, _ = digits
    project.configure(seed=3)
    wait_for(loop.step)
    wait_for(lambda: loop.step() or project.queue())
    audited = [item.image for item in project.queue() if item.audit]
    assert audited and audited == order_of(project.images(), 3).rows[: len(audited)].tolist()
    assert audited != order_of(project.images()).rows[: len(audited)].tolist()


def test_few_answers_wait_for_a_moment_of_quiet(digits, loop, monkeypatch):
    project, truth = digits
    wait_for(loop.step)
    wait_for(lambda: loop.spaces.quick_ready and not loop.step())
    monkeypatch.setattr(trainer, "QUIET", 1e6)
    seen = []
    answer(project, truth, trainer.FEW - 1, seen)
    assert not loop.step()
    answer(project, truth, 1, seen)
    assert loop.step()
    answer(project, truth, 1, seen)
    monkeypatch.setattr(trainer, "QUIET", 0.0)
    assert loop.step()


def test_new_classes_and_settings_make_a_new_model_at_once(digits, loop):
    project, truth = digits
    wait_for(loop.step)
    wait_for(lambda: loop.spaces.quick_ready and not loop.step())
    answer(project, truth, 20, [])
    assert loop.step()
    project.change_classes([NewClassChange("merge", "merge", 1, "0")])
    assert loop.step()
    assert 1 not in project.model().arrays["classes"]
    project.configure(strategy="predicted_loss")
    assert loop.step()
    assert "predicted_loss" in project.activity()["strategy"].message
    project.configure(strategy="margin")
    assert loop.step()
    assert project.activity()["strategy"].state == "done"
    assert {item.reason for item in project.queue()} == {"margin", "audit"}


def test_a_broken_image_is_noted_and_new_ones_join(digits, loop):
    project, _ = digits
    whole = (project.folder / "0000.png").read_bytes()
    (project.folder / "broken.png").write_bytes(whole[:60])
    project.scan()
    wait_for(lambda: (loop.step(), any(project.images().problems))[1])
    wait_for(loop.step)
    images = project.images()
    broken = images.names.index("broken.png")
    assert "decoded" in images.problems[broken]
    assert images.widths[broken] == 8
    served = serve_next(project.state(), project.queue(), images, (), 61)
    assert len(served) == 60 and broken not in {item.image for item in served}


def test_a_second_start_uses_the_thumbnails_of_the_first(digits, loop, monkeypatch):
    project, _ = digits
    monkeypatch.setattr(quick_space, "FITTED", 20)
    wait_for(loop.step)
    wait_for(lambda: loop.spaces.quick_ready)
    again = Loop(project, threading.Event())
    monkeypatch.setattr(quick_space, "read_small_images", None)
    assert again.step() and again.spaces.quick_ready
    assert project.model().facts["with features"] == 60


@pytest.mark.slow
def test_a_killed_trainer_starts_again_and_labelling_continues(digits, tmp_path):
    project, truth = digits
    seen = []
    with Trainer(project.directory, background=False, pauses=(0.1,)) as running:
        answer(project, truth, 3, seen)  # before there is any queue
        wait_for(project.model)
        first = wait_for(lambda: running.pid)
        answer(project, truth, 10, seen)
        os.kill(first, getattr(signal, "SIGKILL", signal.SIGTERM))
        answer(project, truth, 10, seen)  # from the queue that is there
        assert wait_for(lambda: running.pid not in (None, first))
        wait_for(lambda: project.model().after_answer == 23)
        assert project.model().facts["labelled"] == 23
        assert len(set(seen)) == 23
        assert wait_for(lambda: project.activity()["trainer"].state == "running")
        last = running.pid
    assert not running.alive
    with pytest.raises(ProcessLookupError):
        os.kill(last, 0)
    log = (project.directory / "trainer.log").read_text()
    assert "after answer 23" in log and "Traceback" not in log


def test_a_trainer_that_fails_says_so_and_is_tried_again(digits):
    project, _ = digits
    for name in ("scan", "space", "map"):
        project.set_activity(name, "running", 1, 2)
    project.set_activity("features", "done")
    with Trainer(project.directory, store="postgresql://nowhere.invalid/none", pauses=(0.1,)) as it:
        it.store = None  # the supervisor itself reaches the project
        said = wait_for(lambda: project.activity().get("trainer"))
        assert said.state == "failed" and "starts again" in said.message
        wait_for(lambda: project.activity()["space"].state == "failed")  # nothing works on it now
        wait_for(lambda: project.activity()["map"].state == "failed")
        states = project.activity()
        assert (states["scan"].state, states["features"].state) == ("running", "done")
    assert "Error" in (project.directory / "trainer.log").read_text()


def test_a_model_that_cannot_be_stored_is_tried_again(digits, loop, monkeypatch):
    project, _ = digits
    wait_for(lambda: loop.attempt() and loop.spaces.quick_ready)
    wait_for(lambda: not loop.step())
    answer(project, digits[1], 20, [])
    full = StoreError("the disk is full", code="disk-full")
    with monkeypatch.context() as broken:
        broken.setattr(project, "publish", Mock(side_effect=full))
        assert not loop.attempt()
        assert project.activity()["trainer"].state == "failed"
    assert loop.attempt()
    assert project.model().after_answer == 20
    assert project.activity()["trainer"].state == "running"


def test_a_trainer_that_cannot_be_started_is_tried_again(digits, monkeypatch):
    project, _ = digits
    monkeypatch.setattr(supervisor, "Child", Mock(side_effect=OSError(12, "no memory")))
    with Trainer(project.directory, pauses=(0.01,)):
        said = wait_for(lambda: project.activity().get("trainer"))
        assert "cannot be started (no memory) and starts again" in said.message
        wait_for(lambda: supervisor.Child.call_count > 1)


@pytest.mark.parametrize(
    ("long", "expected"), [(60.0, [0.01, 0.02, 0.03, 0.03]), (-1.0, [0.01] * 4)]
)
def test_a_trainer_that_ends_again_and_again_waits_longer_each_time(
    monkeypatch, tmp_path, long, expected
):
    """After a long time of work the pauses are short again."""
    waited = []
    monkeypatch.setattr(supervisor, "Child", Mock(return_value=Mock(code=-9)))
    monkeypatch.setattr(supervisor, "LONG", long)
    running = Trainer(tmp_path, pauses=(0.01, 0.02, 0.03))

    def note(pause):
        waited.append(pause)
        if len(waited) == len(expected):
            running._ends.set()

    monkeypatch.setattr(running._ends, "wait", note)
    said = []
    monkeypatch.setattr(running, "_report", said.append)
    running.start()
    wait_for(running._ends.is_set)
    running.stop()
    assert waited == expected
    assert [
        f"ended with -9 and starts again in {pause:g} s" in text
        for pause, text in zip(waited, said, strict=True)
    ] == [True] * 4


def test_a_busy_database_does_not_end_the_reading_of_thumbnails(digits, monkeypatch):
    project, _ = digits
    busy = StoreError("the database is busy", code="store-busy")
    monkeypatch.setattr(project, "set_activity", Mock(side_effect=busy))
    monkeypatch.setattr(quick_space, "ENOUGH", 5)  # so that the space is renewed more than once
    monkeypatch.setattr(quick_space, "FIRST", 0.0)
    stop = threading.Event()
    spaces = Spaces(project, stop)
    wait_for(lambda: spaces.current(project.images()) and spaces.quick_ready)
    assert spaces.current(project.images()).there.all()
    stop.set()
