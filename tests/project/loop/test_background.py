"""The worker of a trainer: started, tried again when it failed, and again when a person asks."""

from types import SimpleNamespace

import pytest

from nextlabel.project.loop import background as module
from nextlabel.project.loop.background import ASKED, LOOK, PAUSES, STABLE, Background, ask_again


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test moves on."""
    made = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(module.time, "monotonic", lambda: made.now)
    return made


@pytest.fixture
def workers(monkeypatch):
    """The workers that were started; a test gives each its exit status."""
    started = []

    def child(*_):
        started.append(SimpleNamespace(code=None, stop=lambda: None))
        return started[-1]

    monkeypatch.setattr(module, "Child", child)
    return started


@pytest.fixture
def care(digits, clock, workers):
    """Lets some seconds pass and looks after the worker, step by step as the trainer does."""
    project, _ = digits
    made = Background(project, {})
    made.care(project.images(), True)

    def after(seconds):
        until = clock.now + seconds
        while clock.now < until:
            clock.now += 0.25
            made.care(project.images(), True)

    after(STABLE)
    return after


def test_a_map_that_failed_is_tried_again_later_and_later_and_then_when_a_person_asks(
    digits, care, workers
):
    project, _ = digits
    for tried, pause in enumerate(PAUSES, 1):
        assert len(workers) == tried
        project.set_activity("features", "done")
        project.set_activity("map", "running", 50, 750)
        workers[-1].code = 1
        care(pause - 1)
        states = project.activity()
        assert (states["features"].state, states["map"].state) == ("done", "failed")
        assert f"begins again in {pause:g} s" in states["map"].message
        assert len(workers) == tried
        care(2)
    project.set_activity("map", "running", 50, 750)
    workers[-1].code = 1
    care(10 * max(PAUSES))
    assert "begins again" not in project.activity()["map"].message
    assert len(workers) == len(PAUSES) + 1
    assert ask_again(project, "map") and project.activity()["map"].state == ASKED
    care(2 * LOOK)
    assert len(workers) == len(PAUSES) + 2
    assert project.activity()["map"].state == "running"
    workers[-1].code = 0
    care(10 * max(PAUSES))
    assert len(workers) == len(PAUSES) + 2


def test_a_worker_that_fails_before_it_says_anything_is_shown_at_the_features(
    digits, care, workers
):
    project, _ = digits
    workers[-1].code = -9
    care(0.5)
    assert project.activity()["features"].state == "failed"
    assert "map" not in project.activity()


def test_only_work_that_failed_begins_again(digits):
    project, _ = digits
    project.set_activity("map", "done")
    project.set_activity("scan", "failed")
    assert not any(ask_again(project, name) for name in ("map", "scan", "features"))
    assert project.activity()["map"].state == "done"
