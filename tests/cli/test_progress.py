import io
import re

import numpy as np
import pytest

from nextlabel.cli import progress
from nextlabel.cli.output import duration, put_table, size
from nextlabel.core.learner import Training
from nextlabel.core.round import Round
from nextlabel.engine.events import (
    ExperimentReady,
    RoundDone,
    TrialDone,
    TrialFailed,
    TrialPlaced,
    TrialStarted,
)

KEY = "k"


def round_done(number, total=5, key=KEY, arm="random"):
    round = Round(number, 10, np.array([number]), {}, Training(1.0, 1, 1, "random"))
    return RoundDone(arm, 0, key, round, total)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_the_time_left_of_a_trial_is_the_last_rounds_times_the_rest():
    clock = Clock()
    seen = progress.Progress(clock)
    seen.follow(ExperimentReady(2, 2))
    seen.follow(TrialStarted("random", 0, KEY, 1, 5))
    assert seen.running[KEY].left is None
    clock.now += 10
    seen.follow(round_done(1))
    assert seen.running[KEY].left == pytest.approx(30)
    clock.now += 20
    seen.follow(round_done(2))
    assert seen.running[KEY].left == pytest.approx(40)


def test_the_time_left_of_all_follows_the_share_done():
    clock = Clock()
    seen = progress.Progress(clock)
    seen.follow(ExperimentReady(6, 4))
    assert seen.left is None
    seen.follow(TrialStarted("random", 0, KEY, 0, 2))
    clock.now += 10
    seen.follow(round_done(0, 2))
    assert seen.left == pytest.approx(10 * 7)  # an eighth is done
    seen.follow(TrialDone("random", 0, KEY))
    assert seen.left == pytest.approx(10 * 3)
    seen.follow(TrialFailed("entropy", 0, "other", "died"))  # before it ever began
    assert seen.left == pytest.approx(10)
    assert not seen.running


def test_nothing_to_do_leaves_nothing():
    seen = progress.Progress(Clock())
    seen.follow(ExperimentReady(6, 0))
    assert seen.left == 0


def story(show):
    show(ExperimentReady(3, 2))
    show(TrialStarted("random [a]", 0, KEY, 0, 2))
    show(round_done(0, 2, arm="random [a]"))
    show(round_done(1, 2, arm="random [a]"))
    show(TrialDone("random [a]", 0, KEY))
    show(TrialStarted("entropy", 0, "e", 0, 2))
    show(TrialFailed("entropy", 0, "e", "it diverged"))


def test_away_from_a_terminal_there_are_plain_lines_on_stderr(capsys):
    with progress.display() as show:
        story(show)
    out, err = capsys.readouterr()
    assert not out
    lines = re.sub(r"about .*? left", "about … left", err).splitlines()
    assert lines == [
        "3 trials, 2 to run",
        "random [a], seed 0: round 1 of 2, about … left",
        "random [a], seed 0: round 2 of 2",
        "random [a], seed 0: done, 1 of 2, about … left for all",
        "error: entropy, seed 0: it diverged",
    ]
    assert "\x1b" not in err


def test_the_worker_of_a_trial_is_shown_where_there_is_a_cluster(capsys):
    with progress.display() as show:
        show(ExperimentReady(1, 1, "Dask cluster at tcp://a:1, 2 workers"))
        show(TrialStarted("random", 0, KEY, 0, 2))
        show(TrialPlaced("random", 0, KEY, "tcp://b:2"))
        show(round_done(0, 2))
    lines = capsys.readouterr().err.splitlines()
    assert lines[1] == "Dask cluster at tcp://a:1, 2 workers"
    assert lines[2].startswith("random, seed 0: round 1 of 2 on tcp://b:2")


def test_on_a_terminal_there_are_bars_and_failures_stay(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with progress.display() as show:
        story(show)
    shown = screen.getvalue()
    assert "\x1b[" in shown
    assert "all trials" in shown
    assert "error: entropy, seed 0: it diverged" in shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (61, "1 min 01 s"), (3599.9, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_durations(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (3.2e9, "3.2 GB")]
)
def test_sizes(number, words):
    assert size(number) == words


def test_a_piped_table_is_neither_cut_nor_wrapped_nor_interpreted(capsys):
    put_table(("name", "n"), [("x" * 300, 5), ("[bold]y[/]", 12)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "n"]
    assert lines[2].strip() == "x" * 300 + "   5"
    assert lines[3].split()[0] == "[bold]y[/]"
    assert lines[3].endswith("  12")
