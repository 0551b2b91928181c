"""Progress of the trials: bars with the time left on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nextlabel.cli.output import complain, duration, note, plural

if TYPE_CHECKING:
    from rich.progress import TaskID

    from nextlabel.engine.events import (
        Event,
        RoundDone,
        TrialDone,
        TrialFailed,
        TrialPlaced,
        TrialStarted,
        TrialWarned,
        WaitingForOthers,
    )

Show = Callable[["Event"], None]


@dataclass
class TrialProgress:
    """The rounds of a running trial, and the seconds that the last one took."""

    done: int
    total: int
    since: float
    last: float | None = None
    worker: str = ""

    def advance(self, done: int, now: float) -> None:
        """Count a round. Later rounds train longer, so that the last one predicts the next best."""
        self.last, self.since, self.done = now - self.since, now, done

    @property
    def left(self) -> float | None:
        """Seconds left, None before the first round of this session."""
        return None if self.last is None else self.last * (self.total - self.done)


@dataclass
class Progress:
    """The progress of all trials, from the events so far."""

    clock: Callable[[], float] = time.monotonic
    pending: int = 0
    finished: int = 0
    start: float = 0.0
    running: dict[str, TrialProgress] = field(default_factory=dict)

    def follow(self, event: "Event") -> None:
        """Count an event."""
        from nextlabel.engine import events

        now = self.clock()
        match event:
            case events.ExperimentReady():
                self.pending, self.start = event.pending, now
            case events.TrialStarted():
                self.running[event.key] = TrialProgress(event.rounds_done, event.rounds_total, now)
            case events.TrialPlaced():
                self.running[event.key].worker = event.worker
            case events.RoundDone():
                self.running[event.key].advance(event.round.number + 1, now)
            case events.TrialDone() | events.TrialFailed():
                self.running.pop(event.key, None)
                self.finished += 1

    @property
    def left(self) -> float | None:
        """Seconds left for all trials at the speed so far, None before the first round."""
        begun = sum(t.done / t.total for t in self.running.values() if t.last is not None)
        share = (self.finished + begun) / self.pending if self.pending else 1.0
        return (self.clock() - self.start) * (1 - share) / share if share else None


def about(seconds: float | None) -> str:
    """Return the time left as words."""
    return "" if seconds is None else f"about {duration(seconds)} left"


def display() -> AbstractContextManager[Show]:
    """Return a context manager of a function that shows events on stderr."""
    return _bars() if sys.stderr.isatty() else _lines()


@contextmanager
def _lines() -> Iterator[Show]:
    from nextlabel.engine import events

    progress = Progress()

    def show(event: "Event") -> None:
        progress.follow(event)
        match event:
            case events.ExperimentReady():
                note(f"{plural(event.trials, 'trial')}, {event.pending} to run")
                if event.where:
                    note(event.where)
            case events.RoundDone():
                trial = progress.running[event.key]
                left = f", {about(trial.left)}" if trial.left else ""
                on = f" on {trial.worker}" if trial.worker else ""
                note(f"{_name(event)}: round {trial.done} of {trial.total}{on}{left}")
            case events.TrialDone():
                left = f", {about(progress.left)} for all" if progress.left else ""
                note(f"{_name(event)}: done, {progress.finished} of {progress.pending}{left}")
            case events.TrialWarned():
                note(f"warning: {_name(event)}: {event.warning}")
            case events.TrialFailed():
                complain(f"{_name(event)}: {event.error}")
            case events.WaitingForOthers():
                note(waiting(event))

    yield show


@contextmanager
def _bars() -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bars

    from nextlabel.engine import events

    progress = Progress()
    bars = Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]}", markup=False),
        console=Console(stderr=True, highlight=False),
        transient=True,
    )
    whole = bars.add_task("all trials", total=None, left="")
    rows: dict[str, TaskID] = {}

    def show(event: "Event") -> None:
        progress.follow(event)
        match event:
            case events.ExperimentReady():
                bars.start()  # only now, after the progress bars of a download
                bars.update(whole, total=event.pending)
                if event.where:
                    bars.console.print(event.where, markup=False)
            case events.TrialStarted():
                if event.key in rows:  # a second try
                    bars.remove_task(rows.pop(event.key))
                rows[event.key] = bars.add_task(
                    _name(event), total=event.rounds_total, completed=event.rounds_done, left=""
                )
            case events.TrialPlaced():
                bars.update(rows[event.key], description=f"{_name(event)} on {event.worker}")
            case events.RoundDone():
                trial = progress.running[event.key]
                bars.update(rows[event.key], completed=trial.done, left=about(trial.left))
            case events.TrialWarned():
                bars.console.print(f"warning: {_name(event)}: {event.warning}", markup=False)
            case events.WaitingForOthers():
                bars.console.print(waiting(event), markup=False)
            case events.TrialDone() | events.TrialFailed():
                if event.key in rows:
                    bars.remove_task(rows.pop(event.key))
                if isinstance(event, events.TrialFailed):
                    bars.console.print(f"error: {_name(event)}: {event.error}", markup=False)
        bars.update(whole, completed=progress.finished, left=about(progress.left))

    try:
        yield show
    finally:
        bars.stop()


def waiting(event: "WaitingForOthers") -> str:
    """Return the sentence about trials that other drivers run."""
    return f"waiting for {plural(event.trials, 'trial')} of {', '.join(event.drivers)}"


def _name(
    event: "TrialStarted | TrialPlaced | RoundDone | TrialWarned | TrialDone | TrialFailed",
) -> str:
    return f"{event.arm}, seed {event.seed}"
