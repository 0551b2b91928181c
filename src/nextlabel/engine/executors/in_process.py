"""An executor that runs one trial after the other in the driver's own process."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self, get_args

from nextlabel.core.round import Round
from nextlabel.engine.executor import RunTrial, Setup
from nextlabel.engine.executors import register
from nextlabel.engine.messages import LastMessage, Message
from nextlabel.engine.worker import run_trial_messages
from nextlabel.features.cache import Cache, CacheLocation
from nextlabel.trial.spec import TrialSpec


@register("in_process")
class InProcessExecutor:
    """Runs trials in the calling thread: for debuggers, notebooks and tests.

    The thread settings of numerical libraries are those of the process, so that the last digits
    of a round may differ from those of `LocalExecutor`.

    Parameters
    ----------
    data_dir : Path, optional
        The folder of the data sets.
    cache_dir : Path or str, optional
        The folder, or fsspec URL, of fitted features; by default the user's cache folder.
    run_trial : RunTrial
        The function that runs a trial; tests give a function that trains nothing.
    """

    uses: ClassVar[frozenset[str]] = frozenset()
    jobs = 1
    summary = ""

    def __init__(
        self,
        *,
        data_dir: Path | None = None,
        cache_dir: CacheLocation | None = None,
        run_trial: RunTrial = run_trial_messages,
    ) -> None:
        self._data_dir, self._cache_dir = data_dir, Cache.at(cache_dir).location
        self._run_trial = run_trial
        self._running: tuple[str, Iterator[Message]] | None = None

    @classmethod
    def of(cls, setup: Setup) -> Self:
        """Return an executor with the folders of `setup`; it runs one trial at a time."""
        return cls(data_dir=setup.data_dir, cache_dir=setup.cache_dir)

    @property
    def ready(self) -> bool:
        """True when no trial is running."""
        return self._running is None

    def prepare(self) -> None:
        """Do nothing: the process has imported what it needs."""

    def submit(self, key: str, trial: TrialSpec, history: Sequence[Round]) -> None:
        """Remember the trial; `receive` runs it."""
        messages = self._run_trial(trial, history, self._data_dir, self._cache_dir)
        self._running = key, iter(messages)

    def receive(self, timeout: float) -> Iterator[tuple[str, Message]]:
        """Run the trial until its next message, and yield that message."""
        if self._running is None:
            return
        key, messages = self._running
        message = next(messages)
        if isinstance(message, get_args(LastMessage)):
            self._running = None
        yield key, message

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._running = None
